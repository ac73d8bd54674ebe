"""Knows the parts of long texts from handsets, kept until their text is complete or given up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ussdapp.core.inbound import Mo
from ussdapp.core.mo_parts import GIVEN_UP_AFTER, Decode, MoPart, joined
from ussdapp.core.msisdn import Msisdn
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.seal import Seal

SENDER: Final = "mo_parts.sender"
MSISDN: Final = "mo_parts.msisdn"
OCTETS: Final = "mo_parts.octets"
# how long a part that comes again is known again: an SMSC may try that long
_REPEATED_WITHIN: Final = timedelta(hours=24)
_MOST: Final = 100  # texts given up in one round
_LATEST: Final = """
    SELECT begun_at, bool_or(ended_at IS NOT NULL),
        bool_or(number = %(number)s AND content_index = %(content)s),
        bool_or(number = %(number)s AND content_index <> %(content)s)
    FROM mo_parts WHERE group_index = %(group)s AND begun_at > %(oldest)s
    GROUP BY begun_at ORDER BY begun_at DESC LIMIT 1
"""
_INSERT: Final = """
    INSERT INTO mo_parts (group_index, begun_at, number, total, channel, short_code, sender_sealed,
        msisdn_sealed, octets_sealed, content_index, data_coding)
    VALUES (%(group)s, %(begun)s, %(number)s, %(total)s, %(channel)s, %(short_code)s, %(sender)s,
        %(msisdn)s, %(octets)s, %(content)s, %(coding)s)
"""
_PARTS: Final = """
    SELECT number, total, channel, short_code, sender_sealed, msisdn_sealed, octets_sealed,
        data_coding
    FROM mo_parts WHERE group_index = %s AND begun_at = %s AND ended_at IS NULL ORDER BY number
"""
_OVERDUE: Final = """
    SELECT DISTINCT group_index, begun_at FROM mo_parts
    WHERE ended_at IS NULL AND begun_at <= %s ORDER BY begun_at LIMIT %s
"""
_END: Final = """
    UPDATE mo_parts SET ended_at = %s
    WHERE group_index = %s AND begun_at = %s AND ended_at IS NULL
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_Group = tuple[bytes, datetime]


class PgMoParts:
    """Keeps ports.MoParts; `decode` makes a text of octets and their data_coding."""

    def __init__(self, database: Database, seal: Seal, decode: Decode) -> None:
        self._database = database
        self._seal = seal
        self._decode = decode

    def keep(self, parts: Sequence[MoPart], at: datetime) -> list[Mo]:
        """Commits them; returns the texts that are complete and not ended."""

        def work(connection: Connection) -> list[Mo]:
            # in one order, for each waits for whoever holds its text
            in_order = sorted(parts, key=lambda part: part.group)
            groups = dict.fromkeys(self._kept(connection, part, at) for part in in_order)
            found = [self._joined(connection, group) for group in groups]
            return [mo for mo, missing in filter(None, found) if not missing]

        return self._database.run(work)

    def overdue(self, at: datetime) -> list[tuple[Mo, int]]:
        """What came of texts begun ten minutes ago and not ended, and how many parts did not."""

        def work(connection: Connection) -> list[tuple[Mo, int]]:
            groups = rows(connection, _OVERDUE, (at - GIVEN_UP_AFTER, _MOST))
            found = [self._joined(connection, (group, begun)) for group, begun in groups]
            return list(filter(None, found))

        return self._database.run(work)

    def end(self, mo: Mo, at: datetime) -> None:
        """It was received."""
        group, begun = mo.key.split(":")
        values = (at, bytes.fromhex(group), _EPOCH + int(begun) * _MICROSECOND)
        self._database.run(lambda connection: connection.execute(_END, values) and None)

    def _kept(self, connection: Connection, part: MoPart, at: datetime) -> _Group:
        """Keeps the part unless it is kept; returns the text it belongs to."""
        group = self._seal.content_index(f"part:{part.group}")
        lock = int.from_bytes(group[:8], signed=True)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        content = self._seal.content_index(f"part:{part.number}:{part.octets.hex()}")
        place = {
            "group": group,
            "number": part.number,
            "content": content,
            "oldest": at - _REPEATED_WITHIN,
        }
        latest = first(connection, _LATEST, place)
        if latest and latest[2]:
            return group, latest[0]
        # a number that is taken by other words, or a text that was ended: another text begins
        goes_on = latest and not latest[1] and not latest[3]
        begun = latest[0] if latest and goes_on else at
        connection.execute(_INSERT, {**place, "begun": begun, **self._sealed(part)})
        return group, begun

    def _sealed(self, part: MoPart) -> dict[str, Any]:
        msisdn = part.msisdn and self._seal.close_text(part.msisdn.digits, MSISDN)
        return {
            "total": part.total,
            "channel": part.channel,
            "short_code": part.short_code,
            "sender": self._seal.close_text(part.sender, SENDER),
            "msisdn": msisdn,
            "octets": self._seal.close(part.octets, OCTETS),
            "coding": part.data_coding,
        }

    def _joined(self, connection: Connection, group: _Group) -> tuple[Mo, int] | None:
        """The text and how many of its parts are missing; None when it was ended."""
        came = rows(connection, _PARTS, group)
        if not came:
            return None
        parts = {row[0]: (self._seal.open(row[6], OCTETS), row[7]) for row in came}
        _, total, channel, short_code, sender, msisdn, *_ = came[0]
        mo = Mo(
            channel=channel,
            key=f"{group[0].hex()}:{(group[1] - _EPOCH) // _MICROSECOND}",
            sender=self._seal.open_text(sender, SENDER),
            msisdn=Msisdn(self._seal.open_text(msisdn, MSISDN)) if msisdn else None,
            short_code=short_code,
            text=joined(parts, self._decode),
        )
        return mo, total - len(parts)
