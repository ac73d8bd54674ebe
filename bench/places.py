"""What is measured and where: the whole gateway in a home of its own, and a bare view beside it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from bench.load import Target
from tests.e2e.system import ROOT, System
from ussdapp.sandbox.ports import listens
from ussdapp.sandbox.procfile import read_procfile

START_S: Final = 30.0
_TICK: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def gateway() -> Iterator[System]:
    """The whole gateway, as `make run` starts it; its bulks leave whenever it is measured."""
    with tempfile.TemporaryDirectory(prefix="ussdapp-bench-") as folder:
        system = System(Path(folder), free_port(), "bulk_hours = [0, 0]\n")
        system.start()
        try:
            yield system
        finally:
            system.stop()


def ussd_of(system: System) -> Target:
    """Where an operator posts what is keyed."""
    return Target(f"{system.demo['url']}/in/sandbox/{system.demo['inbound']['sandbox']}/ussd")


@contextmanager
def bare_view() -> Iterator[Target]:
    """A bare Flask view on the web server of the Procfile, with all its settings."""
    line = next(line for line in read_procfile(ROOT / "Procfile") if line.name == "web")
    port = free_port()
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environ = {**os.environ, "PATH": commands, "PORT": str(port), "WEB_APP": "bench.bare:app"}
    environ["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen(["/bin/sh", "-c", line.script], cwd=ROOT, env=environ)  # noqa: S603 (ours)
    try:
        until_it_listens(port)
        yield Target(f"http://127.0.0.1:{port}/ussd")
    finally:
        process.terminate()
        process.wait(10)


def cpu_seconds(pids: list[int]) -> float:
    """What those processes have used so far, in user and kernel."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_it_listens(port: int) -> None:
    """Waits; raises TimeoutError."""
    deadline = time.monotonic() + START_S
    while not listens(port):
        if time.monotonic() > deadline:
            raise TimeoutError("it does not listen")
        time.sleep(0.05)


def table(title: str, rows: list[tuple[str, str, str]]) -> None:
    """Prints what, figure, and what it is to be or is compared with."""
    wide = [max(len(row[column]) for row in rows) for column in range(2)]
    click.echo(f"\n{title}")
    for what, figure, beside in rows:
        click.echo(f"  {what:<{wide[0]}}  {figure:>{wide[1]}}  {beside}".rstrip())
