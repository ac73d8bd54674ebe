"""Knows what is logged when a request breaks, and nothing that it carried."""

from pathlib import Path
from types import TracebackType

import structlog
from flask import request

from ussdapp.web.edge import RULE

_log = structlog.get_logger()


def log_failure(trouble: BaseException | None, traceback: TracebackType | None) -> None:
    """Where something broke. Its text and its values are left out: they hold what was sent."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    place = "unknown"
    if traceback is not None:
        code = traceback.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{traceback.tb_lineno}"
    _log.error(
        "request.failed",
        rule=request.environ.get(RULE, "none"),
        kind=type(trouble).__name__,
        place=place,
    )
