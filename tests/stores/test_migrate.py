"""The schema brought up to date: a migration at a time, by one process at a time."""

import threading
from pathlib import Path

import psycopg
import pytest

from tests.fakes.patience import until
from ussdapp.stores import migrate as migrating
from ussdapp.stores.migrate import MigrationFailed, migrate

NEWEST = max(
    path.stem[:4]
    for path in Path(migrating.__file__).with_name("migrations").glob("versions/[0-9]*.py")
)


def version(link: psycopg.Connection) -> str:
    ((number,),) = link.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(number)


def test_a_migration_that_fails_is_named_and_leaves_those_before_it_done(
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as link:
        link.execute("CREATE TABLE funnel_drains ()")  # as 0005 does, second
        with pytest.raises(MigrationFailed, match=r"0005_funnel .*funnel_drains.* already exists"):
            migrate(empty_database_url)
        assert version(link) == "0004"
        assert link.execute("SELECT to_regclass('funnel_facts')").fetchone() == (None,)
        link.execute("DROP TABLE funnel_drains")
        migrate(empty_database_url)
        assert version(link) == NEWEST


def test_a_migration_that_cannot_have_its_lock_gives_up_and_is_named(
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as link:
        link.execute("CREATE TABLE networks ()")
        with pytest.raises(MigrationFailed, match="0007_routes"):
            migrate(empty_database_url)
        link.execute("DROP TABLE networks")
        with link.transaction():
            link.execute("LOCK TABLE leases")
            with pytest.raises(MigrationFailed, match=r"0007_routes .*lock timeout"):
                migrate(empty_database_url)
        assert version(link) == "0006"


def test_a_process_waits_while_another_migrates(empty_database_url: str) -> None:
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with psycopg.connect(empty_database_url, autocommit=True) as link:
        link.execute("SELECT pg_advisory_lock(15200)")
        others = [threading.Thread(target=migrate, args=(empty_database_url,)) for _ in range(2)]
        for other in others:
            other.start()
        until(lambda: link.execute(waiting).fetchone() == (2,))
        assert link.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)
        link.execute("SELECT pg_advisory_unlock(15200)")
        for other in others:
            other.join()
        assert version(link) == NEWEST
