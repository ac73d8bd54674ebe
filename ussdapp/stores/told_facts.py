"""Knows what a webhook is told of a notification, a bulk or a case: how it is called and where it
stands, never a text and never an MSISDN. It is read when it is posted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from ussdapp.core.webhook import BULK_FINISHED, CASE_OPENED, NOTIFICATION_FINAL
from ussdapp.stores.accepted import REFERENCE
from ussdapp.stores.database import Connection, rows
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.seal import Seal, Unsealable

_NOTIFICATIONS: Final = """
    SELECT n.id, n.status, n.status_at, n.parts, c.reference_sealed, n.bulk_id, b.live
    FROM notifications n LEFT JOIN contents c ON c.notification_id = n.id
    LEFT JOIN bulks b ON b.id = n.bulk_id WHERE n.id = ANY (%s) AND n.institution_id = %s
"""
_BULKS: Final = """
    SELECT id, live, status, total, accepted, rejected, ended_at FROM bulks
    WHERE id = ANY (%s) AND institution_id = %s
"""
_CASES: Final = """
    SELECT id, reference, kind, medium, received_at FROM cases
    WHERE id = ANY (%s) AND institution_id = %s
"""
_INSTITUTION: Final = "SELECT id FROM institutions WHERE short_name = %s"

log = structlog.get_logger()


class Facts:
    """`notifications` and `bulks` are how those are called outside; test keys' bulks otherwise."""

    def __init__(
        self, seal: Seal, notifications: PublicIds, bulks: Mapping[bool, PublicIds]
    ) -> None:
        self._seal = seal
        self._notification_ids = notifications
        self._bulk_ids = bulks

    def of(
        self, connection: Connection, institution: str, subjects: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], Mapping[str, Any] | None]:
        """What is told of each, by event and number: None where it cannot be opened. What is no
        more kept, or no more that institution's, is missing."""
        ((its,),) = rows(connection, _INSTITUTION, (institution,))
        numbers = defaultdict(list)
        for kind, number in subjects:
            numbers[kind].append(number)
        read = {
            NOTIFICATION_FINAL: self._notifications,
            BULK_FINISHED: self._bulks,
            CASE_OPENED: self._cases,
        }
        return {
            (kind, number): told
            for kind, wanted in numbers.items()
            for number, told in read[kind](connection, wanted, its).items()
        }

    def _notifications(
        self, connection: Connection, numbers: list[int], its: int
    ) -> dict[int, Any]:
        found = rows(connection, _NOTIFICATIONS, (numbers, its))
        return {row[0]: self._notification(row) for row in found}

    def _notification(self, row: tuple[Any, ...]) -> dict[str, Any] | None:
        number, status, status_at, parts, sealed, bulk, live = row
        shown = self._notification_ids.shown(number)
        try:
            reference = self._seal.open_text(sealed, REFERENCE) if sealed else None
        except Unsealable:
            log.error("webhook.event_unreadable", notification=shown)  # noqa: TRY400 (it has one cause)
            return None
        return {
            "id": shown,
            "status": status,
            "status_at": status_at,
            "parts": parts,
            "reference": reference,
            "bulk": self._bulk_ids[live].shown(bulk) if live is not None else None,
        }

    def _bulks(self, connection: Connection, numbers: list[int], its: int) -> dict[int, Any]:
        found = rows(connection, _BULKS, (numbers, its))
        return {
            number: {
                "id": self._bulk_ids[live].shown(number),
                "status": status,
                "total": total,
                "accepted": accepted,
                "rejected": rejected,
                "ended_at": ended_at,
            }
            for number, live, status, total, accepted, rejected, ended_at in found
        }

    def _cases(self, connection: Connection, numbers: list[int], its: int) -> dict[int, Any]:
        names = ("reference", "kind", "medium", "received_at")
        found = rows(connection, _CASES, (numbers, its))
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}
