"""Knows how it is told what became of a branch's screens. Of any other branch an institution is
told that there is nothing."""

from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, Response, request

from ussdapp.core.branches import Publisher
from ussdapp.core.funnel import Fact, Period
from ussdapp.core.quiet import eat_day
from ussdapp.web.api.models import at_fault, full_date
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.problems import Problem, json_reply
from ussdapp.web.serving import serving

funnel = Blueprint("funnel", __name__, url_prefix="/api/v1/menus")

MOST_DAYS: Final = 31


@funnel.get("/<branch>/funnel")
@permission(scope("menus:publish"))
@test_keys_too
def of_branch(branch: str) -> Response:
    """What became of each screen of the caller's branch, by day, channel and language. The days
    `from` and `to` (YYYY-MM-DD, EAT) are included; without them it is today."""
    known, parts = holder(), serving()
    owners = parts.gateway.publish_menu.owners
    if not Publisher("", known.institution).owns(branch, owners):
        raise Problem(404, "There is nothing here.")
    period = _period(branch, eat_day(parts.clock()))
    found = parts.gateway.funnel.of(period)
    days = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    return json_reply(200, {"branch": branch, **days, "screens": [members(one) for one in found]})


def members(fact: Fact) -> dict[str, Any]:
    """A fact as the API shows it; `dropped` went no further, `median_s` are seconds before a
    key, null before the first."""
    return {
        "day": fact.day.isoformat(),
        "screen": fact.seen.screen,
        "channel": fact.seen.channel,
        "language": fact.seen.language,
        "entries": fact.entries,
        "exits": fact.exits,
        "dropped": fact.dropped,
        "wrong": fact.wrong,
        "ended": fact.ended,
        "median_s": fact.median_s,
    }


def _period(branch: str, today: date) -> Period:
    last = _day("to", today)
    first = _day("from", last)
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        raise at_fault("from", "range", f"At most {MOST_DAYS} days, the first one first.")
    return Period(first, last, branch)


def _day(name: str, otherwise: date) -> date:
    given = request.args.get(name)
    if given is None:
        return otherwise
    try:
        return full_date(given)
    except ValueError:
        raise at_fault(name, "unreadable", "A day is written like 2026-11-22.") from None
