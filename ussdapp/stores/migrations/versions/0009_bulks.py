"""Bulks: what was accepted at once, what of it is not yet checked, and what was refused."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BULKS = """
ALTER TABLE institutions
    -- a bulk of more rows than this is sent when another person approves
    ADD COLUMN approval_above integer NOT NULL DEFAULT 10000 CHECK (approval_above >= 0);
CREATE TABLE bulks (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id  integer NOT NULL REFERENCES institutions,
    effect          text NOT NULL UNIQUE,
    body_index      bytea NOT NULL,  -- tells a repeat from another body under the same key
    live            boolean NOT NULL,
    author          text NOT NULL,
    name            text NOT NULL,
    text_sealed     bytea NOT NULL,
    class           text NOT NULL CHECK (class IN ('urgent', 'receipt', 'transaction', 'bulk')),
    sender_id       text NOT NULL,
    repeats         boolean NOT NULL,  -- an MSISDN that comes twice is sent twice
    source          text NOT NULL CHECK (source IN ('recipients', 'csv', 'xlsx')),
    accepted_at     timestamptz NOT NULL,
    send_at         timestamptz,
    status          text NOT NULL CHECK (status IN ('checking', 'awaiting_approval', 'queued',
        'sending', 'finished', 'stopped')),
    read            integer NOT NULL DEFAULT 0,  -- the last row that was checked
    tries           smallint NOT NULL DEFAULT 0,  -- to check it, since the last progress
    total           integer NOT NULL DEFAULT 0,
    accepted        integer NOT NULL DEFAULT 0,
    rejected        integer NOT NULL DEFAULT 0,
    parts           bigint NOT NULL DEFAULT 0,
    preview_sealed  bytea,
    detail          text NOT NULL DEFAULT '',
    approved_by     text,
    released_at     timestamptz,  -- nothing of it is held any more
    ended_at        timestamptz,  -- finished or stopped
    counts          jsonb NOT NULL DEFAULT '{}',
    counted_at      timestamptz,
    rate_per_s      real
) WITH (fillfactor = 50);
CREATE INDEX bulks_of_institution ON bulks (institution_id, id);
CREATE INDEX bulks_under_way ON bulks (id) WHERE ended_at IS NULL;
-- What was accepted and is not yet checked: recipients as JSON, or octets of a file.
CREATE TABLE bulk_blocks (
    bulk_id  bigint NOT NULL,
    number   integer NOT NULL,
    sealed   bytea NOT NULL,
    kept_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bulk_id, number)
);
ALTER TABLE bulk_blocks ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE TABLE bulk_rejections (
    bulk_id  bigint NOT NULL,
    row_no   integer NOT NULL,
    field    text NOT NULL,
    code     text NOT NULL,
    message  text NOT NULL
);
CREATE INDEX bulk_rejections_of ON bulk_rejections (bulk_id, row_no);
"""

# A row of a bulk is named by the bulk and its number in it: both never change, so that what
# changes of it still changes in its page.
ROWS = """
ALTER TABLE notifications ALTER COLUMN effect DROP NOT NULL,
    ADD COLUMN bulk_id bigint, ADD COLUMN row_no integer,
    ADD CONSTRAINT notifications_named CHECK (effect IS NOT NULL OR
        (bulk_id IS NOT NULL AND row_no IS NOT NULL));
CREATE UNIQUE INDEX notifications_of_bulk ON notifications (bulk_id, row_no)
    WHERE bulk_id IS NOT NULL;
-- A row that comes back from the operator, or from a claim, after its bulk was stopped stays out of
-- the queue: whoever queues it waits for the stop, or the stop for them.
CREATE FUNCTION stop_late() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stands text;
BEGIN
    SELECT status INTO stands FROM bulks WHERE id = NEW.bulk_id FOR SHARE;
    IF stands = 'stopped' THEN
        -- of one queued for its second copy, the first may have arrived
        UPDATE notifications SET status = CASE WHEN resent THEN 'in_doubt' ELSE 'stopped' END,
            detail = '' WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notifications_stopped_late AFTER UPDATE OF status ON notifications FOR EACH ROW
    WHEN (NEW.bulk_id IS NOT NULL AND NEW.status = 'queued')
    EXECUTE FUNCTION stop_late();
"""


def upgrade() -> None:
    """Adds them."""
    for statements in (BULKS, ROWS):
        op.execute(statements)
