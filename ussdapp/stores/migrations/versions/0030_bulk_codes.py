"""Why a bulk was refused or stopped, as a code; one that ended before has its sentence alone."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds it; no row is written anew."""
    op.execute("ALTER TABLE bulks ADD COLUMN code text NOT NULL DEFAULT ''")
