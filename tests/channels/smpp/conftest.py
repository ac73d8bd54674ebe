"""A simulated SMSC or a scripted peer, and workers that do not outlive a test."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.channels.smpp.worker import Worker
from tests.fakes.patience import PATIENCE
from tests.fakes.smsc import ForkedSmsc
from tests.wire.peer import Peer


@pytest.fixture
def smsc(tmp_path):
    with ForkedSmsc(tmp_path / "ledger.jsonl") as smsc:
        yield smsc


@pytest.fixture
def worker(smsc):
    worker = Worker(smsc.port)
    worker.channel.keep_bound()
    assert worker.channel.ready()
    yield worker
    worker.channel.close()


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(3) as pool:
        yield pool


@pytest.fixture
def bound(peer, pool):
    """Makes workers that are bound to the scripted peer."""
    made = []

    def bind(**options: object) -> Worker:
        worker = Worker(peer.port, **options)
        welcomed = pool.submit(peer.welcome)
        worker.channel.keep_bound()
        welcomed.result(PATIENCE)
        made.append(worker)
        return worker

    yield bind
    peer.close()
    for worker in made:
        worker.channel.close()
