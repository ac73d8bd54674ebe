"""A bulk is stopped: after the answer no row of it is submitted. Or another approves it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from ussdapp.core.bulk import BulkView

_LOOKS: Final = 400  # until the windows that were open are answered
_LOOK_S: Final = 0.05


class Stoppable(Protocol):
    """The bulks of institutions. All raise NoSuchBulk, Unavailable."""

    def stop(self, institution: str, number: int, by: str, now: datetime) -> None:
        """Nothing more of it is claimed from here on. Raises NotNow when it is finished."""
        ...

    def moving(self, number: int) -> bool:
        """Whether any row of it is in an open window."""
        ...

    def view(self, institution: str, number: int) -> BulkView: ...


@dataclass(frozen=True, slots=True)
class StopBulk:
    """Raises NoSuchBulk, NotNow, Unavailable. `pause` waits so many seconds."""

    bulks: Stoppable
    pause: Callable[[float], None]

    def __call__(self, institution: str, number: int, by: str, now: datetime) -> BulkView:
        """The bulk as it stands. What was being submitted is waited for, up to twenty seconds:
        should its operator or its pace be slower, those rows may leave afterwards and are counted
        as `submitting`."""
        self.bulks.stop(institution, number, by, now)
        for _ in range(_LOOKS):
            if not self.bulks.moving(number):
                break
            self.pause(_LOOK_S)
        return self.bulks.view(institution, number)
