"""Quotas in parts: an institution's counters of each day, spread so that no two requests wait."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Escrow (O'Neil, 1986): each shard may spend up to `may` by itself, and together they may not spend
# more than the quotas leave. NULL is no limit. Days that are over are one row, shard -1.
COUNTERS = """
ALTER TABLE institutions
    ADD COLUMN quota_day bigint CHECK (quota_day > 0),
    ADD COLUMN quota_month bigint CHECK (quota_month > 0);
CREATE TABLE quota_shards (
    institution_id  integer NOT NULL REFERENCES institutions,
    live            boolean NOT NULL,  -- what test keys send is counted apart
    day             date NOT NULL,     -- EAT
    shard           smallint NOT NULL,
    used            bigint NOT NULL DEFAULT 0,
    may             bigint DEFAULT 0,
    PRIMARY KEY (institution_id, live, day, shard)
) WITH (fillfactor = 20);
"""

# A connection has a shard of its own, nearly always: what waits for a commit holds up nobody.
SPENDING = """
CREATE FUNCTION spend_parts(of integer, is_live boolean, is_urgent boolean, today date,
    wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        UPDATE quota_shards SET used = used + wanted
            WHERE institution_id = of AND live = is_live AND day = today
                AND shard = pg_backend_pid() % 64
                AND (is_urgent OR may IS NULL OR used + wanted <= may);
        IF FOUND THEN
            RETURN;
        END IF;
        -- a row that was waited for stays locked though it has not enough: it is let go of, or
        -- whoever shares out waits for it, and this for them
        RAISE EXCEPTION USING ERRCODE = 'UQ002';
    EXCEPTION WHEN SQLSTATE 'UQ002' THEN
    END;
    PERFORM share_quota(of, is_live, is_urgent, today, wanted);
END $$;
-- One at a time: takes back what the shards have not spent and shares it out anew.
CREATE FUNCTION share_quota(of integer, is_live boolean, is_urgent boolean, today date,
    wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    mine smallint := pg_backend_pid() % 64;
    limits record;
    today_used bigint;
    shards integer;
    before bigint;
    spare bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1903521652, of);
    WITH over AS (
        DELETE FROM quota_shards WHERE institution_id = of AND live = is_live AND day < today
            AND shard >= 0 RETURNING day, used)
    INSERT INTO quota_shards AS q (institution_id, live, day, shard, used)
        SELECT of, is_live, day, -1, sum(used) FROM over GROUP BY day
        ON CONFLICT (institution_id, live, day, shard)
            DO UPDATE SET used = q.used + excluded.used;
    INSERT INTO quota_shards (institution_id, live, day, shard)
        SELECT of, is_live, today, n FROM generate_series(0, 63) n ON CONFLICT DO NOTHING;
    PERFORM FROM quota_shards WHERE institution_id = of AND live = is_live AND day = today
        ORDER BY shard FOR UPDATE;
    SELECT quota_day, quota_month INTO limits FROM institutions WHERE id = of;
    SELECT sum(used), count(*) INTO today_used, shards FROM quota_shards
        WHERE institution_id = of AND live = is_live AND day = today;
    SELECT coalesce(sum(used), 0) INTO before FROM quota_shards
        WHERE institution_id = of AND live = is_live
            AND day >= date_trunc('month', today) AND day < today;
    spare := least(limits.quota_day - today_used, limits.quota_month - before - today_used);
    IF wanted > spare AND NOT is_urgent THEN
        RAISE EXCEPTION USING ERRCODE = 'UQ001', MESSAGE = 'over quota',
            DETAIL = json_build_array(
                limits.quota_day, limits.quota_day - today_used,
                limits.quota_month, limits.quota_month - before - today_used)::text;
    END IF;
    UPDATE quota_shards SET used = used + CASE shard WHEN mine THEN wanted ELSE 0 END,
        may = CASE WHEN spare IS NOT NULL THEN used
            + CASE shard WHEN mine THEN wanted ELSE 0 END
            + greatest(spare - wanted, 0) / shards END
        WHERE institution_id = of AND live = is_live AND day = today;
END $$;
"""


def upgrade() -> None:
    """Adds them; what was accepted before is not counted."""
    for statements in (COUNTERS, SPENDING):
        op.execute(statements)
