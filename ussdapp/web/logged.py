"""Knows what is logged of a request: its rule, status and milliseconds, and nothing it carried."""

import time
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog
from flask import Flask, Response, g, request

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger()


def log_requests(app: Flask) -> None:
    """One event a request, after it is answered."""
    app.before_request(_begin)
    app.after_request(_answered)


def log_failure(trouble: BaseException | None, traceback: TracebackType | None) -> None:
    """Where something broke. Its text and its values are left out: they hold what was sent."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    place = "unknown"
    if traceback is not None:
        code = traceback.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{traceback.tb_lineno}"
    _log.error("request.failed", rule=_rule(), kind=type(trouble).__name__, place=place)


def _begin() -> None:
    g.began = time.perf_counter()


def _answered(response: Response) -> Response:
    _log.info(
        "request.answered",
        rule=_rule(),
        method=request.method if request.method in _METHODS else "other",
        status=response.status_code,
        ms=round((time.perf_counter() - g.began) * 1000, 2),
    )
    return response


def _rule() -> str:
    """The rule and never the path, which may hold a token or a reference number."""
    return request.url_rule.rule if request.url_rule else "none"
