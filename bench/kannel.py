"""Kannel beside us: bearerbox and smsbox (`apt install kannel`), a hundred recipients a request."""

import http.client
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench.peer import NoPeer
from bench.places import START_S, free_port, until_it_listens
from bench.smsc import Smsc

TOGETHER: Final = 100  # recipients a request, its fastest
CONNECTIONS: Final = 4
_CORE: Final = """
group = core
admin-port = {admin}
admin-password = bench
status-password = bench
smsbox-port = {boxes}
box-allow-ip = "127.0.0.1"
log-level = 4
dlr-storage = internal
{store}

group = smsc
smsc = smpp
smsc-id = neutral
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
max-pending-submits = 1000
{throughput}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-level = 4

group = sendsms-user
username = bench
password = bench
"""
_SPOOL: Final = 'store-type = spool\nstore-location = "{folder}"'


@dataclass(frozen=True)
class Kannel:
    """A running Kannel."""

    pids: list[int]
    port: int  # of sendsms
    callback_port: int

    def path(self, recipients: Sequence[str], text: str, priority: int, receipts: int) -> str:
        """One request's; with `receipts` 1 each is called back for."""
        to = "+".join(recipients)
        path = (
            f"/cgi-bin/sendsms?username=bench&password=bench&from=15200&to={to}"
            f"&text={quote(text)}&priority={priority}"
        )
        back = quote(f"http://127.0.0.1:{self.callback_port}/?of=%p&is=%d", safe="")
        return f"{path}&dlr-mask=3&dlr-url={back}" if receipts else path

    def send(self, recipients: Sequence[str], text: str, receipts: int) -> None:
        """All of them, as fast as they are taken."""
        groups = [
            recipients[start : start + TOGETHER] for start in range(0, len(recipients), TOGETHER)
        ]
        paths = [self.path(group, text, 0, receipts) for group in groups]
        shares = [paths[number::CONNECTIONS] for number in range(CONNECTIONS)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(self._get, shares))

    def send_urgent(self, msisdn: str, text: str) -> None:
        """One, ahead of the others."""
        self._get([self.path([msisdn], text, 3, 0)])

    def _get(self, paths: Sequence[str]) -> None:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for path in paths:
            link.request("GET", path)
            answer = link.getresponse()
            answer.read()
            if answer.status not in (200, 202):
                raise ConnectionError(f"Kannel answers {answer.status}")
        link.close()


@contextmanager
def kannel(folder: Path, smsc: Smsc, spool: int = 0, tps: int = 0) -> Iterator[Kannel]:
    """It, bound to that SMSC; with `spool` 1 it keeps what it takes in files. Raises NoPeer."""
    binaries = _binaries()
    folder.mkdir(parents=True)
    (folder / "spool").mkdir()
    admin, boxes, sendsms = free_port(), free_port(), free_port()
    config = folder / "kannel.conf"
    store = _SPOOL.format(folder=folder / "spool") if spool else ""
    throughput = f"throughput = {tps}" if tps else ""
    ports = {"admin": admin, "boxes": boxes, "sendsms": sendsms, "smsc": smsc.port}
    config.write_text(_CORE.format(store=store, throughput=throughput, **ports))
    running: list[subprocess.Popen[bytes]] = []
    try:
        for binary, port in zip(binaries, (boxes, sendsms), strict=True):
            running.append(_started(binary, config))
            until_it_listens(port)
        _until_bound(admin)
        yield Kannel([one.pid for one in running], sendsms, smsc.callback_port)
    finally:
        for one in reversed(running):
            one.kill()  # its own way takes seconds, and nothing of it is kept
            one.wait(10)


def _binaries() -> tuple[str, str]:
    path = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"  # where Debian puts them
    bearerbox, smsbox = shutil.which("bearerbox", path=path), shutil.which("smsbox", path=path)
    if bearerbox is None or smsbox is None:
        raise NoPeer("Kannel is missing (apt install kannel)")
    return bearerbox, smsbox


def _started(binary: str, config: Path) -> subprocess.Popen[bytes]:
    # without -v it prints every PDU, whatever its log-level
    command = [binary, "-v", "4", str(config)]
    with (config.parent / f"{Path(binary).name}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 (apt's)


def _until_bound(admin: int) -> None:
    url = f"http://127.0.0.1:{admin}/status.txt?password=bench"
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if b"online" in answer.read():
                    return
        except urllib.error.URLError:
            pass
        time.sleep(0.1)
    raise NoPeer("Kannel is left out: it does not bind")
