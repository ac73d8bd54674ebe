"""Knows how the routes are described whose bodies are read by hand: cases and menus."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from ussdapp.web.api import funnel, menus, routes
from ussdapp.web.api.bodies import MOST_TEXT
from ussdapp.web.api.models import Answer, Body, Query, TextField
from ussdapp.web.api.openapi import JSON, Operation, documented

CaseStatusName = Literal["received", "in_progress", "answered", "closed"]
_BRANCH: Final = {"branch": "Your own branch of the menu."}


class CaseReplyBody(Body):
    """What you answer to a citizen."""

    text: Annotated[TextField, StringConstraints(min_length=1, max_length=MOST_TEXT)]
    status: Literal["answered", "closed", "in_progress"] = "answered"


class CaseShown(Answer):
    """A case as it stands."""

    reference: str
    institution: str
    kind: Literal["lalamiko", "pendekezo", "ulizo", "pongezi", "maoni"]
    status: CaseStatusName
    answer: str
    received_at: datetime


class MenuBody(Body):
    """All files of your branch: TOML by name."""

    files: dict[str, str]


class MenuRollbackBody(Body):
    """The version that shall stand again; 0 are the files that came with the gateway."""

    to: int | None = Field(None, ge=0, description="Without it, the one before.")


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

    first: date | None = Field(None, alias="from", description="In Tanzania; by itself, `to`.")
    last: date | None = Field(None, alias="to", description="In Tanzania; by itself, today.")


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
    routes.reply_to_case: Operation(
        "Answer a case",
        bodies={JSON: CaseReplyBody},
        answers={201: CaseShown},
        problems=(409,),
        path={"reference": "The citizen's reference number, 12 digits."},
        example={"text": "Tumeshughulikia ombi lako.", "status": "answered"},
    ),
    menus.publish: Operation(
        "Publish your branch",
        bodies={JSON: MenuBody},
        answers={200: MenuStanding, 201: MenuStanding},
        path=_BRANCH,
        example={"files": {"huduma.toml": "..."}},
    ),
    menus.versions: Operation("List versions", answers={200: MenuVersions}, path=_BRANCH),
    menus.roll_back: Operation(
        "Roll your branch back",
        bodies={JSON: MenuRollbackBody},
        answers={200: MenuStanding},
        problems=(409,),
        path=_BRANCH,
        example={"to": None},
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
