"""The Procfile: process types and their command lines, as honcho and its like read them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ussdapp.sandbox.children import Program
from ussdapp.sandbox.embedded import CannotStart

LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
SIMPLE = re.compile(r"[^\s=;&|<>()]+(\s[^;&|<>()`]*)?")
NAMES_CHANNEL = re.compile(r"\$(CHANNEL\b|\{CHANNEL\b)")


@dataclass(frozen=True)
class Line:
    """One process type and the shell command that starts it."""

    name: str
    command: str

    @property
    def script(self) -> str:
        """What a shell is given; a simple command takes the shell's place, so that our signals
        reach it."""
        return f"exec {self.command}" if SIMPLE.fullmatch(self.command) else self.command

    @property
    def per_channel(self) -> bool:
        """True when it is one process for each channel."""
        return NAMES_CHANNEL.search(self.command) is not None


def read_procfile(path: Path) -> list[Line]:
    """Its lines in order; CannotStart names the first that is neither a process type, a comment nor
    empty."""
    lines = []
    for number, text in enumerate(path.read_text().splitlines(), start=1):
        if not text.strip() or text.startswith("#"):
            continue
        found = LINE.fullmatch(text.strip())
        if found is None:
            raise CannotStart(f"{path}, line {number}: a line is a name, a colon and a command.")
        lines.append(Line(found[1], found[2]))
    return lines


def programs(
    lines: Iterable[Line], channels: Sequence[str], environ: Mapping[str, str], folder: Path
) -> list[Program]:
    """One program for each line, and one for each channel where the line names $CHANNEL; a channel
    of several binds is given as often."""
    made: list[Program] = []
    for line in lines:
        for channel in channels if line.per_channel else [""]:
            name = f"{line.name}.{channel}" if channel else line.name
            if twins := sum(one.name.startswith(f"{name}.") or one.name == name for one in made):
                name = f"{name}.{twins + 1}"
            own = {**environ, "CHANNEL": channel} if channel else environ
            made.append(Program(name, ["/bin/sh", "-c", line.script], own, folder))
    return made
