"""Receipts that come by the dozen are kept as one row before they are settled."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

INBOX = """
CREATE TABLE receipt_inbox (
    id              bigint PRIMARY KEY,  -- chosen by the process
    account         text NOT NULL,
    received_at     timestamptz NOT NULL,
    told            text NOT NULL,  -- JSON: message ids, statuses, codes, submit dates
    msisdns_sealed  bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
-- they live for a fraction of a second: compressing them is most of what they cost
ALTER TABLE receipt_inbox ALTER told SET STORAGE EXTERNAL,
    ALTER msisdns_sealed SET STORAGE EXTERNAL;
"""


def upgrade() -> None:
    """Makes the inbox."""
    op.execute(INBOX)
