"""Knows what processes and their children use, by /proc."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")
# places in /proc/<pid>/stat behind the command's name (proc(5))
_PARENT, _TIMES = 1, slice(11, 15)


@dataclass(frozen=True)
class Used:
    """Seconds of processor, user and kernel, of processes and of the children they have buried;
    and the MB resident now, shared pages counted once a process."""

    cpu: float
    resident: float


def with_children(roots: list[int]) -> list[int]:
    """Those processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        fields = _stat(int(entry.name)) if entry.name.isdigit() else []
        if fields:
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found: list[int] = []
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.append(pid)
            todo += children.get(pid, ())
    return found


def used(pids: list[int]) -> Used:
    """What those have used so far; a process that is gone counts nothing."""
    ticks = sum(int(time) for pid in pids for time in _stat(pid)[_TIMES])
    return Used(ticks / _TICK, sum(map(resident, pids)))


def resident(pid: int) -> float:
    """MB of one process, by VmRSS."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
