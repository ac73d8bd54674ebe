"""Whose a key is: who sent a bulk does not approve it with another key."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the owner; a key that has none counts as a person of its own."""
    op.execute("ALTER TABLE keys ADD COLUMN owner text NOT NULL DEFAULT ''")
