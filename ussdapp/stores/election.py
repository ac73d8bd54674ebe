"""Knows which of several reconcilers works: the one whose session holds the lock."""

from typing import Final

from ussdapp.stores.advisory import Advisory, Lock

_CLASS: Final = 0x62656174  # of advisory locks; those of binds begin with 1
_RECONCILER: Final = 0
SILENT_S: Final = 30.0  # one that is elected and asks nothing for so long is frozen


class Election:
    """Asked before each round; between two answers another may have been elected, so that what is
    done in a round must be harmless beside another's. Raises Unavailable."""

    def __init__(self, url: str, silent_s: float = SILENT_S) -> None:
        self._locks = Advisory(url)
        self._silent_s = silent_s

    def is_won(self) -> bool:
        """Whether this process is the one, now."""
        if self._locks.lock(_CLASS, _RECONCILER) is not Lock.ELSEWHERE:
            return True
        self._locks.end_silent(_CLASS, _RECONCILER, self._silent_s)
        return False

    def resign(self) -> None:
        """Another may be elected at once."""
        self._locks.release()
