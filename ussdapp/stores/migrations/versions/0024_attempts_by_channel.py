"""Attempts with the channel each went by: a second copy may go by another than the first."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

JOURNALED = """
CREATE OR REPLACE VIEW journaled AS
    SELECT notification_id, attempt, journaled_at, outcome, channel FROM attempts
    UNION ALL SELECT notification_id, attempt, submitted_at - interval '60 s', 'submitted', account
        FROM submits WHERE told
    UNION ALL SELECT n.id, n.attempts + 1, w.journaled_at, NULL, w.channel
        FROM windows w JOIN notifications n ON n.id = ANY (w.ids);
"""


def upgrade() -> None:
    """Adds the channel."""
    op.execute(JOURNALED)
