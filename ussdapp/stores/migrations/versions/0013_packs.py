"""Packs: the MSISDNs and texts of up to a thousand rows of a bulk, sealed as one.

A row of a bulk has its contents in its pack, any other notification in `contents`.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PACKS = """
CREATE TABLE packs (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sealed  bytea NOT NULL
);
ALTER TABLE packs ALTER sealed SET STORAGE EXTERNAL;  -- what is sealed cannot be compressed
ALTER TABLE notifications ADD COLUMN pack_id bigint;
DROP VIEW notifications_now;
CREATE VIEW notifications_now AS
    SELECT n.*, CASE WHEN n.status = 'queued' AND EXISTS (
        SELECT FROM windows w WHERE n.id = ANY (w.ids)) THEN 'submitting' ELSE n.status
        END AS stands
    FROM notifications n;
"""


def upgrade() -> None:
    """Adds them."""
    op.execute(PACKS)
