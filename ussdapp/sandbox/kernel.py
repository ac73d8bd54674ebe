"""What is asked of Linux so that no process is orphaned and PostgreSQL starts for root."""

import ctypes
import os
import sys
from typing import Final

NOBODY: Final = 65534
INSIDE: Final = 1000  # the uid that PostgreSQL sees in its namespace
CLONE_NEWUSER: Final = 0x10000000
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = (
    1,
    8,
    36,
    47,
    2,
)
CAPSET: Final = {"x86_64": 126, "aarch64": 91}
CAP_DAC_OVERRIDE: Final = 1
CAPABILITY_VERSION_3: Final = 0x20080522

LIBC: Final = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signum: int, parent: int) -> None:
    """Ask for `signum` when the thread that forked us ends; leave at once when `parent` is gone
    already.

    To be called last: a change of credentials clears it (prctl(2), PR_SET_PDEATHSIG).
    """
    if sys.platform != "linux":
        return
    _checked(LIBC.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0))
    if parent not in (0, os.getppid()):
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, instead of the machine's
    init."""
    if sys.platform == "linux":
        _checked(LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def enter_namespace() -> None:
    """Become the only uid of a new user namespace; files stay those of the caller. OSError where it
    is forbidden."""
    uid, gid = os.geteuid(), os.getegid()
    _checked(LIBC.unshare(CLONE_NEWUSER))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{INSIDE} {uid} 1")
    _write("/proc/self/gid_map", f"{INSIDE} {gid} 1")


def become_nobody() -> None:
    """Give up root for nobody, and keep the one capability that passes a 0700 home
    (CAP_DAC_OVERRIDE, ambient)."""
    _checked(LIBC.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    bit = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(
        bit, bit, bit, 0, 0, 0
    )  # effective, permitted, inheritable; then the high words
    _checked(LIBC.syscall(CAPSET[os.uname().machine], header, sets))
    _checked(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))


def namespace_allowed() -> bool:
    """True where a one-uid namespace can be made; tried in a child, since there is no way back."""
    pid = os.fork()
    if pid == 0:
        try:
            enter_namespace()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
