"""ussd-menu-builder on express, where node and npm are there."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.places import free_port, until_it_listens

SCRIPT: Final = Path(__file__).with_name("peer.js")
PACKAGES: Final = ("express@5.1.0", "ussd-menu-builder@1.2.0")
INSTALL_S: Final = 120.0


class NoPeer(Exception):
    """It cannot be compared with; the message says why."""


@contextmanager
def ussd_menu_builder(folder: Path) -> Iterator[str]:
    """Its URL while it runs. Raises NoPeer."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoPeer("ussd-menu-builder is left out: node and npm are not installed")
    folder.mkdir()
    shutil.copy(SCRIPT, folder)
    _install(npm, folder)
    port = free_port()
    command = [node, SCRIPT.name, str(port)]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603 (ours)
    try:
        until_it_listens(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _install(npm: str, folder: Path) -> None:
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    try:
        done = subprocess.run(  # noqa: S603 (npm)
            command, cwd=folder, capture_output=True, timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoPeer("ussd-menu-builder is left out: npm install takes too long") from None
    if done.returncode:
        raise NoPeer("ussd-menu-builder is left out: npm install failed")
