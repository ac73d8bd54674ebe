"""How long a test waits for what others do before it says that they did not."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 30.0  # seconds: a machine on which much else runs takes its time

T = TypeVar("T")


def until(true: Callable[[], T], seconds: float = PATIENCE) -> T:
    """The first value that is true; fails when none is in time."""
    end, pause = time.monotonic() + seconds, 0.005
    while not (found := true()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.05)
    return found
