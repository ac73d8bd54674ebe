"""Knows how notifications are accepted: each effect once."""

from typing import Final, LiteralString

from ussdapp.core.notification import AUTOMATIC_WITHIN, RANK, Notification
from ussdapp.core.simulated import SIMULATED
from ussdapp.core.status import Status
from ussdapp.stores.database import Connection, Database, first
from ussdapp.stores.queue import QUEUED
from ussdapp.stores.seal import Seal

MSISDN: Final = "notifications.msisdn"
TEXT: Final = "notifications.text"
# One alone costs a third of what it costs among many: its plan is made once and kept. What reads
# `accepted` is to be added.
ONE: Final[LiteralString] = (
    """
    WITH accepted AS (
        INSERT INTO notifications (institution_id, effect, class, rank, channel, msisdn_index,
            text_index, sender_id, encoding, parts, automatic, status, status_at, accepted_at,
            due_at, expires_at, reference_index, crowded)
        SELECT (SELECT id FROM institutions WHERE short_name = %(institution)s), %(effect)s,
            %(class)s, %(rank)s, CASE WHEN %(channel)s = %(simulated)s THEN %(channel)s
                ELSE coalesce((SELECT channel FROM networks
                    WHERE msisdn_index = %(msisdn_index)s), %(channel)s) END,
            %(msisdn_index)s, %(text_index)s, %(sender_id)s,
            %(encoding)s, %(parts)s, %(automatic)s, %(status)s, %(at)s, %(at)s, %(due)s,
            %(expires)s, %(reference_index)s, EXISTS (SELECT FROM notifications
                WHERE msisdn_index = %(msisdn_index)s
                AND accepted_at > %(at)s - interval '25 hours')
        ON CONFLICT (effect) DO NOTHING
        RETURNING id, channel, rank, coalesce(institution_id, 0) AS institution_id, due_at),
    kept AS (
        INSERT INTO contents (notification_id, msisdn_sealed, text_sealed, reference_sealed,
            body_index, template)
        SELECT id, %(msisdn)s, %(text)s, %(reference)s, %(body_index)s, %(template)s
        FROM accepted),
    queued AS ("""  # noqa: S608
    + QUEUED
    + """
        FROM (SELECT *, 0::bigint AS bulk_id, ARRAY[id] AS ids FROM accepted) e)
"""
)
_ONE: Final = ONE + "SELECT id, channel FROM accepted"  # noqa: S608
# What only an institution's request has.
_NOT_ASKED: Final = {
    "reference": None, "reference_index": None, "body_index": None, "template": None,
}  # fmt: skip
_SHARE: Final = """
    SELECT count(*) >= %s AND NOT EXISTS (SELECT FROM notifications WHERE effect = %s)
    FROM notifications WHERE automatic AND msisdn_index = %s AND accepted_at > %s
"""


def accept(connection: Connection, seal: Seal, notification: Notification) -> bool:
    """Accepts it within the transaction of what caused it; False when the MSISDN of an automatic
    one has had its share."""
    if notification.automatic and _had_its_share(connection, seal, notification):
        return False
    values = {
        "institution": notification.institution,
        "effect": seal.effect(notification.effect),
        "class": notification.klass.value,
        "rank": RANK[notification.klass],
        "channel": notification.channel,
        "msisdn_index": seal.index(notification.msisdn),
        "text_index": seal.content_index(notification.text),
        "msisdn": seal.close_text(notification.msisdn.digits, MSISDN),
        "text": seal.close_text(notification.text, TEXT),
        "sender_id": notification.sender_id,
        "encoding": notification.encoding.value,
        "parts": notification.parts,
        "automatic": notification.automatic,
        "status": Status.QUEUED.value,
        "at": notification.accepted_at,
        "due": notification.accepted_at,
        "expires": notification.expires_at,
        "simulated": SIMULATED,
        **_NOT_ASKED,
    }
    connection.execute(_ONE, values)
    return True


def _had_its_share(connection: Connection, seal: Seal, notification: Notification) -> bool:
    index = seal.index(notification.msisdn)
    # counted one after the other, or parallel texts would each see room for one more
    lock = int.from_bytes(index[:8], signed=True)
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
    since = notification.accepted_at - AUTOMATIC_WITHIN
    values = (notification.share, seal.effect(notification.effect), index, since)
    row = first(connection, _SHARE, values)
    return bool(row and row[0])


class PgNotifications:
    """Keeps ports.Notifications."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def accept(self, notification: Notification) -> bool:
        """Commits it as queued."""
        return self._database.run(lambda connection: accept(connection, self._seal, notification))
