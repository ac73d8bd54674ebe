"""A peer for each test, and binds that do not outlive it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.patience import PATIENCE
from tests.wire.peer import QUICK, Peer
from ussdapp.wire.bodies import Login
from ussdapp.wire.smpp import Bind, Extras


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def bind_to(peer: Peer) -> Iterator[Callable[..., Bind]]:
    """Makes binds to the peer, and sees that none outlives the test."""
    made: list[Bind] = []

    def make(
        keep=lambda delivered: True, limits=QUICK, first_sequence=1, on_late=None, pace=None
    ) -> Bind:
        login = Login("127.0.0.1", peer.port, "ega", "secret")
        extras = Extras(on_late=on_late, pace=pace)
        bind = Bind(login, limits, keep, first_sequence=first_sequence, extras=extras)
        with ThreadPoolExecutor(1) as pool:
            welcomed = pool.submit(peer.welcome)
            bind.connect()
            welcomed.result(PATIENCE)
        made.append(bind)
        return bind

    yield make
    peer.close()  # so that nobody waits for an answer to its unbind
    for bind in made:
        bind.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool
