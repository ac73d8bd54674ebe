"""Keys that sign: their sealed secret, and the nonces that were seen."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SIGNED = """
ALTER TABLE keys
    DROP CONSTRAINT keys_of_mgov,
    ADD CONSTRAINT keys_of_mgov CHECK ((sys_id IS NULL) = (user_id IS NULL)
        AND (sys_id IS NULL) = (mobile_service_id IS NULL)
        AND (sys_id IS NULL OR secret_sealed IS NOT NULL));
CREATE TABLE nonces (
    key_id   integer NOT NULL REFERENCES keys,
    nonce    text NOT NULL,
    seen_at  timestamptz NOT NULL,
    PRIMARY KEY (key_id, nonce)
);
CREATE INDEX nonces_by_age ON nonces (seen_at);
"""


def upgrade() -> None:
    """Adds the table."""
    op.execute(SIGNED)
