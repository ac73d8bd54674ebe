"""Webhooks: where institutions are told what happened, and each event on its way to one of them.

An event is written in the transaction of what it tells, by triggers. That a notification became
final is not: `untold` holds the ids whose end is yet to be told, written where they are accepted,
and a worker looks at them again and again. So what moves a notification pays nothing for it.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

WEBHOOKS = """
CREATE TABLE webhooks (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id  integer NOT NULL REFERENCES institutions,
    live            boolean NOT NULL,  -- or a test key's, told of what was simulated
    name            text NOT NULL,
    url_sealed      bytea NOT NULL,  -- it may hold a token
    secret_sealed   bytea NOT NULL,
    former_sealed   bytea,  -- the secret before, signing as well for a while
    rotated_at      timestamptz,
    events          text[] NOT NULL,
    created_at      timestamptz NOT NULL,
    off_at          timestamptz,
    detail          text NOT NULL DEFAULT '',
    failures        integer NOT NULL DEFAULT 0,  -- windows in a row that came to nothing
    held_until      timestamptz NOT NULL DEFAULT '-infinity',  -- taken by a worker, or left alone
    UNIQUE (institution_id, live, name)
);
CREATE INDEX webhooks_of_finals ON webhooks (institution_id)
    WHERE 'notification.final' = ANY (events) AND off_at IS NULL;
-- No foreign key: a million rows written at once would look it up and lock it a million times.
CREATE TABLE deliveries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id  integer NOT NULL,
    type        text NOT NULL,
    subject     bigint,  -- the number of what it is about, where that has one
    data        jsonb,  -- what is told, where no row tells it later
    at          timestamptz NOT NULL,
    status      text NOT NULL DEFAULT 'waiting'
        CHECK (status IN ('waiting', 'delivered', 'given_up')),
    tries       smallint NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    tried_at    timestamptz,
    detail      text NOT NULL DEFAULT ''
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX deliveries_due ON deliveries (webhook_id, due_at) WHERE status = 'waiting';
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, id);
CREATE FUNCTION tell(institution integer, what text, of_live boolean, number bigint, facts jsonb,
    happened timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO deliveries (webhook_id, type, subject, data, at, due_at)
    SELECT id, what, number, facts, happened, happened FROM webhooks
    WHERE institution_id = institution AND live = of_live AND what = ANY (events)
        AND off_at IS NULL
$$;
"""

# In blocks of ids, as in the queue. `look_at` comes more seldom the older a block is.
UNTOLD = """
CREATE TABLE untold (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id  integer NOT NULL,
    begun_at        timestamptz NOT NULL,
    look_at         timestamptz NOT NULL,
    ids             bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER TABLE untold ALTER ids SET STORAGE EXTERNAL;
CREATE INDEX untold_due ON untold (look_at);
CREATE OR REPLACE FUNCTION count_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO acceptances (institution_id, accepted)
        SELECT institution_id, count(*) FROM accepted GROUP BY institution_id;
    IF EXISTS (SELECT FROM webhooks WHERE 'notification.final' = ANY (events)
            AND off_at IS NULL) THEN
        INSERT INTO untold (institution_id, begun_at, look_at, ids)
            SELECT institution_id, min(accepted_at), min(accepted_at), array_agg(id)
            FROM (SELECT institution_id, accepted_at, id,
                    (row_number() OVER (PARTITION BY institution_id) - 1) / 1000 AS block
                FROM accepted WHERE institution_id IN (SELECT institution_id FROM webhooks
                    WHERE 'notification.final' = ANY (events) AND off_at IS NULL)) a
            GROUP BY institution_id, block;
    END IF;
    RETURN NULL;
END $$;
"""

TOLD = """
CREATE FUNCTION tell_of_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(NEW.institution_id, 'case.opened', true, NEW.id, NULL,
        CASE TG_OP WHEN 'INSERT' THEN NEW.received_at ELSE now() END);
    RETURN NULL;
END $$;
CREATE TRIGGER cases_told AFTER INSERT ON cases FOR EACH ROW EXECUTE FUNCTION tell_of_case();
-- to whom it is handed over it is new
CREATE TRIGGER cases_told_anew AFTER UPDATE OF institution_id ON cases FOR EACH ROW
    WHEN (OLD.institution_id <> NEW.institution_id) EXECUTE FUNCTION tell_of_case();
CREATE FUNCTION tell_of_bulk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(NEW.institution_id, 'bulk.finished', NEW.live, NEW.id, NULL, NEW.ended_at);
    RETURN NULL;
END $$;
CREATE TRIGGER bulks_told AFTER UPDATE OF ended_at ON bulks FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION tell_of_bulk();
-- Whom a text concerned, and by which word, once that is known.
ALTER TABLE mos ADD COLUMN institution_id integer, ADD COLUMN keyword text;
CREATE FUNCTION tell_of_mo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(NEW.institution_id, 'sms.received', true, NULL,
        jsonb_build_object('keyword', NEW.keyword), NEW.received_at);
    RETURN NULL;
END $$;
CREATE TRIGGER mos_told AFTER UPDATE OF institution_id ON mos FOR EACH ROW
    WHEN (OLD.institution_id IS NULL AND NEW.institution_id IS NOT NULL)
    EXECUTE FUNCTION tell_of_mo();
"""


def upgrade() -> None:
    """Adds tables and triggers; what is accepted by then is not told of."""
    for statements in (WEBHOOKS, UNTOLD, TOLD):
        op.execute(statements)
