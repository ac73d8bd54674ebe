"""Delivery by the window: blocks of ids in a queue, open windows, and rows that change in place.

What changes of a notification is in no index, so that PostgreSQL changes it in its page (HOT);
what never changes of it and is personal lies apart in `contents`.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What is accepted meanwhile by a process of the version before would be queued nowhere.
CONTENTS = """
LOCK TABLE notifications, attempts, submits IN ACCESS EXCLUSIVE MODE;
CREATE TABLE contents (
    notification_id  bigint PRIMARY KEY,
    msisdn_sealed    bytea NOT NULL,
    text_sealed      bytea NOT NULL
);
INSERT INTO contents SELECT id, msisdn_sealed, text_sealed FROM notifications;
"""

# An id of a notification that is `queued` is in one row of the queue or in one open window.
QUEUE = """
CREATE TABLE queue (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel         text NOT NULL,
    rank            smallint NOT NULL,
    turn            bigint NOT NULL,  -- start-time fair queueing: who had least goes first
    institution_id  integer NOT NULL DEFAULT 0,  -- 0 is the gateway itself
    bulk_id         bigint NOT NULL DEFAULT 0,  -- 0 is no bulk
    due_at          timestamptz NOT NULL,
    ids             bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01);
CREATE INDEX queue_in_turn ON queue (channel, rank, turn, id);
CREATE INDEX queue_of_flow ON queue (channel, rank, institution_id, bulk_id, turn);
-- Turns are counted in notifications. Who had nothing queued begins where the lane stands now; who
-- had begins where their last block ends, in steps as large as the institution has bulks under way,
-- so that two bulks of one institution share what another gets for its one.
CREATE FUNCTION next_turn(lane_channel text, lane_rank smallint, institution int, bulk bigint,
    due timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE bulks AS (
        (SELECT bulk_id FROM queue WHERE channel = lane_channel AND rank = lane_rank
            AND institution_id = institution ORDER BY bulk_id LIMIT 1)
        UNION ALL
        SELECT (SELECT q.bulk_id FROM queue q WHERE q.channel = lane_channel
            AND q.rank = lane_rank AND q.institution_id = institution AND q.bulk_id > b.bulk_id
            ORDER BY q.bulk_id LIMIT 1)
        FROM bulks b WHERE b.bulk_id IS NOT NULL)
    SELECT greatest(
        coalesce((SELECT turn FROM queue WHERE channel = lane_channel AND rank = lane_rank
            AND due_at <= due ORDER BY turn LIMIT 1), 0),
        coalesce((SELECT turn + cardinality(ids) * (SELECT count(bulk_id) FROM bulks) FROM queue
            WHERE channel = lane_channel AND rank = lane_rank AND institution_id = institution
            AND bulk_id = bulk ORDER BY turn DESC LIMIT 1), 0))
$$;
INSERT INTO queue (channel, rank, turn, institution_id, due_at, ids)
    SELECT channel, rank, id, coalesce(institution_id, 0), due_at, ARRAY[id]
    FROM notifications WHERE status = 'queued' ORDER BY id;
-- The journal: what may leave on a bind, committed before its first octet.
CREATE TABLE windows (
    id            bigint PRIMARY KEY,  -- chosen by the process, so that it can name one unheard of
    channel       text NOT NULL,
    bind          smallint NOT NULL,
    epoch         bigint NOT NULL,
    journaled_at  timestamptz NOT NULL,
    ids           bigint[] NOT NULL
);
INSERT INTO windows
    SELECT a.window_id, n.channel, n.bind, n.epoch, min(a.journaled_at), array_agg(n.id)
    FROM notifications n JOIN attempts a ON (a.notification_id, a.attempt) = (n.id, n.attempts)
    WHERE n.status = 'submitting' GROUP BY 1, 2, 3, 4;
UPDATE attempts SET outcome = 'deferred', answered_at = journaled_at
    WHERE outcome IS NULL AND writes > 1;
DELETE FROM attempts a USING notifications n WHERE n.status = 'submitting'
    AND (a.notification_id, a.attempt) = (n.id, n.attempts) AND a.writes = 1;
UPDATE notifications n SET status = 'queued', copies = copies - (NOT begun)::int,
    attempts = attempts - (NOT EXISTS (SELECT FROM attempts a
        WHERE (a.notification_id, a.attempt) = (n.id, n.attempts)))::int
    WHERE status = 'submitting';
"""

CHANGED_IN_PLACE = """
-- they live for milliseconds: compressing them is most of what they cost
ALTER TABLE queue ALTER ids SET STORAGE EXTERNAL;
ALTER TABLE windows ALTER ids SET STORAGE EXTERNAL;
CREATE TABLE in_part (
    notification_id  bigint PRIMARY KEY,
    came_at          timestamptz NOT NULL
);
INSERT INTO in_part SELECT id, in_part_at FROM notifications WHERE in_part_at IS NOT NULL;
DROP INDEX notifications_queued, notifications_submitting, notifications_in_doubt,
    notifications_awaiting, notifications_in_part, notifications_automatic;
ALTER TABLE notifications DROP COLUMN msisdn_sealed, DROP COLUMN text_sealed,
    DROP COLUMN bind, DROP COLUMN epoch, DROP COLUMN in_part_at,
    ADD COLUMN text_index bytea,  -- the same for the same text; NULL before this migration
    ADD COLUMN crowded boolean NOT NULL DEFAULT false,  -- its MSISDN had another within the day
    ADD CONSTRAINT notifications_not_submitting CHECK (status <> 'submitting');
ALTER TABLE notifications SET (fillfactor = 50);
CREATE INDEX notifications_of_msisdn ON notifications (msisdn_index, accepted_at);
ALTER TABLE submits DROP CONSTRAINT submits_notification_id_attempt_fkey;
ALTER TABLE submits SET (fillfactor = 90);
-- An attempt that was taken at once has its rows in `submits` alone.
DELETE FROM attempts a WHERE outcome = 'submitted' AND writes = 1 AND EXISTS (
    SELECT FROM submits s WHERE (s.notification_id, s.attempt) = (a.notification_id, a.attempt));
ALTER TABLE attempts ALTER COLUMN outcome SET NOT NULL, ALTER COLUMN answered_at SET NOT NULL;
"""

# `in_doubt`, or queued for its one further copy: kept by a trigger, found without an index that
# every other notification would pay for.
APART = """
CREATE TABLE doubts (
    notification_id  bigint PRIMARY KEY,
    channel          text NOT NULL,
    msisdn_index     bytea NOT NULL
);
INSERT INTO doubts SELECT id, channel, msisdn_index FROM notifications
    WHERE status = 'in_doubt' OR (status = 'queued' AND resent);
CREATE FUNCTION keep_doubt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'in_doubt' OR (NEW.status = 'queued' AND NEW.resent) THEN
        INSERT INTO doubts VALUES (NEW.id, NEW.channel, NEW.msisdn_index) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM doubts WHERE notification_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notifications_doubted AFTER UPDATE ON notifications FOR EACH ROW
    WHEN (NEW.status = 'in_doubt' OR OLD.status = 'in_doubt' OR OLD.resent OR NEW.resent)
    EXECUTE FUNCTION keep_doubt();
"""

# Where each notification stands, for whoever asks: `submitting` is being in an open window.
NOW = """
CREATE VIEW notifications_now AS
    SELECT n.*, CASE WHEN n.status = 'queued' AND EXISTS (
        SELECT FROM windows w WHERE n.id = ANY (w.ids)) THEN 'submitting' ELSE n.status
        END AS stands
    FROM notifications n;
"""


# Every attempt and when it was journaled, for a receipt whose id nobody told. One taken at once was
# journaled at most a response timer before its answer.
JOURNALED = """
CREATE VIEW journaled AS
    SELECT notification_id, attempt, journaled_at, outcome FROM attempts
    UNION ALL SELECT notification_id, attempt, submitted_at - interval '60 s', 'submitted'
        FROM submits WHERE told
    UNION ALL SELECT n.id, n.attempts + 1, w.journaled_at, NULL
        FROM windows w JOIN notifications n ON n.id = ANY (w.ids);
"""


def upgrade() -> None:
    """Moves what was accepted into the new tables."""
    for statements in (CONTENTS, QUEUE, CHANGED_IN_PLACE, APART, NOW, JOURNALED):
        op.execute(statements)
