"""Knows how to ask wrk, where it is installed (`apt install wrk`), and our own generator else."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.load import LANES, PROCESSES, Target, drive

SCRIPT: Final = Path(__file__).with_name("callbacks.lua")
_DONE: Final = re.compile(r"DONE (\d+) (\d+) (\d+)")


@dataclass(frozen=True)
class Flooded:
    """Answers a second, how many there were, how many were wrong, and whether forms came twice."""

    rate: float
    answers: int
    wrong: int
    again: bool


def name() -> str:
    """What floods."""
    return "wrk" if shutil.which("wrk") else "our own generator"


def flood(target: Target, forms: Sequence[str], seconds: float) -> Flooded:
    """As many of those forms as are answered in that time, on 32 connections."""
    wrk = shutil.which("wrk")
    if wrk is None:
        seen = drive(target, forms)
        return Flooded(seen.rate, len(seen.times), seen.wrong, again=False)
    with tempfile.NamedTemporaryFile("w", suffix=".forms") as file:
        file.write("\n".join(forms))
        file.flush()
        command = [
            wrk, f"-t{PROCESSES}", f"-c{PROCESSES * LANES}", f"-d{seconds:.0f}s",
            "-s", str(SCRIPT), target.url, "--", file.name, str(PROCESSES),
        ]  # fmt: skip
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (wrk)
    found = _DONE.search(done.stdout)
    if found is None:
        raise RuntimeError(f"wrk said nothing that we know: {done.stdout}")
    answers, microseconds, wrong = map(int, found.groups())
    rate = answers / (microseconds / 1e6)
    return Flooded(rate, answers, wrong, again=answers > len(forms))
