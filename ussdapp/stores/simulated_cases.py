"""Knows what test keys do to cases: all of it is checked, and none of it is kept or told."""

from collections.abc import Callable

from ussdapp.core.case import CaseView, Reply, Transfer, Transferred
from ussdapp.core.case_history import CaseHistory, CasePage, Sought
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import Reference
from ussdapp.core.simulated_case import RECEIVED_AT, REFERENCE, case_of
from ussdapp.ports import Institutions, NoSuchCase, NoSuchInstitution, SameInstitution


class SimulatedCases:
    """Keeps ports.Replies, ports.Transfers and ports.CaseHistories."""

    def __init__(self, institutions: Institutions) -> None:
        self._institutions = institutions

    def one(self, institution: str, reference: Reference) -> CaseHistory | None:
        """The simulated case, None for any other."""
        return case_of(institution) if reference == REFERENCE else None

    def is_cursor(self, shown: str) -> bool:  # noqa: ARG002 - no page follows the only one
        """None is."""
        return False

    def page(
        self,
        institution: str,
        sought: Sought,
        cursor: str | None,  # noqa: ARG002 - there is none
        limit: int,  # noqa: ARG002 - it is never too many
    ) -> CasePage:
        """The simulated case, where it is sought."""
        case = case_of(institution).case
        asked = (sought.status or case.status, sought.kind or case.kind)
        due = sought.due_before is None or case.due_at < sought.due_before
        return CasePage((case,) if asked == (case.status, case.kind) and due else (), None)

    def reply(
        self,
        reply: Reply,
        notify: Callable[[Msisdn, str, CaseView], Notification],  # noqa: ARG002 - nobody is told
    ) -> tuple[CaseView, str | None]:
        """The case as it would stand."""
        if reply.reference != REFERENCE:
            raise NoSuchCase
        case = case_of(reply.institution).case
        view = CaseView(
            REFERENCE, case.institution, case.kind, reply.status, reply.words, RECEIVED_AT
        )
        return view, None

    def transfer(
        self,
        transfer: Transfer,
        notify: Callable[[Msisdn, str], Notification],  # noqa: ARG002 - nobody is told
    ) -> tuple[Transferred, str | None]:
        """What would become of it."""
        if transfer.reference != REFERENCE:
            raise NoSuchCase
        if self._institutions.named(transfer.to) is None:
            raise NoSuchInstitution
        if transfer.to == transfer.institution:
            raise SameInstitution
        return Transferred(REFERENCE, transfer.to, transfer.at), None
