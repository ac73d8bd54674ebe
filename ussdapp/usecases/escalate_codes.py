"""A request for a code whose time is over goes to those who run the gateway."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from ussdapp.core.codes import Code

log = structlog.get_logger()


class Codes(Protocol):
    """Knows whose time is over. Raises Unavailable."""

    def escalate(self, at: datetime) -> list[Code]:
        """Commits as late, once each, those that nobody decided in time."""
        ...


@dataclass(frozen=True, slots=True)
class EscalateCodes:
    """Harmless at any time and any number of times; raises Unavailable."""

    codes: Codes

    def __call__(self, now: datetime) -> None:
        """One round."""
        for code in self.codes.escalate(now):
            log.error("code.late", code=code.id, kind=code.kind.value, institution=code.institution)
