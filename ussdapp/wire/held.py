"""Knows how one bind is kept up: bound again after each loss, slower each time it fails."""

import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from ussdapp.wire.bodies import Login
from ussdapp.wire.keeper import Keep
from ussdapp.wire.logging_in import BindRefused
from ussdapp.wire.pace import Haste
from ussdapp.wire.pulse import Limits
from ussdapp.wire.smpp import Bind, Extras, Tag
from ussdapp.wire.window import UNWRITTEN, Answer

_LOOK: Final = 1.0  # seconds between looks at a bind that is up
_LONGEST: Final = 60.0  # seconds between attempts, at most
_LONGEST_REFUSED: Final = 300.0  # a refused login does not heal by itself (faults.md row 47)
_log = structlog.get_logger()


class HeldBind:
    """One bind at a time. `clock` gives monotonic seconds, `chance` numbers in [0, 1): the wait
    after a failure doubles from `first_wait` seconds to a minute, or to five where the SMSC refused
    the bind; half of it by chance, so that many workers do not come back at once."""

    def __init__(
        self,
        make: Callable[[], Bind],
        clock: Callable[[], float],
        chance: Callable[[], float],
        first_wait: float = 1.0,
    ) -> None:
        self._make, self._clock, self._chance, self._first = make, clock, chance, first_wait
        self._bind: Bind | None = None
        self._failures = 0
        self._due = 0.0
        self._closing = threading.Lock()
        self._closed = False

    @property
    def bound(self) -> bool:
        """Whether a submit has a chance."""
        bind = self._bind
        return bind is not None and bind.alive

    def keep_bound(self) -> float:
        """Binds if need be and due; returns the seconds after which to call again. Does not
        raise for a refusal or a dead network."""
        if self.bound:
            self._failures = 0
            return _LOOK
        if self._bind is not None:
            self._bind = None
            self._put_off()
        left = self._due - self._clock()
        if self._closed or left > 0:
            return max(left, _LOOK) if self._closed else left
        self._try()
        return _LOOK if self.bound else max(0.0, self._due - self._clock())

    def submit(
        self,
        bodies: Sequence[bytes],
        haste: Haste = "bulk",
        tag: Tag | None = None,
    ) -> list[Answer]:
        """As Bind.submit; without a bind nothing is written."""
        bind = self._bind
        return [UNWRITTEN] * len(bodies) if bind is None else bind.submit(bodies, haste, tag)

    def close(self) -> None:
        """Leaves the bind for good."""
        with self._closing:
            self._closed = True
        bind = self._bind
        if bind is not None:
            bind.close()

    def _try(self) -> None:
        bind = self._make()
        try:
            bind.connect()
        except BindRefused as refused:
            self._put_off(_LONGEST_REFUSED)
            _log.warning("smpp.bind_refused", status=f"{refused.command_status:#x}")
            return
        except OSError as error:
            self._put_off()
            _log.warning("smpp.no_connection", error=type(error).__name__)
            return
        with self._closing:
            self._bind = bind
            late = self._closed
        if late:
            bind.close()
        else:
            _log.info("smpp.bound")

    def _put_off(self, most: float = _LONGEST) -> None:
        longest = min(most, self._first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self._due = self._clock() + longest * (1 + self._chance()) / 2


def binder(
    login: Login,
    limits: Limits,
    keep: Keep,
    tls: ssl.SSLContext | None,
    extras: Extras | None = None,
) -> Callable[[], Bind]:
    """What makes a new Bind each time."""
    return lambda: Bind(login, limits, keep, tls, extras=extras)
