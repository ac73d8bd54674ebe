"""PostgreSQL's folder before a rig has it: prepared once, and on a disk of its own if wanted."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.chaos import history
from ussdapp.sandbox import embedded
from ussdapp.sandbox.children import Child, end
from ussdapp.stores.migrate import migrate

START = 40.0  # seconds it may take on a loaded machine


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A tmpfs of that size; skips where none may be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def prepare(folder: Path) -> None:
    """A cluster at rest, with the schema and the triggers that write its history."""
    store = embedded.postgres(folder, os.environ)
    with (folder / "prepare.log").open("wb") as log:
        child = Child(store.program, log.fileno())
        child.start_if_due(time.monotonic())
        deadline = time.monotonic() + START
        try:
            while child.pid is None or not store.answers(child.pid):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            migrate(store.url)
            with psycopg.connect(store.url) as link:
                link.execute(history.SCHEMA)
        finally:
            end([child], 8.0)
