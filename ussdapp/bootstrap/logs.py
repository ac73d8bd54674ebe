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
        _masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
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


def _masked(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # a library that writes a traceback into its message gets its first line said
    event["event"] = str(event.get("event", "")).split("\n", 1)[0]
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _MSISDN.sub("<msisdn>", value)
    return event
