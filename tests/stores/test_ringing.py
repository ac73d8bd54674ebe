"""A doorbell is rung by another thread: soon, and once for many who ask together."""

import threading
from dataclasses import dataclass, field

from tests.fakes.patience import PATIENCE, until
from ussdapp.stores.ringing import Ringing


@dataclass
class Bell:
    """Notes who rang; rings only while it is let."""

    rung: list[str] = field(default_factory=list)
    let: threading.Event = field(default_factory=threading.Event)

    def ring(self, channel: str) -> None:
        self.let.wait(PATIENCE)
        self.rung.append(channel)


def test_who_asks_does_not_wait_and_the_bell_is_rung() -> None:
    bell = Bell()
    ringing = Ringing(bell)
    ringing.ring("sandbox")
    assert bell.rung == []
    bell.let.set()
    until(lambda: bell.rung == ["sandbox"])


def test_many_who_ask_while_it_rings_are_rung_for_once() -> None:
    bell = Bell()
    ringing = Ringing(bell)
    ringing.ring("sandbox")
    until(lambda: not ringing._asked)
    for _ in range(100):
        ringing.ring("sandbox")
        ringing.ring("other")
    bell.let.set()
    until(lambda: len(bell.rung) == 3)
    assert bell.rung[0] == "sandbox"
    assert sorted(bell.rung[1:]) == ["other", "sandbox"]


def test_who_asks_after_it_rang_is_rung_for_again() -> None:
    bell = Bell()
    bell.let.set()
    ringing = Ringing(bell)
    for count in range(1, 4):
        ringing.ring("sandbox")
        until(lambda count=count: len(bell.rung) == count)
