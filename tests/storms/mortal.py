"""A Valkey of one's own that can be killed, wiped and started again."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.patience import PATIENCE, until
from ussdapp.sandbox import embedded
from ussdapp.sandbox.children import Child, end


@dataclass
class Mortal:
    """To be used from the main thread: its life is bound to the thread that starts it."""

    store: embedded.Store
    child: Child

    @property
    def url(self) -> str:
        return self.store.url

    def start(self) -> None:
        # as if its last death were long ago: it is started at once
        self.child.start_if_due(time.monotonic() + PATIENCE)
        until(lambda: self.child.pid is not None and self.store.answers(self.child.pid))

    def kill_and_wipe(self) -> None:
        """SIGKILL, and nothing of it on the disk."""
        assert self.child.pid is not None
        os.kill(self.child.pid, signal.SIGKILL)
        while self.child.buried(time.monotonic()) is None:
            time.sleep(0.005)
        shutil.rmtree(self.store.program.folder / "appendonlydir")


@contextmanager
def mortal_valkey(folder: Path) -> Iterator[Mortal]:
    """It runs, and holds nothing."""
    if os.environ.get("REDIS_URL"):
        pytest.skip("a Valkey that may be killed is the suite's own")
    store = embedded.valkey(folder, os.environ)
    with (folder.parent / "mortal.log").open("wb") as log:
        one = Mortal(store, Child(store.program, log.fileno()))
        one.start()
        try:
            yield one
        finally:
            end([one.child], 5.0)
