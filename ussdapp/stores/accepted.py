"""Knows what institutions have sent: it is accepted whole and once, in one statement."""

from collections.abc import Iterable
from typing import Any, Final, LiteralString

from ussdapp.core.acceptance import AnotherBody
from ussdapp.core.notification import RANK
from ussdapp.core.parts import Encoding
from ussdapp.core.quiet import eat_day
from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import Status
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.notifications import MSISDN, ONE, TEXT
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.queue import QUEUED
from ussdapp.stores.quotas import SPENT, refusing
from ussdapp.stores.seal import Seal
from ussdapp.usecases.accept_notification import Accepting, Kept, Written

REFERENCE: Final = "notifications.reference"
_BLOCK: Final = 1000  # ids a row of the queue
_SEVERAL: Final = (
    """
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(%(effects)s::text::text[], %(channels)s::text::text[],
            %(indexes)s::text::bytea[], %(msisdns)s::text::bytea[]) WITH ORDINALITY
        AS t (effect, channel, msisdn_index, msisdn_sealed, place)),
    accepted AS (
        INSERT INTO notifications (institution_id, effect, class, rank, channel, msisdn_index,
            text_index, sender_id, encoding, parts, automatic, status, status_at, accepted_at,
            due_at, expires_at, reference_index, crowded)
        SELECT (SELECT id FROM institutions WHERE short_name = %(institution)s), effect,
            %(class)s, %(rank)s, CASE WHEN channel = %(simulated)s THEN channel ELSE coalesce(
                (SELECT w.channel FROM networks w WHERE w.msisdn_index = g.msisdn_index),
                channel) END, msisdn_index, %(text_index)s, %(sender_id)s,
            %(encoding)s, %(parts)s, false, %(status)s, %(at)s, %(at)s, %(due)s, %(expires)s,
            %(reference_index)s, EXISTS (SELECT FROM notifications n
                WHERE n.msisdn_index = g.msisdn_index
                AND n.accepted_at > %(at)s - interval '25 hours')
        FROM given g ORDER BY place
        ON CONFLICT (effect) DO NOTHING
        RETURNING id, effect, channel, rank, coalesce(institution_id, 0) AS institution_id,
            due_at),
    kept AS (
        INSERT INTO contents (notification_id, msisdn_sealed, text_sealed, reference_sealed,
            body_index, template)
        SELECT id, msisdn_sealed, %(text)s, %(reference)s, %(body_index)s, %(template)s
        FROM accepted JOIN given USING (effect)),
    queued AS ("""  # noqa: S608
    + QUEUED
    + """
        FROM (SELECT channel, rank, institution_id, 0::bigint AS bulk_id, due_at,
                array_agg(id ORDER BY id) AS ids
            FROM (SELECT *, (row_number() OVER (PARTITION BY channel ORDER BY id) - 1)
                / %(block)s AS block FROM accepted) a
            GROUP BY channel, rank, institution_id, due_at, block ORDER BY min(id)) e)
"""
    + SPENT
)
_ALONE: Final = ONE + SPENT
_BEFORE: Final = """
    SELECT n.id, c.body_index, c.text_sealed, n.encoding, n.parts, c.template, n.accepted_at
    FROM unnest(%s::text::text[]) WITH ORDINALITY AS t (effect, place)
    JOIN notifications n USING (effect) JOIN contents c ON c.notification_id = n.id ORDER BY place
"""


class _Repeated(Exception):
    """Some of it was accepted before: nothing is accepted now."""


class PgAcceptances:
    """Keeps accept_notification.Acceptances."""

    def __init__(self, database: Database, seal: Seal, ids: PublicIds) -> None:
        self._database = database
        self._seal = seal
        self._ids = ids

    def accept(self, accepting: Accepting) -> Kept:
        """Commits all of it as queued, and its parts as spent, or finds it committed before."""
        values = self._values(accepting)
        try:
            with refusing(values["day"]):
                found = self._accepted(values)
        except _Repeated:
            kept = self.before(accepting.effect, len(accepting.to), accepting.body)
            if kept is None:
                raise AnotherBody from None
            return kept
        ids = tuple(self._ids.shown(number) for number, _ in found)
        channels = frozenset(channel for _, channel in found if channel)
        return Kept(ids, accepting.written, accepting.accepted_at, channels)

    def _accepted(self, values: dict[str, Any]) -> list[Any]:
        if values["count"] == 1:
            return self._database.alone(lambda link: _accept(link, _ALONE, values))
        return self._database.run(lambda link: _accept(link, _SEVERAL, values))

    def before(self, effect: str, count: int, body: str) -> Kept | None:
        """What was accepted under that effect before; raises AnotherBody."""
        effects = _array(self._seal.effect(f"{effect}:{place}") for place in range(count))
        found = self._database.run(lambda connection: rows(connection, _BEFORE, (effects,)))
        if not found:
            return None
        if len(found) != count or found[0][1] != self._body_index(body):
            raise AnotherBody
        _, _, text, encoding, parts, template, at = found[0]
        written = Written(self._seal.open_text(text, TEXT), Encoding(encoding), parts, template)
        return Kept(tuple(self._ids.shown(row[0]) for row in found), written, at)

    def _body_index(self, body: str) -> bytes:
        return bytes.fromhex(self._seal.effect(f"body:{body}"))

    def _values(self, accepting: Accepting) -> dict[str, Any]:
        seal, given = self._seal, accepting
        referred = given.reference is not None
        return {
            **self._recipients(given),
            "institution": given.institution,
            "count": len(given.to),
            "automatic": False,
            "live": given.live,
            "day": eat_day(given.accepted_at),
            "class": given.klass.value,
            "rank": RANK[given.klass],
            "text_index": seal.content_index(given.written.text),
            "text": seal.close_text(given.written.text, TEXT),
            "template": given.written.template,
            "sender_id": given.sender_id,
            "encoding": given.written.encoding.value,
            "parts": given.written.parts,
            "status": Status.QUEUED.value,
            "at": given.accepted_at,
            "due": given.due_at,
            "expires": given.expires_at,
            "reference": seal.close_text(given.reference or "", REFERENCE) if referred else None,
            "reference_index": reference_index(seal, given.institution, given.reference),
            "body_index": self._body_index(given.body),
            "block": _BLOCK,
            "simulated": SIMULATED,
        }

    def _recipients(self, given: Accepting) -> dict[str, Any]:
        seal = self._seal
        effects = [seal.effect(f"{given.effect}:{place}") for place in range(len(given.to))]
        indexes = [seal.index(msisdn) for msisdn, _ in given.to]
        sealed = [seal.close_text(msisdn.digits, MSISDN) for msisdn, _ in given.to]
        if len(given.to) == 1:
            return {
                "effect": effects[0],
                "channel": given.to[0][1],
                "msisdn_index": indexes[0],
                "msisdn": sealed[0],
            }
        return {
            "effects": _array(effects),
            "channels": _array(_quoted(channel) for _, channel in given.to),
            "indexes": _array(map(_octets, indexes)),
            "msisdns": _array(map(_octets, sealed)),
        }


def _array(elements: Iterable[str]) -> str:
    """Elements as PostgreSQL reads an array: a fifth of the time that a list takes."""
    return "{" + ",".join(elements) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _octets(octets: bytes) -> str:
    return f'"\\\\x{octets.hex()}"'


def reference_index(seal: Seal, institution: str, reference: str | None) -> bytes | None:
    """What a reference is found by, among the institution's."""
    if reference is None:
        return None
    return bytes.fromhex(seal.effect(f"reference:{institution}:{reference}"))


def _accept(connection: Connection, query: LiteralString, values: dict[str, Any]) -> list[Any]:
    found = rows(connection, query, values)
    if len(found) < values["count"]:
        raise _Repeated
    return found
