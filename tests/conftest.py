"""The suite's stores: real PostgreSQL and Valkey, started once a session and only when a test asks
for them.

A test that takes `database_url` or `redis_url` is marked `real`. DATABASE_URL and REDIS_URL replace
the embedded servers. HYPOTHESIS=thorough draws as many examples as Hypothesis would (`make storm`).
"""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import structlog
from hypothesis import settings
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url
from xdist.scheduler import LoadFileScheduling

from tests.fakes.bulks import Office
from tests.fakes.clusters import Clusters
from tests.fakes.patience import PATIENCE
from tests.stores.world import World
from ussdapp.sandbox import embedded
from ussdapp.sandbox.children import Child, end
from ussdapp.stores.database import Database
from ussdapp.stores.migrate import migrate

REAL_FIXTURES = {"database_url", "redis_url", "empty_database_url"}
WHOLE = ("tests/e2e/", "tests/sandbox/test_supervisor.py")  # start whole gateways
UNHURRIED = ("fsync=off", "full_page_writes=off")  # a test's cluster outlives no power cut


settings.register_profile("ordinary", max_examples=40, deadline=None)
settings.register_profile("thorough", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS", "ordinary"))


class ByFile(LoadFileScheduling):
    """Each file's tests to one worker; those of whole gateways to the same one: the stories share
    a gateway, and two started side by side would take each other's ports."""

    def _split_scope(self, nodeid: str) -> str:
        return WHOLE[0] if nodeid.startswith(WHOLE) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if REAL_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command changes how its process logs; here it shares one with every other test."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def stores_folder() -> Iterator[Path]:
    """A private folder for the session's servers, of a name short enough for unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="ussdapp-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Clusters:
    """Clusters that servers of single tests have left."""
    return Clusters(tmp_path_factory.mktemp("clusters"))


@pytest.fixture(scope="session")
def postgres_url(stores_folder: Path) -> Iterator[str]:
    """A PostgreSQL in which databases may be made; no schema."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with running(
        embedded.postgres(stores_folder / "postgres", os.environ, UNHURRIED), stores_folder
    ) as url:
        yield url


@pytest.fixture(scope="session")
def valkey_url(stores_folder: Path) -> Iterator[str]:
    """A Valkey; with REDIS_URL its database 15, which has to be empty at first since the tests wipe
    it."""
    if given := os.environ.get("REDIS_URL"):
        url = f"{given.partition('?')[0]}?db=15"
        with redis.Redis.from_url(url) as client:
            if client.dbsize():
                pytest.fail("Database 15 of REDIS_URL holds keys, and the tests would wipe them.")
        yield url
        return
    with running(embedded.valkey(stores_folder / "valkey", os.environ), stores_folder) as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """The name of a database that holds the schema and nothing else."""
    with database_made(postgres_url, "template0") as name:
        migrate(with_database(postgres_url, name))
        yield name


@pytest.fixture(scope="session")
def emptied_database(postgres_url: str, template_database: str) -> Iterator[str]:
    """One database for all tests that want the schema: to make and drop one for each would wait
    for a checkpoint twice, half a second a test."""
    with database_made(postgres_url, template_database) as name:
        yield with_database(postgres_url, name)


class Emptier:
    """Empties one database, over one connection for as long as it lives: so it plans each
    statement once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link: psycopg.Connection | None = None

    def __call__(self) -> None:
        try:
            self._empty()
        except psycopg.OperationalError:  # a test ended every connection
            self._link = None
            self._empty()

    def _empty(self) -> None:
        link = self._connected()
        link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        tables = link.execute(
            "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
        ).fetchall()
        # a DELETE of few rows takes milliseconds, a TRUNCATE of thirty tables a fifth of a second
        with link.pipeline():
            for (name,) in tables:
                link.execute(SQL(f"DELETE FROM {name}"))
            link.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")

    def _connected(self) -> psycopg.Connection:
        if self._link is None or self._link.closed:
            self._link = psycopg.connect(self._url, autocommit=True, prepare_threshold=0)
            # the audit table refuses to be emptied by anybody who heeds its trigger
            self._link.execute("SET session_replication_role = replica")
        return self._link


@pytest.fixture(scope="session")
def emptier(emptied_database: str) -> Emptier:
    """What empties the database of all tests."""
    return Emptier(emptied_database)


@pytest.fixture
def database_url(emptied_database: str, emptier: Emptier) -> str:
    """A database with the schema and nothing in it."""
    emptier()
    return emptied_database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as made:
        yield made


@pytest.fixture
def world(database: Database, database_url: str) -> Iterator[World]:
    made = World(database, database_url)
    yield made
    made.leases.release()


@pytest.fixture
def office(database: Database, database_url: str) -> Iterator[Office]:
    with closing(Office(database, database_url)) as made:
        yield made


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database of this test's own, without the schema."""
    with database_made(postgres_url, "template0") as name:
        yield with_database(postgres_url, name)


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """A Valkey that holds nothing."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushdb()
    return valkey_url


@contextmanager
def running(store: embedded.Store, folder: Path) -> Iterator[str]:
    """Run one embedded server, and fail with its log when it does not answer."""
    log = folder / f"{store.program.name}.log"
    with log.open("wb") as output:
        child = Child(store.program, output.fileno())
        child.start_if_due(time.monotonic())
        try:
            await_answer(store, child, log)
            yield store.url
        finally:
            end([child], 5.0)


def await_answer(store: embedded.Store, child: Child, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while child.pid is None or not store.answers(child.pid):
        if child.buried(time.monotonic()) is not None or time.monotonic() > deadline:
            pytest.fail(f"{store.program.name} does not answer: {log.read_text()}")
        time.sleep(0.01)


@contextmanager
def database_made(server: str, template: str) -> Iterator[str]:
    """Make a database of a name of its own, and drop it in the end whoever is still connected."""
    name = f"ussdapp_test_{secrets.token_hex(6)}"
    make = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
        Identifier(name), Identifier(template)
    )
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(make)
    try:
        yield name
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def with_database(server: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)
