"""Which process holds a lease."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds it; nobody is known yet."""
    op.execute("ALTER TABLE leases ADD COLUMN holder text NOT NULL DEFAULT ''")
