"""Of several reconcilers one works; when it dies or freezes, another does."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.fakes.patience import until
from ussdapp.stores.election import Election

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from tests.fakes.served import settings
from ussdapp.bootstrap import build_gateway
from workers.beat import serve
serve(build_gateway(settings(*sys.argv[1:])))
"""
# notes each round it has won: pid and time
ROUNDS = """
import os, sys, time, psycopg
from ussdapp.ports import Unavailable
from ussdapp.stores.election import Election
election = Election(sys.argv[1], float(sys.argv[2]))
notes = psycopg.connect(sys.argv[1], autocommit=True)
while True:
    if election.is_won():
        notes.execute("INSERT INTO rounds (pid) VALUES (%s)", (os.getpid(),))
    time.sleep(0.02)
"""
_HOLDERS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"


@pytest.fixture
def link(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as made:
        made.execute("CREATE TABLE rounds (id serial PRIMARY KEY, pid integer NOT NULL)")
        yield made
        made.execute("DROP TABLE rounds")


def begun(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def who(link: psycopg.Connection) -> list[int]:
    return [row[0] for row in link.execute("SELECT pid FROM rounds ORDER BY id").fetchall()]


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "freezes"])
def test_one_works_and_when_it_does_not_the_other_does(
    link: psycopg.Connection, database_url: str, death: signal.Signals
) -> None:
    both = [begun(ROUNDS, database_url, "0.5") for _ in range(2)]
    try:
        until(lambda: len(who(link)) > 20)
        first = who(link)
        assert len(set(first)) == 1, "one alone works"
        os.kill(first[0], death)
        (other,) = {one.pid for one in both} - {first[0]}
        until(lambda: who(link)[-20:] == [other] * 20)
        told = who(link)
        assert told == sorted(told, key=[first[0], other].index), "never both in turn"
    finally:
        for one in both:
            ended(one)


def test_who_was_frozen_stands_by_when_it_goes_on(
    link: psycopg.Connection, database_url: str
) -> None:
    both = [begun(ROUNDS, database_url, "0.5") for _ in range(2)]
    try:
        until(lambda: len(who(link)) > 20)
        first = who(link)[0]
        (other,) = {one.pid for one in both} - {first}
        os.kill(first, signal.SIGSTOP)
        until(lambda: who(link)[-1] == other)
        os.kill(first, signal.SIGCONT)
        begins = len(who(link))
        until(lambda: len(who(link)) > begins + 40)
        # it may end the round in which it froze, and begins no other
        assert who(link)[begins:].count(first) <= 1
    finally:
        for one in both:
            ended(one)


def test_a_lost_session_is_noticed_and_the_election_held_again(
    link: psycopg.Connection, database_url: str
) -> None:
    one, other = Election(database_url), Election(database_url)
    assert (one.is_won(), other.is_won()) == (True, False)
    holders = link.execute(_HOLDERS).fetchall()
    for (pid,) in holders:
        link.execute("SELECT pg_terminate_backend(%s)", (pid,))
    until(lambda: not link.execute(_HOLDERS).fetchall())
    assert other.is_won()
    assert not one.is_won()
    other.resign()
    until(one.is_won)
    one.resign()


def test_a_reconciler_that_is_killed_is_replaced_by_the_one_beside_it(
    database_url: str, redis_url: str
) -> None:
    first = begun(SERVE, database_url, redis_url)
    assert first.stdout
    until(lambda: "reconciler.elected" in first.stdout.readline())
    other = begun(SERVE, database_url, redis_url)
    assert other.stdout
    try:
        first.kill()
        until(lambda: "reconciler.elected" in other.stdout.readline())
    finally:
        ended(first)
        ended(other)
