"""Where an MSISDN is reached, and how well a channel fares."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROUTES = """
-- The network an inbound named, or the table of ported numbers; prefixes are only hints.
CREATE TABLE networks (
    msisdn_index  bytea PRIMARY KEY,
    channel       text NOT NULL,
    told_by       text NOT NULL CHECK (told_by IN ('inbound', 'ported')),
    told_at       timestamptz NOT NULL
);
ALTER TABLE leases
    ADD COLUMN bound_at timestamptz,  -- when its holder last had the bind up
    ADD COLUMN share real NOT NULL DEFAULT 1;  -- of what is queued there
"""


def upgrade() -> None:
    """Adds them."""
    op.execute(ROUTES)
