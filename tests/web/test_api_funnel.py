"""An institution reads what became of its own screens by HTTP, and nothing of another's."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.versions import Publishing
from tests.fakes.web import NOW
from ussdapp.core.funnel import BUCKETS, Fact, Period, Seen
from ussdapp.core.inbound import KeyHolder
from ussdapp.usecases.publish_menu import PublishMenu
from ussdapp.web import create_app
from ussdapp.web.api.funnel import funnel

SCOPES = {"ega-key": "menus:publish", "poor-key": "cases:reply"}
TODAY = date(2026, 3, 2)
FACT = Fact(
    TODAY, Seen("at", "sw", "ega.huduma.a"), 9, 5, 2, 1, (0, 4, *(0,) * (BUCKETS - 2))
)  # fmt: skip
EGA = "/api/v1/menus/ega/funnel"


@dataclass
class Funnel:
    """What was kept; it notes what it is asked."""

    asked: list[Period] = field(default_factory=list)

    def of(self, period: Period) -> tuple[Fact, ...]:
        self.asked.append(period)
        return (FACT,)


@dataclass
class Gateway:
    """What this route needs of a gateway."""

    funnel: Funnel = field(default_factory=Funnel)
    publish_menu: PublishMenu = field(default_factory=lambda: Publishing().publish)

    def holder(self, key: str, at: datetime) -> KeyHolder | None:
        scopes = frozenset({SCOPES[key]}) if key in SCOPES else frozenset[str]()
        return KeyHolder(1, "ega", True, scopes) if scopes else None


def asked(gateway: Gateway, path: str, key: str = "ega-key") -> TestResponse:
    app = create_app(gateway, lambda: NOW)  # type: ignore[arg-type]
    if funnel.name not in app.blueprints:
        app.register_blueprint(funnel)
    return app.test_client().get(path, headers={"Authorization": f"Bearer {key}"})


def test_an_institution_reads_what_became_of_its_screens() -> None:
    gateway = Gateway()
    answer = asked(gateway, EGA)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "branch": "ega",
        "from": "2026-03-02",
        "to": "2026-03-02",
        "screens": [
            {
                "day": "2026-03-02",
                "screen": "ega.huduma.a",
                "channel": "at",
                "language": "sw",
                "entries": 9,
                "exits": 5,
                "dropped": 3,
                "wrong": 2,
                "ended": 1,
                "median_s": 1.4,
            }
        ],
    }
    assert gateway.funnel.asked == [Period(TODAY, TODAY, "ega")]


def test_days_are_chosen_and_included() -> None:
    gateway = Gateway()
    assert asked(gateway, f"{EGA}?from=2026-02-01&to=2026-02-28").status_code == 200
    assert gateway.funnel.asked == [Period(date(2026, 2, 1), date(2026, 2, 28), "ega")]


@pytest.mark.parametrize("path", ["/api/v1/menus/main/funnel", "/api/v1/menus/gepg/funnel"])
def test_of_another_branch_there_is_nothing(path: str) -> None:
    gateway = Gateway()
    assert asked(gateway, path).status_code == 404
    assert gateway.funnel.asked == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-03-03&to=2026-03-02", "from"),
        ("from=2026-01-01&to=2026-02-28", "from"),
    ],
    ids=["no day", "no such day", "the last one first", "too many days"],
)
def test_days_that_cannot_be_taken_are_named(query: str, names: str) -> None:
    answer = asked(Gateway(), f"{EGA}?{query}")
    document: Any = answer.get_json(force=True)
    assert answer.status_code == 422
    assert [error["field"] for error in document["errors"]] == [names]


@pytest.mark.parametrize(("key", "status"), [("poor-key", 403), ("no-key", 401)])
def test_a_key_without_the_scope_reads_nothing(key: str, status: int) -> None:
    assert asked(Gateway(), EGA, key).status_code == status
