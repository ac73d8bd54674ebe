"""Dialogues in which a citizen was offered to go on where an earlier one had dropped."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OFFERS = """
CREATE TABLE offers (
    session_key  text PRIMARY KEY,
    made_at      timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Creates the table."""
    op.execute(OFFERS)
