"""A case may be handed to another institution: an event says from whom to whom."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TRANSFERS = """
ALTER TABLE case_events
    ADD COLUMN from_id integer REFERENCES institutions,
    ADD COLUMN to_id integer REFERENCES institutions,
    DROP CONSTRAINT case_events_what_check,
    ADD CONSTRAINT case_events_what CHECK (what IN ('filed', 'replied', 'added', 'transferred'))
        NOT VALID,
    ADD CONSTRAINT case_events_from_to CHECK ((what = 'transferred') = (from_id IS NOT NULL)
        AND (from_id IS NULL) = (to_id IS NULL)) NOT VALID;
ALTER TABLE case_events VALIDATE CONSTRAINT case_events_what;
ALTER TABLE case_events VALIDATE CONSTRAINT case_events_from_to;
"""


def upgrade() -> None:
    """Adds the columns."""
    op.execute(TRANSFERS)
