"""Knows how the schema is brought up to date."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 152_00  # one process migrates at a time


def migrate(database_url: str) -> None:
    """Runs what has not run; safe to call from several processes at once."""
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        # a migration that waits for a lock would make every reader behind it wait too
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
