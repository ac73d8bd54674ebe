"""Knows how a request that is over its institution's quota is refused: 429, and until when."""

import math
from typing import Any

from flask import Flask, Response

from ussdapp.core.quota import OverQuota, Quota
from ussdapp.web.problems import FieldError, Problem, problem_reply
from ussdapp.web.serving import serving


def over_quota(over: OverQuota) -> Problem:
    """The problem, with the seconds until the quota begins anew."""
    quota = over.quota
    pause = max(1, math.ceil((quota.begins - serving().clock()).total_seconds()))
    errors = [FieldError("quota", quota.code, str(quota))]
    headers = {"Retry-After": str(pause)}
    return Problem(429, str(quota), errors, headers, {"quota": quota_members(quota)})


def quota_members(quota: Quota) -> dict[str, Any]:
    """A quota as the API shows it."""
    return {
        "period": quota.period.value,
        "limit": quota.limit,
        "left": quota.left,
        "begins": quota.begins.isoformat().replace("+00:00", "Z"),
    }


def answer_quotas(app: Flask) -> None:
    """Makes the app answer what is over a quota with its problem document."""

    def answer(over: OverQuota) -> Response:
        return problem_reply(over_quota(over))

    app.register_error_handler(OverQuota, answer)
