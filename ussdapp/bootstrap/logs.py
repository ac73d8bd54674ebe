"""How every process logs: one JSON object a line on standard output, with nobody's number in it."""

import logging
import re
import sys
import traceback
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

# A net under the rule that no MSISDN is ever given to a log: nine digits after a mobile prefix.
_MSISDN: Final = re.compile(r"(?:\+?255|\b0)[67]\d{8}")


def start_logging() -> None:
    """Sends structlog's events and every library's records the same way."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _where_it_broke,
    ]
    rendered: list[Any] = [structlog.processors.JSONRenderer(ensure_ascii=False), _masked]
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _first_line],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _where_it_broke(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An exception as its type and lines of code: its words may quote what a citizen wrote."""
    trouble = event.pop("exc_info", None)
    if trouble is True:
        trouble = sys.exc_info()
    if isinstance(trouble, BaseException):
        trouble = (type(trouble), trouble, trouble.__traceback__)
    if isinstance(trouble, tuple) and trouble[0]:
        event["trouble"] = trouble[0].__name__
        event["at"] = [
            f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trouble[2])[-5:]
        ]
    return event


def _first_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library may write a traceback into its message, and what an exception quotes with it."""
    event["event"] = str(event.get("event", "")).split("\n", 1)[0]
    return event


def _masked(_: WrappedLogger, __: str, line: str) -> str:
    return _MSISDN.sub("<msisdn>", line)
