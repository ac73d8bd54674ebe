"""Opt-outs as a register: how each was learnt and ended, and what operators' answers teach."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# `learnt` is the strongest word there is: an institution's own note gives way to any other. NULL is
# from before it was noted. The MSISDN is sealed as in `contents`, from where SQL copies it.
REGISTER = """
ALTER TABLE opt_outs
    ADD COLUMN msisdn_sealed bytea,
    ADD COLUMN learnt text CHECK (learnt IN
        ('sms', 'ussd', 'callback', 'refusal', 'receipt', 'institution', 'person')),
    ADD COLUMN ended text CHECK (ended IN ('sms', 'ussd', 'institution', 'person')),
    ADD COLUMN changed_at timestamptz;
UPDATE opt_outs SET changed_at = coalesce(until_at, from_at);
ALTER TABLE opt_outs ALTER COLUMN changed_at SET NOT NULL;
CREATE INDEX opt_outs_changed ON opt_outs (institution_id, changed_at);
CREATE INDEX opt_outs_ended ON opt_outs (msisdn_index, until_at) WHERE until_at IS NOT NULL;
-- Each way in which one was heard of, when first.
CREATE TABLE opt_out_grounds (
    opt_out_id  bigint NOT NULL REFERENCES opt_outs,
    learnt      text NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (opt_out_id, learnt)
);
"""

LEARNING = """
CREATE FUNCTION opt_out(index bytea, sealed bytea, of integer, how text, since timestamptz,
    now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE number bigint;
BEGIN
    INSERT INTO opt_outs AS o
        (msisdn_index, institution_id, from_at, msisdn_sealed, learnt, changed_at)
        VALUES (index, of, since, sealed, how, now)
        ON CONFLICT (msisdn_index, institution_id) WHERE until_at IS NULL DO UPDATE SET
            msisdn_sealed = coalesce(o.msisdn_sealed, excluded.msisdn_sealed),
            learnt = CASE o.learnt WHEN 'institution' THEN excluded.learnt ELSE o.learnt END
        RETURNING id INTO number;
    INSERT INTO opt_out_grounds VALUES (number, how, now) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        UPDATE opt_outs SET changed_at = greatest(changed_at, now) WHERE id = number;
    END IF;
    RETURN number;
END $$;
-- Whose texts a sender ID means; NULL is ours, so all institutions'.
CREATE FUNCTION whose_sender_id(named text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT institution_id FROM sender_ids WHERE sender_id = named),
        (SELECT id FROM institutions WHERE short_name = lower(named)))
$$;
-- What an operator said of a text, unless the citizen came back after it.
CREATE FUNCTION hear_opt_out(number bigint, how text, at timestamptz)
    RETURNS void LANGUAGE sql AS $$
    SELECT opt_out(n.msisdn_index, c.msisdn_sealed, w.institution, how, at, at)
    FROM notifications n LEFT JOIN contents c ON c.notification_id = n.id
    CROSS JOIN LATERAL (SELECT whose_sender_id(n.sender_id) AS institution) w
    WHERE n.id = number AND NOT EXISTS (SELECT FROM opt_outs o
        WHERE o.msisdn_index = n.msisdn_index AND o.until_at > at
            AND o.institution_id IS NOT DISTINCT FROM w.institution)
$$;
"""

# Within the transaction of the verdict, and only for the rare row that says so: the code is
# core.opt_outs.OPTED_OUT.
HEARING = """
CREATE FUNCTION hear_refusal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hear_opt_out(NEW.notification_id, 'refusal', NEW.answered_at);
    RETURN NULL;
END $$;
CREATE TRIGGER attempts_opted_out AFTER INSERT OR UPDATE OF outcome ON attempts FOR EACH ROW
    WHEN (NEW.detail = 'opted_out' AND NEW.outcome = 'rejected') EXECUTE FUNCTION hear_refusal();
CREATE FUNCTION hear_receipts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hear_opt_out(r.number, 'receipt', NEW.received_at)
        FROM unnest(NEW.notification_ids, NEW.codes) AS r (number, code)
        WHERE r.code = 'opted_out' AND r.number > 0 ORDER BY r.number;
    RETURN NULL;
END $$;
CREATE TRIGGER receipts_opted_out AFTER INSERT ON receipts FOR EACH ROW
    WHEN ('opted_out' = ANY (NEW.codes)) EXECUTE FUNCTION hear_receipts();
"""


def upgrade() -> None:
    """Widens the table and begins to listen."""
    for statements in (REGISTER, LEARNING, HEARING):
        op.execute(statements)
