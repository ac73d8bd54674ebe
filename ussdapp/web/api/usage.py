"""Knows how an institution sees what it used and what that cost."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from flask import Blueprint, Response
from pydantic import Field

from ussdapp.core.quiet import eat_day
from ussdapp.core.usage import Used
from ussdapp.web.api.models import (
    Answer,
    ClassName,
    DayField,
    Query,
    answered,
    at_fault,
    read_query,
)
from ussdapp.web.api.openapi import QuotaShown
from ussdapp.web.api.operations import Operation, documented
from ussdapp.web.permissions import holder, permission, scope, test_keys_too
from ussdapp.web.quotas import quota_members
from ussdapp.web.serving import serving

usage = Blueprint("usage", __name__, url_prefix="/api/v1/usage")

MOST_DAYS: Final = 93
StatusName = Literal[
    "queued", "submitted", "delivered", "undelivered", "rejected", "expired", "stopped", "in_doubt"
]


class UsageQuery(Query):
    """Which days; both are included."""

    first: DayField | None = Field(None, alias="from", description="In Tanzania; by itself, `to`.")
    last: DayField | None = Field(None, alias="to", description="In Tanzania; by itself, today.")


class UsageSum(Answer):
    """So many notifications of so many parts, of which operators took, or may have, `taken`;
    `cost_tzs` is what those cost, null where a channel had no price."""

    notifications: int
    parts: int
    taken: int
    cost_tzs: float | None


class UsageFact(UsageSum):
    """What was accepted on that day and stands so now: what is being submitted is `queued`."""

    day: date
    klass: ClassName = Field(alias="class")
    channel: str
    status: StatusName


class UsageShown(Answer):
    """What you used. What test keys sent, and what went to simulated MSISDNs, is in `simulated`
    alone. The last ten days are counted anew, at least every hour, as receipts come in."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    counted_at: datetime | None
    facts: list[UsageFact]
    total: UsageSum
    simulated: list[UsageFact]
    quotas: list[QuotaShown]


@usage.get("")
@permission(scope("usage:read"))
@test_keys_too
@documented(Operation("See usage and cost", query=UsageQuery, answers={200: UsageShown}))
def used() -> Response:
    """What you used, by the day of its acceptance in Tanzania, its class, its channel and where it
    stands, with your quotas as they are now. A test key sees what was simulated."""
    by, parts = holder(), serving()
    today = eat_day(parts.clock())
    first, last = _days(read_query(UsageQuery), today)
    found = parts.gateway.usage.kept.of(by.institution, first, last, tried=not by.live)
    real = [one for one in found.used if not one.simulated]
    quotas = parts.gateway.usage.quotas.of(by.institution, today, live=by.live)
    answer = UsageShown(
        **{"from": first, "to": last},
        counted_at=found.counted_at.astimezone(UTC) if found.counted_at else None,
        facts=[_fact(one) for one in real],
        total=UsageSum(**_sums(real)),
        simulated=[_fact(one) for one in found.used if one.simulated],
        quotas=[QuotaShown.model_validate(quota_members(one)) for one in quotas],
    )
    return answered(200, answer)


def _days(asked: UsageQuery, today: date) -> tuple[date, date]:
    last = asked.last or today
    first = asked.first or last
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        sentence = f"At most {MOST_DAYS} days, the first one first."
        raise at_fault("from", "range", sentence)
    return first, last


def _fact(one: Used) -> UsageFact:
    named: dict[str, Any] = {
        "day": one.day,
        "class": one.klass.value,
        "channel": one.channel,
        "status": one.status.value,
    }
    return UsageFact(**named, **_sums([one]))


def _sums(some: Iterable[Used]) -> dict[str, Any]:
    some = list(some)
    costs = [one.cost for one in some if one.cost is not None]
    return {
        "notifications": sum(one.notifications for one in some),
        "parts": sum(one.parts for one in some),
        "taken": sum(one.taken for one in some),
        "cost_tzs": float(sum(costs)) if len(costs) == len(some) else None,
    }
