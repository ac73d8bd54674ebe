"""Knows which notification in doubt a receipt fits whose id nobody was told of."""

from datetime import datetime, timedelta
from typing import Final

from ussdapp.stores.database import Connection

_MOST: Final = 1000
_EARLY: Final = timedelta(seconds=2)  # a receipt may outrun its submit's recorded answer
_SKEW: Final = timedelta(minutes=5)  # between an operator's clock and ours
# Its answer was lost: it came after that attempt was journaled, and fits one notification alone of
# all that wait for a receipt, which is in doubt; or it stays parked (faults.md D4, 4).
_GUESS: Final = """
    WITH doubtful AS MATERIALIZED (
        SELECT DISTINCT channel, msisdn_index FROM doubts),
    parked AS MATERIALIZED (
        SELECT r.* FROM doubtful d
        JOIN parked_receipts r ON r.msisdn_index = d.msisdn_index AND r.account = d.channel
        WHERE r.received_at BETWEEN %(oldest)s AND %(newest)s AND r.status <> 'in_doubt'
            AND NOT EXISTS (SELECT FROM submits s
                WHERE s.account = r.account AND s.message_key = ANY (r.message_keys))
        ORDER BY r.id LIMIT %(most)s FOR UPDATE OF r SKIP LOCKED),
    waiting AS (
        SELECT p.id AS receipt, n.id, n.status FROM parked p
        JOIN notifications n ON n.msisdn_index = p.msisdn_index
            AND (n.channel = p.account OR (n.resent AND EXISTS (SELECT FROM attempts a
                WHERE a.notification_id = n.id AND a.channel = p.account)))
        WHERE n.status IN ('in_doubt', 'submitted')
            OR (n.status = 'queued' AND (n.resent OR EXISTS (
                SELECT FROM windows w WHERE n.id = ANY (w.ids))))),
    fits AS (
        SELECT p.id AS receipt, w.id, w.status, a.attempt FROM waiting w
        JOIN parked p ON p.id = w.receipt CROSS JOIN LATERAL (
            SELECT max(a.attempt) FILTER (WHERE a.outcome = 'in_doubt') AS attempt,
                count(*) AS fitting
            FROM journaled a WHERE a.notification_id = w.id AND a.channel = p.account
                AND p.received_at BETWEEN a.journaled_at AND a.journaled_at + %(kept)s
                AND (p.submitted_on IS NULL OR p.submitted_on
                    BETWEEN a.journaled_at - %(skew)s AND a.journaled_at + %(skew)s)) a
        WHERE a.fitting > 0),
    sole AS (
        SELECT receipt, min(id) AS id, min(attempt) AS attempt FROM fits GROUP BY receipt
        HAVING count(*) = 1 AND bool_and(status IN ('in_doubt', 'queued'))
            AND min(attempt) IS NOT NULL),
    free AS (
        SELECT o.id, o.attempt, g.part,
            row_number() OVER (PARTITION BY o.id ORDER BY g.part) AS place
        FROM (SELECT DISTINCT id, attempt FROM sole) o JOIN notifications n USING (id)
        CROSS JOIN LATERAL generate_series(1, n.parts) AS g (part)
        WHERE NOT EXISTS (
            SELECT FROM submits s WHERE s.notification_id = o.id AND s.part = g.part)),
    placed AS (
        SELECT o.*, row_number() OVER (PARTITION BY o.id ORDER BY receipt) AS place FROM sole o),
    due AS (
        UPDATE parked_receipts r SET look_at = %(now)s FROM placed o WHERE r.id = o.receipt)
    INSERT INTO submits (notification_id, attempt, part, account, message_id, message_key, told,
        submitted_at)
    SELECT f.id, f.attempt, f.part, p.account, p.message_id, p.message_keys[1], false, %(now)s
    FROM placed o JOIN free f ON (f.id, f.attempt, f.place) = (o.id, o.attempt, o.place)
    JOIN parked p ON p.id = o.receipt
    ON CONFLICT DO NOTHING
"""


def guess(connection: Connection, kept: timedelta, now: datetime) -> None:
    """Gives notifications in doubt the ids of receipts that can only be theirs; those are due
    then."""
    values = {"oldest": now - kept, "newest": now - _EARLY, "most": _MOST, "now": now,
              "kept": kept, "skew": _SKEW}  # fmt: skip
    connection.execute(_GUESS, values)
