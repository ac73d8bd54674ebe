"""PostgreSQL as it may be: frozen, killed, and back."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.conftest import running
from tests.fakes.clusters import Clusters
from tests.fakes.patience import PATIENCE
from ussdapp.ports import Unavailable
from ussdapp.sandbox import embedded
from ussdapp.stores.database import Database, first


def one(database: Database) -> object:
    return database.run(lambda connection: first(connection, "SELECT 1"))


def family(folder: Path) -> list[int]:
    """The postmaster and its children."""
    (note,) = folder.rglob("postmaster.pid")
    postmaster = int(note.read_text().split()[0])
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True, check=True
    )
    return [postmaster, *map(int, found.stdout.split())]


@pytest.mark.real
def test_a_frozen_server_costs_a_bounded_wait_and_is_used_again_once_it_thaws(
    tmp_path: Path, clusters: Clusters
) -> None:
    clusters.lend(tmp_path / "pg")
    with running(embedded.postgres(tmp_path / "pg", os.environ), tmp_path) as url:
        database = Database(url, answers_within=1.0)
        assert one(database) == (1,)
        frozen = family(tmp_path)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        answers: list[type] = []

        def ask() -> None:
            try:
                one(database)
            except Unavailable:
                answers.append(Unavailable)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(PATIENCE)
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        assert answers == [Unavailable]
        for _ in range(50):
            try:
                assert one(database) == (1,)
                break
            except Unavailable:
                time.sleep(0.1)
        else:
            pytest.fail("the database was not used again")
        database.close()
    clusters.take_back(tmp_path / "pg")


def test_a_connection_that_was_killed_is_not_noticed(database_url: str) -> None:
    database = Database(database_url)
    assert one(database) == (1,)
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert one(database) == (1,)
    database.close()
