"""Usage: daily facts that are counted anew for ten days, and the prices that held on each day."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

USAGE = """
CREATE TABLE usage_facts (
    day             date NOT NULL,     -- EAT, on which it was accepted
    institution_id  integer NOT NULL,  -- 0 is the gateway itself
    class           text NOT NULL,
    channel         text NOT NULL,
    status          text NOT NULL,
    notifications   bigint NOT NULL,
    parts           bigint NOT NULL,
    taken           bigint NOT NULL,   -- parts that an operator took, or may have
    PRIMARY KEY (day, institution_id, class, channel, status)
);
CREATE INDEX usage_facts_of ON usage_facts (institution_id, day);
CREATE TABLE usage_days (
    day         date PRIMARY KEY,
    first_id    bigint NOT NULL,       -- the lowest of its notifications
    prices      jsonb NOT NULL,        -- TZS a part, by channel
    counted_at  timestamptz NOT NULL
);
ALTER TABLE bulks ADD COLUMN channel_parts jsonb NOT NULL DEFAULT '{}';
"""


def upgrade() -> None:
    """Adds them."""
    op.execute(USAGE)
