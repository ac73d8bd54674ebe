"""An opt-out that a receipt told of changes the register when the receipt is settled.

It may have waited for days: whoever asks for what changed since yesterday would never see it.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

HEARING = """
-- `at` is when the operator said it, `heard` when we understood.
CREATE FUNCTION hear_opt_out(number bigint, how text, at timestamptz, heard timestamptz)
    RETURNS void LANGUAGE sql AS $$
    SELECT opt_out(n.msisdn_index, c.msisdn_sealed, w.institution, how, at, heard)
    FROM notifications n LEFT JOIN contents c ON c.notification_id = n.id
    CROSS JOIN LATERAL (SELECT whose_sender_id(n.sender_id) AS institution) w
    WHERE n.id = number AND NOT EXISTS (SELECT FROM opt_outs o
        WHERE o.msisdn_index = n.msisdn_index AND o.until_at > at
            AND o.institution_id IS NOT DISTINCT FROM w.institution)
$$;
CREATE OR REPLACE FUNCTION hear_refusal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hear_opt_out(NEW.notification_id, 'refusal', NEW.answered_at, NEW.answered_at);
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION hear_receipts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hear_opt_out(r.number, 'receipt', NEW.received_at, NEW.ended_at)
        FROM unnest(NEW.notification_ids, NEW.codes) AS r (number, code)
        WHERE r.code = 'opted_out' AND r.number > 0 ORDER BY r.number;
    RETURN NULL;
END $$;
DROP FUNCTION hear_opt_out(bigint, text, timestamptz);
"""


def upgrade() -> None:
    """Replaces the functions."""
    op.execute(HEARING)
