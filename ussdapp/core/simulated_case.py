"""Knows the one case that test keys may try everything on: nobody filed it, nothing of it is kept,
and nobody is told."""

from datetime import UTC, datetime
from typing import Final

from ussdapp.core.case import CaseStatus, Kind, Visibility
from ussdapp.core.case_history import CaseEvent, CaseHistory, ListedCase, What
from ussdapp.core.reference import Reference

REFERENCE: Final = Reference.numbered(0)
RECEIVED_AT: Final = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
_WORDS: Final = "Huu ni mfano wa lalamiko: tovuti haifunguki tangu jana."


def case_of(institution: str) -> CaseHistory:
    """The case as that institution sees it."""
    status = CaseStatus.RECEIVED
    listed = ListedCase(
        reference=REFERENCE,
        institution=institution,
        kind=Kind.COMPLAINT,
        status=status,
        visibility=Visibility.HIDDEN,
        medium="ussd",
        language="sw",
        received_at=RECEIVED_AT,
    )
    filed = CaseEvent(RECEIVED_AT, What.FILED, status, institution, "", None)
    return CaseHistory(listed, _WORDS, (filed,))
