"""Our side: the gateway as `make run` starts it, its channel bound to the neutral SMSC, and its
workers started when they are wanted."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import rows
from bench.places import free_port
from bench.processes import used, with_children
from bench.smsc import Smsc
from tests.e2e.system import ROOT
from ussdapp.sandbox.procfile import read_procfile

FREE: Final = "bench"  # the channel without a limit
LIMITED: Final = "limited"  # the one with the TPS of LIMIT
LIMIT: Final = 1000
BINDS: Final = 2  # workers a channel may have
PREFIX: Final = {FREE: "255784", LIMITED: "255785"}  # routes of what is accepted by the API
_READY_S: Final = 60.0
_CHANNEL: Final = """
[channels.{name}]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "bench"
password = "bench"
binds = {binds}
window = 1000
tps = {tps}
routes = ["{prefix}"]
"""


class NotReady(Exception):
    """The gateway did not start; the message is the end of its log."""


@dataclass(frozen=True)
class Workers:
    """Delivering processes."""

    pids: list[int]

    def peak(self) -> float:
        """The most MB any of them has held so far (VmHWM)."""
        return max(map(_peak, self.pids))


class Sender:
    """A running gateway without its delivering workers."""

    def __init__(self, home: Path, process: subprocess.Popen[bytes]) -> None:
        self.home = home
        self._process = process
        self.settings: dict[str, Any] = tomllib.loads((home / "settings.toml").read_text())
        self.database = rows.read(home)

    @contextmanager
    def workers(self, channel: str, count: int) -> Iterator[Workers]:
        """That many processes that deliver on one channel, as the Procfile starts them."""
        environ = {**os.environ, "USSDAPP_SETTINGS": str(self.home / "settings.toml")}
        with (self.home / f"deliver-{channel}.log").open("ab") as log:
            running = [
                subprocess.Popen(  # noqa: S603 (ours)
                    [sys.executable, "-m", "workers.bound", channel],
                    cwd=ROOT, env=environ, stdout=log, stderr=log,
                )
                for _ in range(count)
            ]  # fmt: skip
        try:
            yield Workers([one.pid for one in running])
        finally:
            for one in running:
                one.terminate()
            for one in running:
                _ended(one)

    def used(self, workers: Workers) -> tuple[float, float, float]:
        """Seconds of processor so far: of the workers, of PostgreSQL, of all the rest."""
        everything = with_children([self._process.pid, *workers.pids])
        postgres = [pid for pid in everything if _name(pid) == "postgres"]
        rest = set(everything) - set(postgres) - set(workers.pids)
        return used(workers.pids).cpu, used(postgres).cpu, used(list(rest)).cpu


@contextmanager
def sender(home: Path, smsc: Smsc) -> Iterator[Sender]:
    """The gateway in that home, new or used before. Raises NotReady."""
    home.mkdir(exist_ok=True)
    (home / "bench.toml").write_text(_settings(smsc.port))
    lines = [line for line in read_procfile(ROOT / "Procfile") if not line.per_channel]
    (home / "Procfile").write_text("".join(f"{line.name}: {line.command}\n" for line in lines))
    environ = {**os.environ, "USSDAPP_HOME": str(home), "PORT": str(free_port())}
    environ["USSDAPP_SETTINGS"] = str(home / "bench.toml")
    for name in ("DATABASE_URL", "REDIS_URL"):
        environ.pop(name, None)
    command = [sys.executable, "-m", "ussdapp.sandbox.run", f"--procfile={home / 'Procfile'}"]
    log = home / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)  # noqa: S603 (ours)
    try:
        _until_ready(log, process)
        yield Sender(home, process)
    finally:
        process.send_signal(signal.SIGTERM)
        _ended(process)


def _settings(port: int) -> str:
    tps = {FREE: 0, LIMITED: LIMIT}
    return "bulk_hours = [0, 0]\n" + "".join(  # whenever it is measured
        _CHANNEL.format(name=name, port=port, binds=BINDS, tps=tps[name], prefix=PREFIX[name])
        for name in (FREE, LIMITED)
    )


def _until_ready(log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while b"ready: " not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(log.read_text()[-2000:])
        time.sleep(0.05)


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
