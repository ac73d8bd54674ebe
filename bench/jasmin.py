"""Jasmin beside us, on a RabbitMQ and a Redis of its own.

It is measured where the environment names a venv that has it and RabbitMQ is installed:

    apt install rabbitmq-server && python3 -m venv V && V/bin/pip install jasmin
    JASMIN_VENV=V python -m bench.delivery
"""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench.peer import NoPeer
from bench.places import START_S, free_port, until_it_listens
from bench.smsc import Smsc
from ussdapp.sandbox import embedded

CONNECTIONS: Final = 8
RABBIT: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# txAMQP ships the file that Jasmin looks for under another name
_SPEC: Final = "lib/python3*/site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml"
_SERVERS: Final = (
    "jcli", "http-api", "smpp-server", "smpp-server-pb", "router", "client-management",
)  # fmt: skip
_CLIENTS: Final = ("redis-client", "amqp-broker")
_QUIET: Final = "log_level = ERROR\n"  # the least it can log
_COMMANDS: Final = (
    ("group -a", "gid bench", "ok"),
    ("user -a", "username bench", "password bench", "gid bench", "uid bench", "ok"),
    (
        "smppccm -a", "cid neutral", "host 127.0.0.1", "port {smsc}", "username bench",
        "password bench", "submit_throughput 0", "ok",
    ),
    ("mtrouter -a", "type DefaultRoute", "connector smppc(neutral)", "rate 0.0", "ok"),
    ("smppccm -1 neutral",),
)  # fmt: skip


@dataclass(frozen=True)
class Jasmin:
    """A running Jasmin; `pids` are its own, its queue's and its store's."""

    pids: list[int]
    port: int

    def send(self, recipients: Sequence[str], text: str) -> None:
        """All of them, one a request: it knows no other way."""
        paths = [
            f"/send?username=bench&password=bench&from=15200&to={one}&content={quote(text)}"
            for one in recipients
        ]
        shares = [paths[number::CONNECTIONS] for number in range(CONNECTIONS)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(self._get, shares))

    def _get(self, paths: Sequence[str]) -> None:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for path in paths:
            link.request("GET", path)
            answer = link.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise ConnectionError(f"Jasmin answers {answer.status} {said[:80]!r}")
        link.close()


@contextmanager
def jasmin(folder: Path, smsc: Smsc) -> Iterator[Jasmin]:
    """It, bound to that SMSC. Raises NoPeer."""
    venv = Path(os.environ.get("JASMIN_VENV", "/nowhere"))
    daemon, specs = venv / "bin/jasmind.py", list(venv.glob(_SPEC))
    if not (daemon.exists() and specs):
        raise NoPeer("Jasmin is missing (JASMIN_VENV names no venv with it)")
    if not RABBIT.exists() or shutil.which("epmd") is None:
        raise NoPeer("Jasmin is left out: RabbitMQ is missing (apt install rabbitmq-server)")
    folder.mkdir(parents=True)
    ports = {section: free_port() for section in (*_SERVERS, *_CLIENTS)}
    with ExitStack() as stack:
        rabbit = stack.enter_context(_rabbit(folder / "rabbit", ports["amqp-broker"]))
        store = stack.enter_context(_redis(folder / "redis", ports["redis-client"]))
        environ = _written(folder, specs[0], ports)
        command = [str(venv / "bin/python"), str(daemon), "-c", str(folder / "jasmin.cfg")]
        own = stack.enter_context(_running(command, environ, folder))
        for section in ("jcli", "http-api"):
            _until(ports[section], own)
        _configure(ports["jcli"], smsc.port)
        yield Jasmin([own.pid, rabbit.pid, store.pid], ports["http-api"])


def _written(folder: Path, spec: Path, ports: Mapping[str, int]) -> dict[str, str]:
    for place in ("etc/jasmin/resource", "etc/jasmin/store", "log"):
        (folder / place).mkdir(parents=True)
    shutil.copy(spec, folder / "etc/jasmin/resource/amqp0-9-1.xml")
    sections = [
        f"[{section}]\nport = {port}\nbind = 127.0.0.1\nauthentication = {section != 'jcli'}\n"
        f"{_QUIET}"
        for section, port in ports.items()
    ]
    sections.append(f"[sm-listener]\n{_QUIET}")
    (folder / "jasmin.cfg").write_text("\n".join(sections))
    return {**os.environ, "ROOT_PATH": str(folder), "LOG_PATH": str(folder / "log")}


def _configure(port: int, smsc: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        for lines in _COMMANDS:
            said = ""
            for line in lines:
                said += _typed(link, line.format(smsc=smsc))
            if "uccessfully" not in said:
                raise NoPeer(f"Jasmin is left out: it does not take {lines[0]!r}: {said[-200:]!r}")
        deadline = time.monotonic() + START_S
        while "BOUND_TRX" not in _typed(link, "smppccm -l"):
            if time.monotonic() > deadline:
                raise NoPeer("Jasmin is left out: it does not bind")
            time.sleep(0.2)


def _typed(link: socket.socket, line: str) -> str:
    """What the console says to that line, up to its next prompt."""
    link.sendall(f"{line}\r\n".encode())
    return _heard(link)


def _heard(link: socket.socket) -> str:
    said = b""
    while not said.endswith((b"> ", b"jcli : ")):
        octets = link.recv(65536)
        if not octets:
            raise NoPeer("Jasmin is left out: its console hangs up")
        said += octets
    return said.decode("utf-8", "replace")


@contextmanager
def _rabbit(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    names = str(free_port())  # of its own epmd, which is ended with it
    environ = {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_PORT": names,
        "RABBITMQ_NODENAME": f"bench{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
    }
    (folder / "plugins").write_text("[].\n")
    epmd = [shutil.which("epmd") or "epmd"]
    # in the foreground, or it would be started as a daemon and stay
    with _running(epmd, environ, folder, "epmd.log") as register:
        _until(int(names), register)
        with _running([str(RABBIT)], environ, folder) as process:
            _until(port, process)
            yield process


@contextmanager
def _redis(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    words = embedded.valkey(folder / "store", os.environ).program.arguments
    with _running([*words, "--port", str(port)], dict(os.environ), folder) as process:
        _until(port, process)
        yield process


@contextmanager
def _running(
    command: Sequence[str], environ: Mapping[str, str], folder: Path, output: str = "output"
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / output).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (the peers')
            command, env=environ, cwd=folder, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _until(port: int, process: subprocess.Popen[bytes]) -> None:
    try:
        until_it_listens(port)
    except TimeoutError:
        raise NoPeer(f"Jasmin is left out: {process.args!r} does not listen") from None
