"""Knows the bulks of institutions: how one is accepted, and what its institution asks of it."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import IO, Any, Final

from ussdapp.core.acceptance import AnotherBody
from ussdapp.core.bulk import (
    BulkStatus,
    BulkView,
    NewBulk,
    NoSuchBulk,
    NotNow,
    OwnBulk,
    Rejection,
    counted,
    standing,
)
from ussdapp.core.notification import Class
from ussdapp.core.status import Status
from ussdapp.stores import audit
from ussdapp.stores.bulk_blocks import PgBulkBlocks, forget
from ussdapp.stores.bulk_counts import eta, found
from ussdapp.stores.bulk_stops import end_deferred, is_moving, mark_stopped, withdraw
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.seal import Seal

TEXT: Final = "bulks.text"
PREVIEW: Final = "bulks.preview"
_FRESH: Final = 20_000  # rows of a bulk that are counted whenever they are asked for
_PAGE: Final = 5000  # rejections read at once
_ACCEPT: Final = """
    WITH new AS (
        INSERT INTO bulks (id, institution_id, effect, body_index, live, author, name, text_sealed,
            class, sender_id, repeats, source, accepted_at, send_at, status, total, template,
            text_en_sealed)
        OVERRIDING SYSTEM VALUE
        SELECT coalesce(%(id)s, nextval(pg_get_serial_sequence('bulks', 'id'))), id, %(effect)s,
            %(body_index)s, %(live)s, %(author)s, %(name)s, %(text)s, %(class)s, %(sender_id)s,
            %(repeats)s, %(source)s, %(accepted_at)s, %(send_at)s, 'checking', %(total)s,
            %(template)s, %(text_en)s
        FROM institutions WHERE short_name = %(institution)s
        ON CONFLICT (effect) DO NOTHING
        RETURNING id),
    blocks AS (
        INSERT INTO bulk_blocks (bulk_id, number, sealed)
        SELECT id, number - 1, sealed
        FROM new, unnest(%(blocks)s::bytea[]) WITH ORDINALITY AS t (sealed, number))
    SELECT id FROM new
"""
_BEFORE: Final = "SELECT id, body_index FROM bulks WHERE effect = %s"
_NEXT: Final = "SELECT nextval(pg_get_serial_sequence('bulks', 'id'))"
_VIEW: Final = """
    SELECT b.id, b.name, b.status, b.detail, b.total, b.accepted, b.rejected, b.parts, b.send_at,
        b.counts, b.rate_per_s, b.released_at, b.channel_parts, b.template,
        b.code, b.class, b.live
    FROM bulks b JOIN institutions i ON i.id = b.institution_id
    WHERE i.short_name = %s AND b.id = %s
"""
_LOCKED: Final = """
    SELECT b.status, b.author FROM bulks b JOIN institutions i ON i.id = b.institution_id
    WHERE i.short_name = %s AND b.id = %s FOR NO KEY UPDATE OF b
"""
_APPROVE: Final = "UPDATE bulks SET status = 'queued', approved_by = %s WHERE id = %s"
_REJECTIONS: Final = """
    SELECT row_no, field, code, message FROM bulk_rejections
    WHERE bulk_id = %s AND row_no > %s ORDER BY row_no FETCH FIRST %s ROWS WITH TIES
"""


class PgBulks:
    """Keeps ports of accept_bulk and stop_bulk. All raise Unavailable."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        self._blocks = PgBulkBlocks(database, seal)

    def accept(self, new: NewBulk, recipients: Sequence[Any]) -> int:
        """Commits it to be checked, its recipients in sealed blocks; the same effect and body
        again is the same bulk. Raises AnotherBody, LookupError (institution)."""
        return self._accept(new, self._blocks.closed(recipients), None)

    def accept_file(self, new: NewBulk, file: IO[bytes]) -> int:
        """The same for a file: each piece of it is committed by itself, so that it is nowhere in
        memory, and the bulk after the last of them."""
        row = self._database.run(lambda link: first(link, _NEXT))
        assert row
        number = int(row[0])
        self._blocks.keep_file(number, file)
        accepted = self._accept(new, [], number)
        if accepted != number:
            self._database.run(lambda link: forget(link, number))
        return accepted

    def view(self, institution: str, number: int) -> BulkView:
        """Where it stands; a large one as it was counted last. Raises NoSuchBulk."""
        return self._database.run(lambda link: _view(link, institution, number))

    def approve(self, institution: str, number: int, by: str, now: datetime) -> None:
        """Lets what waits for it be queued; `by` is the person. Raises NoSuchBulk, NotNow,
        OwnBulk."""

        def work(connection: Connection) -> None:
            status, author = _locked(connection, institution, number)
            if status is not BulkStatus.AWAITING_APPROVAL:
                raise NotNow(status)
            if author == by:
                raise OwnBulk
            connection.execute(_APPROVE, (by, number))
            audit.note(connection, now, by, "bulk.approved", f"bulk {number}")

        self._database.run(work)

    def stop(self, institution: str, number: int, by: str, now: datetime) -> None:
        """Nothing more of it is claimed from here on; what is in an open window is being submitted
        and ends there. Raises NoSuchBulk, NotNow when it is finished."""

        def mark(connection: Connection) -> None:
            status, _ = _locked(connection, institution, number)
            if status is BulkStatus.FINISHED:
                raise NotNow(status)
            if status is not BulkStatus.STOPPED:
                mark_stopped(connection, number, now)
                audit.note(connection, now, by, "bulk.stopped", f"bulk {number}")

        # each for itself: a claim holds a block and waits for the bulk, or the other way round
        self._database.run(mark)
        self._database.run(lambda link: withdraw(link, number))
        self._database.run(lambda link: end_deferred(link, number, now))

    def moving(self, number: int) -> bool:
        """Whether any row of it is in an open window."""
        return self._database.run(lambda link: is_moving(link, number))

    def preview(self, institution: str, number: int) -> list[dict[str, Any]]:
        """The first rows as they will be sent. Raises NoSuchBulk."""
        query = """SELECT b.preview_sealed FROM bulks b JOIN institutions i
            ON i.id = b.institution_id WHERE i.short_name = %s AND b.id = %s"""
        row = self._database.run(lambda link: first(link, query, (institution, number)))
        if row is None:
            raise NoSuchBulk
        return list(json.loads(self._seal.open_text(row[0], PREVIEW))) if row[0] else []

    def rejections(self, institution: str, number: int) -> Iterator[Rejection]:
        """What was refused, by row, as it is read. Raises NoSuchBulk at once."""
        self.view(institution, number)
        return self._rejections(number)

    def _rejections(self, number: int) -> Iterator[Rejection]:
        last = -1
        while True:
            values = (number, last, _PAGE)
            page = self._database.run(partial(rows, query=_REJECTIONS, values=values))
            yield from (Rejection(*row) for row in page)
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def _accept(self, new: NewBulk, blocks: list[bytes], number: int | None) -> int:
        values = self._values(new) | {"blocks": blocks, "id": number}

        def work(connection: Connection) -> int:
            if row := first(connection, _ACCEPT, values):
                return int(row[0])
            before = first(connection, _BEFORE, (values["effect"],))
            if before is None:
                raise LookupError("no institution has that short name")
            if bytes(before[1]) != values["body_index"]:
                raise AnotherBody
            return int(before[0])

        return self._database.run(work)

    def _values(self, new: NewBulk) -> dict[str, Any]:
        en = new.text_en
        return {
            "institution": new.institution,
            "effect": self._seal.effect(new.effect),
            "body_index": bytes.fromhex(self._seal.effect(f"body:{new.body}")),
            "live": new.live,
            "author": new.author,
            "name": new.name,
            "text": self._seal.close_text(new.text, TEXT),
            "class": new.klass.value,
            "sender_id": new.sender_id,
            "repeats": new.repeats,
            "source": new.source.value,
            "accepted_at": new.accepted_at,
            "send_at": new.send_at,
            "total": new.total,
            "template": new.template,
            "text_en": None if en is None else self._seal.close_text(en, TEXT),
        }


def _locked(connection: Connection, institution: str, number: int) -> tuple[BulkStatus, str]:
    row = first(connection, _LOCKED, (institution, number))
    if row is None:
        raise NoSuchBulk
    return BulkStatus(row[0]), str(row[1])


def _view(connection: Connection, institution: str, number: int) -> BulkView:
    row = first(connection, _VIEW, (institution, number))
    if row is None:
        raise NoSuchBulk
    stored, accepted, rate, released_at = BulkStatus(row[2]), row[5], row[10], row[11]
    if released_at is None:
        counts = counted({Status.QUEUED.value: accepted}, 0, stored)
    elif accepted <= _FRESH:
        counts = counted(*found(connection, number), stored)
    else:
        counts = counted(row[9], 0, stored)
    return BulkView(
        id=row[0],
        name=row[1],
        status=standing(stored, counts, accepted),
        code=row[14],
        detail=row[3],
        total=row[4],
        accepted=accepted,
        rejected=row[6],
        parts=row[7],
        send_at=row[8],
        template=row[13],
        counts=counts,
        rate_per_s=rate,
        eta_s=eta(counts, rate) if released_at else None,
        channel_parts=row[12],
        klass=Class(row[15]),
        live=row[16],
    )
