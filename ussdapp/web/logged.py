"""Knows what is logged when a request breaks, and nothing that it carried."""

from pathlib import Path
from types import TracebackType

import structlog

_log = structlog.get_logger()


def log_failure(trouble: BaseException | None, traceback: TracebackType | None, rule: str) -> None:
    """Where something broke. Its text and its values are left out: they hold what was sent."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    place = "unknown"
    if traceback is not None:
        code = traceback.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{traceback.tb_lineno}"
    _log.error("request.failed", rule=rule, kind=type(trouble).__name__, place=place)
