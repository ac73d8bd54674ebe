"""Receipts apart by what became of them: `receipts` holds those that ended, by the block, and
`parked_receipts` what is looked at again until it means a submit or 72 hours are over."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PARKED = """
CREATE TABLE parked_receipts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account       text NOT NULL,
    message_id    text NOT NULL,
    message_keys  text[] NOT NULL,  -- the folded ids it may mean, in the order of their base
    status        text NOT NULL,
    code          text NOT NULL,
    msisdn_index  bytea,
    submitted_on  timestamptz,
    received_at   timestamptz NOT NULL,
    look_at       timestamptz NOT NULL,
    why           text NOT NULL DEFAULT '' CHECK (why IN ('', 'mismatched', 'other_base'))
) WITH (autovacuum_vacuum_scale_factor = 0.05);
INSERT INTO parked_receipts (account, message_id, message_keys, status, code, msisdn_index,
        submitted_on, received_at, look_at, why)
    SELECT account, message_id, message_keys, status, code, msisdn_index, submitted_on,
        received_at, received_at, parked
    FROM receipts WHERE applied_at IS NULL ORDER BY id;
CREATE INDEX parked_receipts_due ON parked_receipts (look_at);
CREATE INDEX parked_receipts_of ON parked_receipts (msisdn_index);
"""

# Those that came together and ended together are one row, which is never changed: it costs a fifth
# of what a row each does. BRIN finds the oldest at no cost to what is written.
ENDED = """
ALTER TABLE receipts RENAME TO receipts_before;
CREATE TABLE receipts (
    account           text NOT NULL,
    received_at       timestamptz NOT NULL,
    ended_at          timestamptz NOT NULL,
    status            text NOT NULL,
    outcome           text NOT NULL
        CHECK (outcome IN ('applied', 'nothing_new', 'conflict', 'unmatched')),
    message_ids       text[] NOT NULL,  -- as spelt
    codes             text[] NOT NULL,
    notification_ids  bigint[] NOT NULL  -- 0 where the notification is not known
);
-- to compress the ids would cost as much as all else of a receipt's row
ALTER TABLE receipts ALTER COLUMN message_ids SET STORAGE EXTERNAL,
    ALTER COLUMN notification_ids SET STORAGE EXTERNAL;
INSERT INTO receipts
    SELECT account, received_at, applied_at, status, 'applied', array_agg(message_id ORDER BY id),
        array_agg(code ORDER BY id), array_agg(0 ORDER BY id)
    FROM receipts_before WHERE applied_at IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 2, 3;
DROP TABLE receipts_before;
CREATE INDEX receipts_by_time ON receipts USING brin (received_at);
CREATE VIEW receipts_each AS
    SELECT account, received_at, ended_at, status, outcome, e.*
    FROM receipts, unnest(message_ids, codes, notification_ids)
        AS e (message_id, code, notification_id);
-- Ids come in no order: a btree costs a recorded answer 4 us more.
DROP INDEX submits_by_message_key;
CREATE INDEX submits_by_message_key ON submits USING hash (message_key);
"""


def upgrade() -> None:
    """Moves what is not yet applied into a table of its own."""
    for statements in (PARKED, ENDED):
        op.execute(statements)
