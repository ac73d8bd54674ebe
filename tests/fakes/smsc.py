"""The simulated SMSC as tests hold it: each a process of its own, forked from one that has imported
it already, since importing it anew costs more than most tests do."""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fakes.patience import PATIENCE
from ussdapp.sandbox import smsc
from ussdapp.sandbox.smsc_process import SmscProcess

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([smsc.__name__])


class ForkedSmsc(SmscProcess):
    """As SmscProcess on free ports; leaving the `with` block ends it."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        words = ["--port=0", f"--ledger={ledger}"]
        ours, theirs = FORKS.Pipe(duplex=False)
        self._forked = FORKS.Process(target=_serve, args=(theirs, words), daemon=True)
        self._forked.start()
        theirs.close()
        with ours, os.fdopen(os.dup(ours.fileno())) as said:
            self.port, self.control_port = (int(said.readline().split()[-1]) for _ in range(2))

    def stop(self) -> None:
        """Ends the process and waits for it."""
        self._forked.terminate()
        self._forked.join(PATIENCE)


def _serve(output: Connection, words: list[str]) -> None:
    os.dup2(output.fileno(), 1)
    smsc.main(words)
