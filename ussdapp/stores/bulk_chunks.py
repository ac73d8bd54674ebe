"""Knows how a chunk of checked rows becomes notifications: written at once, with the progress.

Until all of its bulk is checked, what was accepted waits in blocks of the queue under a channel
that nobody delivers on (HELD and the name), so that each id is in one place at any moment.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ussdapp.core.bulk import Checking, Chunk, Overtaken, Rejection, Row
from ussdapp.core.notification import LIVES, RANK
from ussdapp.core.simulated import SIMULATED
from ussdapp.stores.bulk_blocks import A_BLOCK
from ussdapp.stores.bulks import PREVIEW
from ussdapp.stores.database import Connection, as_array, first
from ussdapp.stores.packs import PACK_IDS, PACKED, packed
from ussdapp.stores.seal import Seal

HELD: Final = "held:"
_PREVIEWED: Final = 5  # rows
_SCHEDULED: Final = timedelta(hours=1)  # ahead: what its MSISDNs get by then nobody knows now
_PLACE: Final = "SELECT status, read, channel_parts FROM bulks WHERE id = %s FOR NO KEY UPDATE"
# What makes a row crowded, what came in this bulk before, and whose network is known.
_KNOWN: Final = """
    SELECT msisdn_index, min(row_no) FILTER (WHERE bulk_id = %(id)s), true, NULL
    FROM notifications WHERE msisdn_index = ANY (%(indexes)s::bytea[])
        AND accepted_at > %(at)s - interval '25 hours'
    GROUP BY msisdn_index
    UNION ALL
    SELECT msisdn_index, NULL, false, channel FROM networks
    WHERE msisdn_index = ANY (%(indexes)s::bytea[])
"""
# Thousands of keys look like much of a table to the planner, and are not.
_BY_INDEX: Final = "SET LOCAL enable_seqscan = off"
_IDS: Final = "SELECT nextval('notifications_id_seq') FROM generate_series(1, %s)"
_HOLD: Final = """
    INSERT INTO queue (channel, rank, turn, institution_id, bulk_id, due_at, ids)
    VALUES (%s, %s, 0, %s, %s, '9999-01-01', %s::text::bigint[])
"""
_NOTIFICATIONS: Final = """
    COPY notifications (id, pack_id, crowded, channel, bulk_id, row_no, msisdn_index, text_index,
        encoding, parts, institution_id, class, rank, sender_id, automatic, status, status_at,
        accepted_at, due_at, expires_at) FROM STDIN
"""
_REJECTIONS: Final = "COPY bulk_rejections (bulk_id, row_no, field, code, message) FROM STDIN"
_PROGRESS: Final = """
    UPDATE bulks SET read = %(end)s, tries = 0, total = CASE source WHEN 'recipients' THEN total
            ELSE total + %(total)s END,
        accepted = accepted + %(accepted)s, rejected = rejected + %(rejected)s,
        parts = parts + %(parts)s, preview_sealed = coalesce(preview_sealed, %(preview)s),
        channel_parts = %(channel_parts)s::text::jsonb
    WHERE id = %(id)s
"""
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Prepared:
    """What can be made of a chunk before its transaction, while another is written: the rows as
    COPY reads them, but for what the database has yet to say."""

    def __init__(self, seal: Seal, bulk: Checking, chunk: Chunk) -> None:
        self.seal = seal
        index, content = seal.index, seal.content_index
        due = max(bulk.send_at or bulk.accepted_at, bulk.accepted_at)
        tail = _tail(bulk, due)
        self.scheduled = due - bulk.accepted_at > _SCHEDULED
        self.indexes = [index(row.msisdn) for row in chunk.rows]
        spelt = [octets.hex() for octets in self.indexes]
        self.listed = "{" + ",".join([f'"\\\\x{one}"' for one in spelt]) + "}"
        self.rows = [
            f"{bulk.id}\t{row.number}\t\\\\x{one}\t\\\\x{content(row.text).hex()}\t"
            f"{row.encoding}\t{row.parts}\t{tail}"
            for row, one in zip(chunk.rows, spelt, strict=True)
        ]


def _tail(bulk: Checking, due: datetime) -> str:
    """What is the same of every row."""
    at = bulk.accepted_at.isoformat()
    values = (
        bulk.institution_id, bulk.klass.value, RANK[bulk.klass], _field(bulk.sender_id), "f",
        "queued", at, at, due.isoformat(), (due + LIVES[bulk.klass]).isoformat(),
    )  # fmt: skip
    return "\t".join(map(str, values)) + "\n"


def _field(value: str) -> str:
    """A text as COPY reads it."""
    return value.translate(_ESCAPES)


def keep(connection: Connection, bulk: Checking, chunk: Chunk, prepared: Prepared) -> None:
    """All of it or nothing; again does no harm. Raises Overtaken."""
    place = first(connection, _PLACE, (bulk.id,))
    if place and place[1] == chunk.end and place[0] == "checking":
        return  # it was kept, and that was not heard of
    if place is None or place[:2] != ("checking", chunk.start):
        raise Overtaken
    values = {"indexes": prepared.listed, "id": bulk.id, "at": bulk.accepted_at}
    cursor = connection.cursor(binary=True)
    connection.execute(_BY_INDEX)
    known = cursor.execute(_KNOWN, values).fetchall()
    lately: dict[bytes, int | None] = {row[0]: row[1] for row in known if row[2]}
    networks: dict[bytes, str] = {row[0]: row[3] for row in known if not row[2]}
    doubles, kept, crowded = _sorted_out(bulk, chunk, prepared.indexes, lately)
    ids = dict(zip(kept, _next(cursor, _IDS, len(kept)), strict=True))
    blocks = _blocks(chunk, prepared, networks, kept)
    lines: list[str] = []
    channel_parts: Counter[str] = Counter(place[2])
    for pack, (channel, places) in zip(_next(cursor, PACK_IDS, len(blocks)), blocks, strict=True):
        rows = {ids[at]: chunk.rows[at] for at in places}
        _hold(connection, bulk, channel, rows)
        connection.execute(PACKED, (pack, _sealed(prepared.seal, rows)))
        channel_parts[channel] += sum(row.parts for row in rows.values())
        for at in places:
            flag = "t" if prepared.scheduled or at in crowded else "f"
            lines.append(f"{ids[at]}\t{pack}\t{flag}\t{channel}\t{prepared.rows[at]}")
    _copy(connection, _NOTIFICATIONS, lines)
    rejections = [*chunk.rejections, *doubles]
    _copy(connection, _REJECTIONS, [
        "\t".join((str(bulk.id), str(one.row), *map(_field, one[1:]))) + "\n"
        for one in sorted(rejections, key=lambda one: one.row)
    ])  # fmt: skip
    connection.execute(_PROGRESS, {
        "id": bulk.id,
        "end": chunk.end,
        "total": chunk.end - chunk.start - chunk.blank,
        "accepted": len(kept),
        "rejected": len({one.row for one in rejections}),
        "parts": sum(chunk.rows[at].parts for at in kept),
        "channel_parts": json.dumps(channel_parts),
        "preview": _preview(prepared.seal, [chunk.rows[at] for at in kept[:_PREVIEWED]]),
    })  # fmt: skip


def _hold(connection: Connection, bulk: Checking, channel: str, rows: Mapping[int, Row]) -> None:
    flow = (f"{HELD}{channel}", RANK[bulk.klass], bulk.institution_id, bulk.id)
    connection.execute(_HOLD, (*flow, as_array(rows)))


def _sealed(seal: Seal, rows: Mapping[int, Row]) -> bytes:
    digits = [row.msisdn.digits for row in rows.values()]
    return packed(seal, list(rows), digits, [row.text for row in rows.values()])


def _preview(seal: Seal, rows: Sequence[Row]) -> bytes | None:
    """The first rows that will be sent: what is refused as a double is none of them."""
    previewed = [
        {"row": row.number, "to": str(row.msisdn), "text": row.text,
         "encoding": row.encoding, "parts": row.parts}
        for row in rows
    ]  # fmt: skip
    return seal.close_text(json.dumps(previewed), PREVIEW) if previewed else None


def _next(cursor: Any, query: Any, count: int) -> list[int]:
    return [row[0] for row in cursor.execute(query, (count,)).fetchall()]


def _blocks(
    chunk: Chunk, prepared: Prepared, networks: dict[bytes, str], kept: list[int]
) -> list[tuple[str, list[int]]]:
    """The places of the rows that are kept, each block of one channel."""
    held: dict[str, list[int]] = {}
    for at in kept:
        channel = chunk.rows[at].channel
        if networks and channel != SIMULATED:
            channel = networks.get(prepared.indexes[at], channel)
        held.setdefault(channel, []).append(at)
    return [
        (channel, places[start : start + A_BLOCK])
        for channel, places in held.items()
        for start in range(0, len(places), A_BLOCK)
    ]


def _sorted_out(
    bulk: Checking, chunk: Chunk, indexes: list[bytes], lately: dict[bytes, int | None]
) -> tuple[list[Rejection], list[int], set[int]]:
    """The doubles, the places of the rows that are kept, and which of those are crowded."""
    doubles: list[Rejection] = []
    kept: list[int] = []
    crowded: set[int] = set()
    within: dict[bytes, int] = {}
    for at, (row, index) in enumerate(zip(chunk.rows, indexes, strict=True)):
        earlier = lately.get(index) or within.get(index)
        if earlier and not bulk.repeats:
            told = f"The same MSISDN is in row {earlier}, and is sent to once."
            doubles.append(Rejection(row.number, "to", "duplicate", told))
            continue
        if earlier or index in lately:
            crowded.add(at)
        within.setdefault(index, row.number)
        kept.append(at)
    return doubles, kept, crowded


def _copy(connection: Connection, into: Any, lines: list[str]) -> None:
    if lines:
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            copy.write("".join(lines))
