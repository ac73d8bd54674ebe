"""What is urgent rings its channel's workers in the commit that queues it; nothing else does."""

import threading
from collections.abc import Iterator

import pytest

from tests.fakes.patience import until
from tests.stores.world import World
from ussdapp.core.notification import Class
from ussdapp.stores.database import rows
from ussdapp.stores.urgent_bell import UrgentBell

_RUNG = """
    INSERT INTO queue (channel, rank, turn, institution_id, bulk_id, due_at, ids)
    VALUES ('sandbox', 0, 0, 0, 0, now(), '{1}')
"""
_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE query = 'LISTEN urgent' AND datname = current_database()
"""


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def listening(world: World, channel: str, stopping: threading.Event) -> list[str]:
    """What is heard, once somebody listens: the first is the look for what was rung before."""
    heard: list[str] = []
    threading.Thread(
        target=UrgentBell(world.url).listen,
        args=(channel, lambda: heard.append(channel), stopping),
        daemon=True,
    ).start()
    until(lambda: len(heard) == 1)
    return heard


def test_what_is_urgent_is_heard_by_its_channel_alone(
    world: World, stopping: threading.Event
) -> None:
    heard, other = listening(world, "sandbox", stopping), listening(world, "two", stopping)
    world.accept("receipt", Class.RECEIPT, text="receipt")
    world.accept("bulk", Class.BULK, text="bulk")
    for number in range(3):
        world.accept(f"urgent {number}", Class.URGENT, text=f"text {number}")
    until(lambda: len(heard) == 1 + 3)
    assert len(other) == 1


def test_what_was_not_committed_rings_nobody(world: World, stopping: threading.Event) -> None:
    heard = listening(world, "sandbox", stopping)
    with pytest.raises(ZeroDivisionError):
        world.database.run(lambda link: link.execute(_RUNG) and 1 // 0)
    world.accept("urgent", Class.URGENT, text="urgent")
    until(lambda: len(heard) == 1 + 1)


def test_who_lost_the_connection_looks_and_hears_again(
    world: World, stopping: threading.Event
) -> None:
    heard = listening(world, "sandbox", stopping)
    assert len(world.database.run(lambda link: rows(link, _END))) == 1
    until(lambda: len(heard) == 2)
    world.accept("urgent", Class.URGENT, text="urgent")
    until(lambda: len(heard) == 3)
