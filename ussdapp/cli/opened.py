"""Knows how a command reaches the settings and the database; every trouble is one sentence."""

import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import structlog

from ussdapp.cli.said import Refusal
from ussdapp.ports import Unavailable
from ussdapp.settings import Settings, SettingsRefused, read_settings
from ussdapp.stores.database import Database
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.keys import PgKeys
from ussdapp.stores.menu_files import MenuRefused, read_owners
from ussdapp.stores.menu_trees import MenuProof
from ussdapp.stores.menu_versions import PgMenuVersions
from ussdapp.stores.registers import PgRegisters
from ussdapp.stores.seal import Seal
from ussdapp.usecases.publish_menu import PublishMenu

MENUS: Final = Path(__file__).parents[2] / "menus"


@dataclass(frozen=True, slots=True)
class Opened:
    """What commands use. Nothing is connected before its first use."""

    settings: Settings
    database: Database
    institutions: PgInstitutions
    keys: PgKeys
    registers: PgRegisters
    publish_menu: PublishMenu


def settings_given(environ: Mapping[str, str]) -> Settings:
    """The settings of USSDAPP_SETTINGS, or those that `make run` wrote in its home. Raises
    Refusal."""
    home = Path(environ.get("USSDAPP_HOME") or ".run", "settings.toml")
    path = environ.get("USSDAPP_SETTINGS") or (str(home) if home.exists() else "")
    try:
        return read_settings({**environ, "USSDAPP_SETTINGS": path})
    except SettingsRefused as refusal:
        if path:
            raise Refusal(str(refusal)) from refusal
        raise Refusal(
            f"There are no settings: USSDAPP_SETTINGS names no file, and {home}, "
            "which `make run` writes, is not there."
        ) from refusal


@contextmanager
def opened() -> Iterator[Opened]:
    """What commands use, given back in the end; what a store does not do is a Refusal."""
    # what a command prints may be read by a program: warnings go elsewhere
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # the pool tells of each of its tries; one sentence in the end is enough
    logging.basicConfig(handlers=[logging.NullHandler()])
    settings = settings_given(os.environ)
    database = Database(settings.database_url)
    try:
        yield _joined(settings, database)
    except (Unavailable, psycopg.OperationalError, psycopg.InterfaceError) as trouble:
        raise Refusal("The database does not answer; nothing is known to have been kept.") from (
            trouble
        )
    except psycopg.errors.UndefinedTable as trouble:
        raise Refusal("The database lacks a table: run `ussdapp migrate` first.") from trouble
    except MenuRefused as refused:
        raise Refusal("\n".join(refused.sentences)) from refused
    finally:
        database.close()


def _joined(settings: Settings, database: Database) -> Opened:
    institutions = PgInstitutions(database)
    values = {"namba_fupi": settings.short_code}
    return Opened(
        settings=settings,
        database=database,
        institutions=institutions,
        keys=PgKeys(database, Seal(settings.seal_key, settings.index_key), time.monotonic),
        registers=PgRegisters(database),
        publish_menu=PublishMenu(
            versions=PgMenuVersions(database),
            institutions=institutions,
            proof=MenuProof(MENUS, settings.screen_budget, values),
            owners=read_owners(MENUS),
        ),
    )
