"""What became of each screen, counted by day, channel and language; nothing of what was keyed."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A drain is a number of counts taken out of Redis together: its id makes sure they are added once.
FUNNEL = """
CREATE TABLE funnel_facts (
    day       date NOT NULL,
    channel   text NOT NULL,
    language  text NOT NULL,
    screen    text NOT NULL,
    entries   bigint NOT NULL,
    exits     bigint NOT NULL,
    wrong     bigint NOT NULL,
    ended     bigint NOT NULL,
    buckets   int[] NOT NULL,
    PRIMARY KEY (day, screen, channel, language)
);
CREATE TABLE funnel_drains (
    id          text PRIMARY KEY,
    drained_at  timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Creates the tables."""
    op.execute(FUNNEL)
