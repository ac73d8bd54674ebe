"""Holidays on the command line: listed, added and removed as they are announced."""

import json
from pathlib import Path

from tests.fakes.home import run


def listed(home: Path) -> dict[str, str]:
    done = run(home, "holidays", "list", "2026", "--json")
    return {one["day"]: one["name"] for one in json.loads(done.output)}


def test_a_day_that_is_announced_moves_a_holiday(home: Path) -> None:
    before = listed(home)
    assert before["2026-12-09"] == "Uhuru na Jamhuri"
    for words in (("add", "2026-05-27", "Eid El Hajj"), ("remove", "2026-05-28")):
        assert run(home, "holidays", *words).exit_code == 0
    after = listed(home)
    assert before.keys() - after.keys() == {"2026-05-28"}
    assert {day: after[day] for day in after.keys() - before.keys()} == {
        "2026-05-27": "Eid El Hajj"
    }


def test_what_is_no_day_is_refused(home: Path) -> None:
    assert run(home, "holidays", "add", "2026-13-01", "Sikukuu").exit_code == 2
