"""What the supervisor is to run: read from the command line, the environment and the settings."""

import argparse
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ussdapp.sandbox import sweep
from ussdapp.sandbox.children import Program
from ussdapp.sandbox.embedded import CannotStart
from ussdapp.sandbox.home import Home, Ports, made_secrets
from ussdapp.sandbox.toml import Table

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for; `bare` runs the Procfile on the stores, without database,
    demo or operators."""

    procfile: Path
    ready_path: str
    bare: bool
    with_parent: bool


def given_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """The file that USSDAPP_SETTINGS names, or nothing; CannotStart when it cannot be read."""
    path = environ.get("USSDAPP_SETTINGS")
    try:
        return tomllib.loads(Path(path).read_text()) if path else {}
    except (OSError, ValueError) as error:
        raise CannotStart(f"The settings in {path} cannot be read: {error}.") from error


def child_environ(environ: Mapping[str, str], home: Home, port: int, mark: str) -> dict[str, str]:
    """The environment of every child: ours, this interpreter's commands first, and what the
    Procfile's lines name."""
    commands = Path(sys.executable).parent
    return {
        **environ,
        "PATH": f"{commands}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "USSDAPP_HOME": str(home.folder),
        "USSDAPP_SETTINGS": str(home.settings),
        "WEB_APP": "ussdapp.sandbox.site:app",
        sweep.MARK: mark,
    }


def operators(
    home: Home, ports: Ports, settings: Table, environ: Mapping[str, str]
) -> list[Program]:
    """The simulated SMSC and the simulated aggregator; they expect the credentials of the merged
    settings."""
    smpp, http = (settings["channels"][name] for name in ("sandbox", "africastalking"))
    callback = f"http://127.0.0.1:{ports.web}/in/africastalking/{http['tokens'][0]}/receipt"
    smsc = {
        "port": ports.smsc,
        "control-port": ports.smsc_control,
        "ledger": home.smsc_ledger,
        "system-id": smpp.get("system_id", ""),
    }
    aggregator = {"port": ports.aggregator, "ledger": home.aggregator_ledger}
    office = {"port": ports.back_office, "journal": home.folder / "back_office.jsonl"}
    # a command line is everybody's to read
    secrets = {
        "SMSC_PASSWORD": str(smpp.get("password", "")),
        "AGGREGATOR_CALLBACK": callback,
        "AGGREGATOR_API_KEY": str(http.get("api_key", "")),
        "BACK_OFFICE_SECRET": made_secrets(home.folder)["office_secret"],
    }
    return [
        python(name, ["-m", f"ussdapp.sandbox.{name}", *flags(given)], {**environ, **secrets})
        for name, given in (("smsc", smsc), ("aggregator", aggregator), ("back_office", office))
    ]


def flags(named: Mapping[str, object]) -> list[str]:
    """The words of a command line."""
    return [f"--{name}={value}" for name, value in named.items()]


def python(name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Program:
    """A program of this interpreter, in the root of the project."""
    return Program(name, [sys.executable, *arguments], environ, ROOT)


def wishes(arguments: Sequence[str]) -> Wishes:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="python -m ussdapp.sandbox.run", description=__doc__)
    parser.add_argument("--procfile", type=Path, default=ROOT / "Procfile")
    parser.add_argument(
        "--ready-path",
        default="/readyz",
        help="a path of the web server that answers 200 when ready",
    )
    parser.add_argument("--bare", action="store_true", help="only the stores and the Procfile")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process that started this one ends"
    )
    return Wishes(**vars(parser.parse_args(arguments)))
