"""Whose texts a sender ID means is read from the codes, where sender IDs are now."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# One that was revoked still says whose text it was that an operator speaks of.
WHOSE = """
CREATE OR REPLACE FUNCTION whose_sender_id(named text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT institution_id FROM codes WHERE kind = 'sender_id' AND value = named
            AND status IN ('allotted', 'revoked') ORDER BY status, id DESC LIMIT 1),
        (SELECT id FROM institutions WHERE short_name = lower(named)))
$$;
"""


def upgrade() -> None:
    """Replaces the function."""
    op.execute(WHOSE)
