"""Knows how the schema is brought up to date."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from ussdapp.ports import Unavailable

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 152_00  # one process migrates at a time


class MigrationFailed(Exception):
    """Names the migration and PostgreSQL's reason; those before it are done."""


def migrate(database_url: str) -> None:
    """Runs what has not run, each migration in a transaction of its own; safe to call from several
    processes at once. Raises MigrationFailed, Unavailable."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)  # with its connection the lock ends
    try:
        connection = engine.connect()
    except OperationalError as trouble:
        raise Unavailable(f"PostgreSQL: {type(trouble.orig).__name__}") from None
    with connection:
        connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
        # a migration that waits for a lock would make every reader behind it wait too
        connection.execute(text("SET lock_timeout = '2s'"))
        connection.commit()
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except DBAPIError as trouble:
        done = MigrationContext.configure(connection).get_current_revision()
        *_, failed = ScriptDirectory.from_config(config).iterate_revisions("head", done or "base")
        reason = str(trouble.orig).splitlines()[0]
        raise MigrationFailed(
            f"The migration {Path(failed.path).stem} failed: {reason}. "
            "Those before it are done; mend what it names and run `ussdapp migrate` again."
        ) from trouble
