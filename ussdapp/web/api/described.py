"""Knows how the routes are described whose bodies are read by hand: menus and their funnel."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, Literal

from pydantic import Field

from ussdapp.core.branches import FILE, MOST_FILES
from ussdapp.web.api import funnel, menus
from ussdapp.web.api.models import Answer, Body, DayField, Query
from ussdapp.web.api.operations import JSON, Operation, documented

_BRANCH: Final = {"branch": "Your own branch of the menu."}


_SCREEN: Final = """\
[mwanzo]
kind = "end"
sw = "Huduma hii inaandaliwa. Tafadhali jaribu tena kesho."
en = "This service is being prepared. Please try again tomorrow."
"""


class MenuBody(Body):
    """All files of your branch: TOML by name."""

    files: dict[str, str] = Field(
        min_length=1,
        max_length=MOST_FILES,
        json_schema_extra={"propertyNames": {"pattern": f"^{FILE.pattern}$"}},
    )


class MenuRollbackBody(Body):
    """The version that shall stand again; 0 are the files that came with the gateway."""

    to: int | None = Field(None, ge=0, lt=2**63, description="Without it, the one before.")


class MenuStanding(Answer):
    """The version that stands; none where a test key only proved it."""

    branch: str
    version: int | None
    published_at: datetime | None


class MenuVersionShown(MenuStanding):
    """A version that was published."""

    published_by: str
    current: bool


class MenuVersions(Answer):
    """What was published, the newest first."""

    branch: str
    versions: list[MenuVersionShown]


class FunnelQuery(Query):
    """Which days; both are included."""

    first: DayField | None = Field(None, alias="from", description="In Tanzania; by itself, `to`.")
    last: DayField | None = Field(None, alias="to", description="In Tanzania; by itself, today.")


class ScreenFacts(Answer):
    """What became of one screen on one day."""

    day: date
    screen: str
    channel: str
    language: Literal["sw", "en"]
    entries: int
    exits: int
    dropped: int
    wrong: int
    ended: int
    median_s: float | None


class FunnelShown(Answer):
    """What became of each screen."""

    branch: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    screens: list[ScreenFacts]


_OPERATIONS: Final[Mapping[Callable[..., Any], Operation]] = {
    menus.publish: Operation(
        "Publish your branch",
        bodies={JSON: MenuBody},
        answers={200: MenuStanding, 201: MenuStanding},
        path=_BRANCH,
        example={"files": {"ombi.toml": _SCREEN}},
    ),
    menus.versions: Operation("List versions", answers={200: MenuVersions}, path=_BRANCH),
    menus.roll_back: Operation(
        "Roll your branch back",
        bodies={JSON: MenuRollbackBody},
        bodiless=True,
        answers={200: MenuStanding},
        problems=(409,),
        path=_BRANCH,
        example={"to": 0},
    ),
    funnel.of_branch: Operation(
        "See what became of your screens",
        query=FunnelQuery,
        answers={200: FunnelShown},
        path=_BRANCH,
    ),
}


def describe() -> None:
    """Says of those routes what they take and answer."""
    for view, operation in _OPERATIONS.items():
        documented(operation)(view)
