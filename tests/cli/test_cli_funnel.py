"""`ussdapp menus funnel` tells what became of each screen."""

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.fakes.home import run, written_home
from ussdapp.cli import main
from ussdapp.core.funnel import BUCKETS, Drain, Fact, Seen
from ussdapp.stores.database import Database
from ussdapp.stores.funnel import PgFunnel

DAY = date(2026, 11, 22)
FACTS = (
    Fact(DAY, Seen("at", "sw", "main.mwanzo"), 9, 5, 2, 1, (0, 4, *(0,) * (BUCKETS - 2))),
    Fact(DAY, Seen("beem", "en", "gepg.bili.mwanzo"), 1),
    Fact(date(2026, 11, 21), Seen("at", "sw", "main.mwanzo"), 1),
)
Told = Callable[..., Result]


@pytest.fixture
def told(database: Database, home: Path) -> Told:
    PgFunnel(database).add(Drain("x", DAY, FACTS), datetime.now().astimezone())
    return lambda *words: run(home, "menus", "funnel", *words)


def test_a_day_is_a_table_with_a_line_a_screen(told: Told) -> None:
    done = told("--to", "2026-11-22")
    assert done.exit_code == 0
    assert [line.split() for line in done.output.splitlines()] == [
        ["day", "screen", "channel", "language", "entries", "exits", "dropped", "wrong", "ended",
         "median_s"],
        ["2026-11-22", "gepg.bili.mwanzo", "beem", "en", "1", "0", "1", "0", "0", "-"],
        ["2026-11-22", "main.mwanzo", "at", "sw", "9", "5", "3", "2", "1", "1.4"],
    ]  # fmt: skip


def test_a_branch_over_some_days_as_json(told: Told) -> None:
    done = told("main", "--from", "2026-11-01", "--to", "2026-11-22", "--json")
    assert [(row["day"], row["screen"], row["dropped"]) for row in json.loads(done.output)] == [
        ("2026-11-21", "main.mwanzo", 1),
        ("2026-11-22", "main.mwanzo", 3),
    ]


def test_days_without_counts_are_an_empty_list(told: Told) -> None:
    assert json.loads(told("--to", "2020-01-01", "--json").output) == []


def test_days_without_counts_are_said_to_be_empty(told: Told) -> None:
    assert (
        told("--to", "2020-01-01").output == "Nothing was counted from 2020-01-01 to 2020-01-01.\n"
    )
    done = told("GEPG", "--from", "2020-01-01", "--to", "2020-01-02")
    assert (done.exit_code, done.output) == (
        0, "Nothing was counted from 2020-01-01 to 2020-01-02 in gepg.\n"
    )  # fmt: skip


def test_a_first_day_after_the_last_is_refused(told: Told) -> None:
    done = told("--from", "2026-11-23", "--to", "2026-11-22")
    assert (done.exit_code, done.output) == (1, "Error: --from is after --to\n")


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    home = written_home(tmp_path, "postgresql://127.0.0.1:1/x")
    done = run(home, "menus", "funnel")
    assert done.exit_code == 1
    assert done.output.startswith("Error: The database does not answer")


def test_the_command_is_listed_with_the_others() -> None:
    assert "funnel" in CliRunner().invoke(main, ["menus", "--help"]).output
