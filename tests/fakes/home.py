"""A home such as `make run` leaves, and the command line as a person calls it there."""

from pathlib import Path

from click.testing import CliRunner, Result

from ussdapp.cli import main
from ussdapp.sandbox.toml import toml_text


def smpp(port: int, **more: object) -> dict[str, object]:
    """The settings of a channel to an SMSC on this machine."""
    login = {"host": "127.0.0.1", "port": port, "system_id": "ega", "password": "secret"}
    return {"kind": "smpp", **login, **more}


def written_home(folder: Path, database_url: str, **channels: dict[str, object]) -> Path:
    """The folder, with settings of those channels, or of one that nobody binds."""
    (folder / "settings.toml").write_text(toml_text({
        "database_url": database_url,
        "redis_url": "redis://127.0.0.1:1/0",
        "seal_key": bytes(range(32)).hex(),
        "index_key": bytes(range(32, 64)).hex(),
        "channels": channels or {"sandbox": {"kind": "smpp"}},
    }))  # fmt: skip
    return folder


def run(
    home: Path | None, *words: str | Path, keys: str = "", more: dict[str, str] | None = None
) -> Result:
    """One command, with nothing exported but perhaps a home and `more`; `keys` are typed."""
    environ = {"USSDAPP_SETTINGS": None, "DATABASE_URL": None, "REDIS_URL": None,
               "USSDAPP_HOME": str(home) if home else None, **(more or {})}  # fmt: skip
    return CliRunner().invoke(main, [str(word) for word in words], keys, environ)
