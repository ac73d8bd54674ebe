"""Knows which process holds a lease, and whether it is seen from here to have ended."""

import os
from pathlib import Path

_PROC = Path("/proc")


def myself() -> str:
    """This process, told apart from every other that was or is (proc(5)): the kernel's boot and
    the namespace of its pid, the pid, and when it began."""
    return f"{_where()} {os.getpid()} {_began(os.getpid())}"


def has_ended(holder: str) -> bool:
    """Whether that process certainly is no more; one of elsewhere may live. Nobody is ""."""
    if not holder:
        return True
    where, pid, began = holder.rsplit(" ", 2)
    return bool(began != "-" and where == _where() and _began(int(pid)) != began)


def _where() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return "elsewhere"


def _began(pid: int) -> str:
    """In clock ticks since boot; "-" where there is no such process, or a zombie."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "-"
    return "-" if fields[0] in "ZX" else fields[19]
