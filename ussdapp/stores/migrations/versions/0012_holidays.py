"""What staff change of the holidays that come with the gateway."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE holiday_changes (
    day         date PRIMARY KEY,
    name        text NOT NULL,  -- "" where it is a working day after all
    changed_at  timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Adds the table."""
    op.execute(CHANGES)
