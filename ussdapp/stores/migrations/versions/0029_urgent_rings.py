"""Whatever is urgent rings for itself when it is queued, in the commit that queues it.

A ring through Redis takes four turns of a processor between the commit and the worker; this takes
two. Only what is urgent: commits that notify wait for one another (PostgreSQL 18, async.c).
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

RINGING = """
CREATE FUNCTION ring_urgent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('urgent', NEW.channel);
    RETURN NULL;
END $$;
CREATE TRIGGER queue_urgent AFTER INSERT ON queue FOR EACH ROW
    WHEN (NEW.rank = 0) EXECUTE FUNCTION ring_urgent();
"""


def upgrade() -> None:
    """Adds the trigger."""
    op.execute(RINGING)
