"""What institutions send by the API: keys with limits, references, and sender IDs."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# A key with a `sys_id` is one of the mGov API: its secret signs, so that it is sealed and not
# digested.
KEYS = """
ALTER TABLE keys
    ADD COLUMN networks cidr[] NOT NULL DEFAULT '{}',  -- none: any
    ADD COLUMN per_second integer NOT NULL DEFAULT 50 CHECK (per_second > 0),
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN sys_id text,
    ADD COLUMN user_id text,
    ADD COLUMN mobile_service_id text,
    ADD COLUMN secret_sealed bytea,
    ADD CONSTRAINT keys_of_mgov CHECK ((sys_id IS NULL) = (user_id IS NULL)
        AND (sys_id IS NULL) = (mobile_service_id IS NULL)
        AND (sys_id IS NULL) = (secret_sealed IS NULL));
CREATE INDEX keys_by_sys_id ON keys (sys_id) WHERE sys_id IS NOT NULL;
CREATE INDEX keys_by_user_id ON keys (user_id) WHERE user_id IS NOT NULL;
CREATE TABLE sender_ids (
    sender_id       text PRIMARY KEY,
    institution_id  integer NOT NULL REFERENCES institutions,
    allotted_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sender_ids_of_institution ON sender_ids (institution_id);
"""

# `body_index` tells a repeat from another body under the same idempotency key. None of these
# columns changes, so that a notification still changes in its page.
ACCEPTED = """
ALTER TABLE contents ADD COLUMN reference_sealed bytea, ADD COLUMN body_index bytea;
ALTER TABLE notifications ADD COLUMN reference_index bytea;
CREATE INDEX notifications_of_institution ON notifications (institution_id, id);
CREATE INDEX notifications_by_reference ON notifications (institution_id, reference_index, id)
    WHERE reference_index IS NOT NULL;
"""


def upgrade() -> None:
    """Adds the columns and the table."""
    for statements in (KEYS, ACCEPTED):
        op.execute(statements)
