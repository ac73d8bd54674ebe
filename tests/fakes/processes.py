"""Knows which processes belong to a home."""

import contextlib
import os
from pathlib import Path


def processes_of(home: Path) -> dict[int, str]:
    """Every living process that works for this home, by its command line or its environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            words = command + (folder / "environ").read_text(errors="replace")
            if command and str(home) in words and int(folder.name) != os.getpid():
                found[int(folder.name)] = command
    return found
