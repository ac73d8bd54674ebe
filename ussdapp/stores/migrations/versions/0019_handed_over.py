"""A text may be handed to the institution whose keyword begins it."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# validated apart, so that nobody waits while the texts there are are looked through
STATUS = """
ALTER TABLE mos DROP CONSTRAINT mos_status_check, ADD CONSTRAINT mos_status_check CHECK (
    status IN ('kept', 'answered', 'over_cap', 'no_subscriber', 'handed_over')) NOT VALID;
"""


def upgrade() -> None:
    """Lets a text be settled so."""
    op.execute(STATUS)
    op.execute("ALTER TABLE mos VALIDATE CONSTRAINT mos_status_check")
