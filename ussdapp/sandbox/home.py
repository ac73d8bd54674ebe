"""The sandbox's home: who may use it, the secrets made in it, the settings it gives, and
demo.json."""

import fcntl
import hashlib
import json
import os
import secrets
import time
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ussdapp.sandbox.back_office_answers import settings_tables
from ussdapp.sandbox.embedded import CannotStart
from ussdapp.sandbox.toml import Table, merged, toml_text
from ussdapp.sandbox.webhook_ear import PATH

LEAVING: Final = 10.0  # seconds in which a copy that was killed may still be ending

PREPARED: Final = Path("postgres", "SCHEMA")
MIGRATIONS: Final = Path(__file__).parents[1] / "stores" / "migrations"


@dataclass(frozen=True)
class Home:
    """A folder of mode 0700 that one supervisor holds; `lock` is the descriptor that holds it."""

    folder: Path
    lock: int

    @property
    def settings(self) -> Path:
        """The merged settings, as every child reads them."""
        return self.folder / "settings.toml"

    @property
    def smsc_ledger(self) -> Path:
        """What the simulated SMSC has accepted, a JSON line each."""
        return self.folder / "smsc.jsonl"

    @property
    def aggregator_ledger(self) -> Path:
        """What the simulated aggregator has accepted, a JSON line each."""
        return self.folder / "aggregator.jsonl"


@dataclass(frozen=True)
class Ports:
    """Where the web server and the simulated operators listen on loopback."""

    web: int
    smsc: int
    smsc_control: int
    aggregator: int
    back_office: int


@dataclass(frozen=True)
class Institution:
    """The demo institution and the API keys that were shown once, when they were made; "" and none
    where they are not known."""

    name: str
    api_key: str
    mgov: Mapping[str, str] = field(default_factory=dict)


def open_home(folder: Path) -> Home:
    """Make the folder if need be and hold it; CannotStart when it is another's or another
    supervisor holds it."""
    try:
        lock = _opened(folder)
    except OSError as trouble:
        reason = (trouble.strerror or type(trouble).__name__).lower()
        raise CannotStart(
            f"{folder} cannot be used ({reason}): set USSDAPP_HOME to a folder you may write in."
        ) from None
    deadline = time.monotonic() + LEAVING
    while not _locked(lock):
        holder = os.pread(lock, 20, 0).decode().strip()
        if _alive(holder) or time.monotonic() > deadline:
            raise CannotStart(
                f"Another copy (process {holder}) runs in {folder}: "
                "stop it, or set USSDAPP_HOME and PORT for a second one."
            )
        time.sleep(0.05)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return Home(folder, lock)


def _opened(folder: Path) -> int:
    """The descriptor of its lock file; raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise CannotStart(
            f"{folder} belongs to another user: set USSDAPP_HOME to a folder of your own."
        )
    folder.chmod(0o700)
    return os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)


def made_secrets(folder: Path) -> Table:
    """The secrets of this home, made on first use and the same ever after."""
    path = folder / "secrets.toml"
    if not path.exists():
        write_private(
            path,
            toml_text(
                {**{f"{name}_key": secrets.token_hex(32) for name in ("seal", "index")}, **_new()}
            ),
        )
    return tomllib.loads(path.read_text())


def settings_table(
    home: Home, urls: Mapping[str, str], ports: Ports, given: Table
) -> dict[str, Any]:
    """The sandbox's own settings (CONTRACT section 2) with those `given` merged over them."""
    made = made_secrets(home.folder)
    own = {
        "sandbox": True,
        **urls,
        "seal_key": made["seal_key"],
        "index_key": made["index_key"],
        "short_code": "15200",
        "service_code": "*152*00#",
        "ledger": str(home.smsc_ledger),
        "channels": {
            "sandbox": _smpp(made, ports.smsc),
            "africastalking": _aggregator(made, ports.aggregator),
        },
        "back_offices": settings_tables(ports.back_office, made["office_secret"]),
    }
    return merged(own, given)


def demo_json(home: Home, settings: Table, ports: Ports, institution: Institution) -> str:
    """What a client of this copy needs (CONTRACT section 1), as far as it works."""
    inbound = {
        name: table["tokens"][0]
        for name, table in settings["channels"].items()
        if table.get("tokens")
    }
    aggregator = {
        "url": f"http://127.0.0.1:{ports.aggregator}",
        "ledger": str(home.aggregator_ledger),
    }
    words = {
        "url": f"http://127.0.0.1:{ports.web}",
        "institution": institution.name,
        "api_key": institution.api_key,
        "mgov": dict(institution.mgov),
        "inbound": inbound,
        "smsc": {
            "host": "127.0.0.1",
            "port": ports.smsc,
            "control_port": ports.smsc_control,
            "ledger": str(home.smsc_ledger),
        },
        "aggregator": aggregator,
        "back_office": {"url": f"http://127.0.0.1:{ports.back_office}"},
        "webhooks": {"url": f"http://127.0.0.1:{ports.back_office}{PATH}"},
    }
    return json.dumps(words, indent=2) + "\n"


def kept_institution(folder: Path, made: str) -> Institution:
    """The institution that `ussdapp demo` has just printed (`made`), or the one kept when it
    printed `{}`."""
    path = folder / "institution.json"
    words = json.loads(made)
    if words:
        write_private(path, made)
    elif path.exists():
        words = json.loads(path.read_text())
    return Institution(
        words.get("institution", "ega"), words.get("api_key", ""), words.get("mgov", {})
    )


def is_prepared(folder: Path, embedded: Collection[str]) -> bool:
    """True when the embedded cluster has this schema and its demo data: a start can do without the
    two programs that see to it, a second of its time. A given database is always asked."""
    note = folder / PREPARED
    return "database_url" in embedded and note.exists() and note.read_text() == schema_digest()


def note_prepared(folder: Path, embedded: Collection[str]) -> None:
    """Keep beside the embedded cluster which schema it has got."""
    if "database_url" in embedded:
        write_private(folder / PREPARED, schema_digest())


def schema_digest() -> str:
    """The digest of all migrations."""
    digest = hashlib.sha256()
    for path in sorted(MIGRATIONS.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write_private(path: Path, text: str) -> None:
    """Replace the file whole, readable by its owner alone."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    unfinished.rename(path)


def _new() -> Table:
    tokens = {name: secrets.token_hex(16) for name in ("sandbox", "africastalking")}
    # An SMPP 3.4 password has at most eight characters (section 5.2.2).
    return {
        "smsc_password": secrets.token_hex(4),
        "aggregator_key": secrets.token_hex(32),
        "office_secret": secrets.token_hex(32),
        "tokens": tokens,
    }


def _smpp(made: Table, port: int) -> Table:
    return {
        "kind": "smpp",
        "ussd_style": "tata",
        "host": "127.0.0.1",
        "port": port,
        "system_id": "ega",
        "password": made["smsc_password"],
        "binds": 1,
        "window": 100,
        "tps": 0,
        "routes": ["255"],
        "callbacks": "africastalking",
        "tokens": [made["tokens"]["sandbox"]],
    }


def _aggregator(made: Table, port: int) -> Table:
    return {
        "kind": "africastalking",
        "username": "sandbox-ega",
        "api_key": made["aggregator_key"],
        "base_url": f"http://127.0.0.1:{port}",
        "tokens": [made["tokens"]["africastalking"]],
    }


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: str) -> bool:
    return pid.isdigit() and Path("/proc", pid, "cmdline").exists() and b"ussdapp" in _command(pid)


def _command(pid: str) -> bytes:
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""
