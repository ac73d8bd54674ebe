"""Blocks that are due later lie behind all others of their lane, where no claim looks."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# A parked block's turn is 2^61 and the milliseconds of the moment it is due at. In plpgsql, whose
# plans are kept: as SQL it was planned anew by every statement that called it.
TURNS = """
CREATE FUNCTION parked_until(due timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN due > now() + interval '2 s'
        THEN (1::bigint << 61) + (extract(epoch FROM due) * 1000)::bigint END
$$;
CREATE OR REPLACE FUNCTION next_turn(lane_channel text, lane_rank smallint, institution int,
    bulk bigint, due timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    parked bigint := parked_until(due);
    stands bigint;
    ends bigint;
    held int;
BEGIN
    IF parked IS NOT NULL THEN
        RETURN parked;
    END IF;
    SELECT turn INTO stands FROM queue WHERE channel = lane_channel AND rank = lane_rank
        AND turn < 1::bigint << 61 AND due_at <= due ORDER BY turn LIMIT 1;
    SELECT turn, cardinality(ids) INTO ends, held FROM queue
        WHERE channel = lane_channel AND rank = lane_rank AND institution_id = institution
        AND bulk_id = bulk AND turn < 1::bigint << 61 ORDER BY turn DESC LIMIT 1;
    IF ends IS NULL THEN
        RETURN coalesce(stands, 0);
    END IF;
    RETURN greatest(stands, ends + held * (
        WITH RECURSIVE bulks AS (
            (SELECT bulk_id FROM queue WHERE channel = lane_channel AND rank = lane_rank
                AND institution_id = institution ORDER BY bulk_id LIMIT 1)
            UNION ALL
            SELECT (SELECT q.bulk_id FROM queue q WHERE q.channel = lane_channel
                AND q.rank = lane_rank AND q.institution_id = institution
                AND q.bulk_id > b.bulk_id ORDER BY q.bulk_id LIMIT 1)
            FROM bulks b WHERE b.bulk_id IS NOT NULL)
        SELECT count(bulk_id) FROM bulks));
END $$;
CREATE INDEX queue_parked ON queue (turn) WHERE turn >= 1::bigint << 61;
UPDATE queue SET turn = parked_until(due_at)
    WHERE parked_until(due_at) IS NOT NULL AND channel NOT LIKE '%:%';
"""


def upgrade() -> None:
    """Parks what waits for its time."""
    op.execute(TURNS)
