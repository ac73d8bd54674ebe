"""The first schema. Personal data are sealed (`*_sealed`) and found by blind index (`*_index`)."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHO = """
CREATE TABLE institutions (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    short_name  text NOT NULL UNIQUE CHECK (short_name ~ '^[a-z0-9][a-z0-9-]{1,19}$'),
    name_sw     text NOT NULL,
    name_en     text NOT NULL,
    sector      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE staff (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id  integer NOT NULL REFERENCES institutions,
    email           text NOT NULL UNIQUE CHECK (email = lower(email)),
    role            text NOT NULL,
    password_hash   text NOT NULL,
    totp_sealed     bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    suspended_at    timestamptz
);
CREATE TABLE keys (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id  integer NOT NULL REFERENCES institutions,
    name            text NOT NULL,
    key_index       bytea NOT NULL UNIQUE,
    live            boolean NOT NULL,
    scopes          text[] NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    revoked_at      timestamptz
);
CREATE TABLE citizens (
    msisdn_index  bytea PRIMARY KEY,
    language      text NOT NULL CHECK (language IN ('sw', 'en')),
    updated_at    timestamptz NOT NULL
);
CREATE TABLE opt_outs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    msisdn_index    bytea NOT NULL,
    institution_id  integer REFERENCES institutions,
    from_at         timestamptz NOT NULL,
    until_at        timestamptz
);
CREATE UNIQUE INDEX opt_outs_in_force ON opt_outs (msisdn_index, institution_id)
    NULLS NOT DISTINCT WHERE until_at IS NULL;
"""

CASES = """
CREATE TABLE dialogues (
    session_key  text PRIMARY KEY,
    channel      text NOT NULL,
    began_at     timestamptz NOT NULL
);
CREATE TABLE mos (
    effect         text PRIMARY KEY,
    channel        text NOT NULL,
    content_index  bytea NOT NULL,
    sender_sealed  bytea NOT NULL,
    text_sealed    bytea NOT NULL,
    received_at    timestamptz NOT NULL,
    status         text NOT NULL DEFAULT 'kept'
        CHECK (status IN ('kept', 'answered', 'over_cap', 'no_subscriber'))
);
CREATE INDEX mos_by_content ON mos (content_index, received_at);
-- Parts of long texts. begun_at tells a text from an earlier one of the same reference.
CREATE TABLE mo_parts (
    group_index    bytea NOT NULL,
    begun_at       timestamptz NOT NULL,
    number         smallint NOT NULL,
    total          smallint NOT NULL,
    channel        text NOT NULL,
    short_code     text NOT NULL,
    sender_sealed  bytea NOT NULL,
    msisdn_sealed  bytea,
    octets_sealed  bytea NOT NULL,
    content_index  bytea NOT NULL,
    data_coding    smallint NOT NULL,
    ended_at       timestamptz,
    PRIMARY KEY (group_index, begun_at, number)
);
CREATE INDEX mo_parts_waiting ON mo_parts (begun_at) WHERE ended_at IS NULL;
CREATE TABLE cases (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference       text NOT NULL UNIQUE CHECK (reference ~ '^[0-9]{12}$'),
    institution_id  integer NOT NULL REFERENCES institutions,
    kind            text NOT NULL
        CHECK (kind IN ('lalamiko', 'pendekezo', 'ulizo', 'pongezi', 'maoni')),
    visibility      text NOT NULL CHECK (visibility IN ('named', 'hidden', 'anonymous')),
    status          text NOT NULL
        CHECK (status IN ('received', 'in_progress', 'answered', 'closed')),
    medium          text NOT NULL CHECK (medium IN ('ussd', 'sms')),
    language        text NOT NULL CHECK (language IN ('sw', 'en')),
    follow_index    bytea NOT NULL,
    msisdn_index    bytea,
    msisdn_sealed   bytea,
    words_sealed    bytea NOT NULL,
    effect          text NOT NULL UNIQUE,
    received_at     timestamptz NOT NULL,
    CHECK ((visibility = 'anonymous') = (msisdn_sealed IS NULL)),
    CHECK ((msisdn_index IS NULL) = (msisdn_sealed IS NULL))
);
CREATE INDEX cases_of_institution ON cases (institution_id, id);
CREATE TABLE case_events (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id       bigint NOT NULL REFERENCES cases,
    at            timestamptz NOT NULL,
    what          text NOT NULL CHECK (what IN ('filed', 'replied', 'added')),
    status        text NOT NULL,
    words_sealed  bytea,
    effect        text UNIQUE
);
CREATE INDEX case_events_of_case ON case_events (case_id, id);
"""

NOTIFICATIONS = """
CREATE TABLE notifications (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id  integer REFERENCES institutions,
    effect          text NOT NULL UNIQUE,
    class           text NOT NULL CHECK (class IN ('urgent', 'receipt', 'transaction', 'bulk')),
    rank            smallint NOT NULL,
    channel         text NOT NULL,
    msisdn_index    bytea NOT NULL,
    msisdn_sealed   bytea NOT NULL,
    text_sealed     bytea NOT NULL,
    sender_id       text NOT NULL,
    encoding        text NOT NULL CHECK (encoding IN ('gsm7', 'ucs2')),
    parts           smallint NOT NULL CHECK (parts > 0),
    automatic       boolean NOT NULL,
    status          text NOT NULL CHECK (status IN ('queued', 'submitting', 'submitted',
        'delivered', 'undelivered', 'rejected', 'expired', 'stopped', 'in_doubt')),
    status_at       timestamptz NOT NULL,
    detail          text NOT NULL DEFAULT '',
    accepted_at     timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    bind            smallint,
    epoch           bigint,
    -- the last attempt was only asked for patience: the next write is the same attempt
    waited          boolean NOT NULL DEFAULT false,
    attempts        integer NOT NULL DEFAULT 0,
    copies          smallint NOT NULL DEFAULT 0 CHECK (copies BETWEEN 0 AND 2),
    -- parts of the present copy were taken: the rest is still that copy
    begun           boolean NOT NULL DEFAULT false,
    resent          boolean NOT NULL DEFAULT false,
    refusals        smallint NOT NULL DEFAULT 0,
    parts_delivered smallint NOT NULL DEFAULT 0,
    in_part_at      timestamptz
);
-- What was accepted, counted apart from where it stands, so that a lost row shows.
CREATE TABLE acceptances (
    institution_id  integer REFERENCES institutions,
    accepted        bigint NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION count_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO acceptances (institution_id, accepted)
        SELECT institution_id, count(*) FROM accepted GROUP BY institution_id;
    RETURN NULL;
END $$;
CREATE TRIGGER notifications_counted AFTER INSERT ON notifications
    REFERENCING NEW TABLE AS accepted
    FOR EACH STATEMENT EXECUTE FUNCTION count_accepted();
CREATE INDEX notifications_queued ON notifications (channel, rank, id) WHERE status = 'queued';
CREATE INDEX notifications_submitting ON notifications (channel, bind, epoch)
    WHERE status = 'submitting';
CREATE INDEX notifications_in_doubt ON notifications (msisdn_index)
    WHERE status = 'in_doubt' OR (status = 'queued' AND resent);
CREATE INDEX notifications_awaiting ON notifications (msisdn_index)
    WHERE status IN ('submitting', 'submitted');
CREATE INDEX notifications_in_part ON notifications (in_part_at) WHERE in_part_at IS NOT NULL;
CREATE INDEX notifications_automatic ON notifications (msisdn_index, accepted_at) WHERE automatic;
CREATE TABLE attempts (
    notification_id  bigint NOT NULL REFERENCES notifications,
    attempt          integer NOT NULL,
    channel          text NOT NULL,
    bind             smallint NOT NULL,
    epoch            bigint NOT NULL,
    window_id        bigint NOT NULL,
    writes           integer NOT NULL DEFAULT 1,
    journaled_at     timestamptz NOT NULL,
    answered_at      timestamptz,
    outcome          text CHECK (outcome IN ('submitted', 'rejected', 'deferred', 'in_doubt')),
    detail           text NOT NULL DEFAULT '',
    PRIMARY KEY (notification_id, attempt)
);
CREATE TABLE submits (
    notification_id  bigint NOT NULL,
    attempt          integer NOT NULL,
    part             smallint NOT NULL,
    account          text NOT NULL,
    message_id       text NOT NULL,  -- as spelt; '' where none was told
    message_key      text,           -- folded, to be found by; NULL where none was told
    told             boolean NOT NULL DEFAULT true,  -- by an answer; else a receipt was fitted
    receipt          text,
    submitted_at     timestamptz NOT NULL,
    PRIMARY KEY (notification_id, attempt, part),
    FOREIGN KEY (notification_id, attempt) REFERENCES attempts
);
CREATE INDEX submits_by_message_key ON submits (account, message_key);
CREATE TABLE receipts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account       text NOT NULL,
    message_id    text NOT NULL,
    message_keys  text[] NOT NULL,  -- the folded ids it may mean, in the order of their base
    status        text NOT NULL,
    code          text NOT NULL,
    msisdn_index  bytea,
    submitted_on  timestamptz,
    received_at   timestamptz NOT NULL,
    parked        text NOT NULL DEFAULT '' CHECK (parked IN ('', 'mismatched', 'other_base')),
    applied_at    timestamptz
);
CREATE INDEX receipts_parked ON receipts (id) WHERE applied_at IS NULL;
CREATE INDEX receipts_parked_of ON receipts (msisdn_index) WHERE applied_at IS NULL;
-- In which base the receipts of an account spell its message ids, learnt from the first of them.
CREATE TABLE id_bases (
    account   text PRIMARY KEY,
    base      text NOT NULL CHECK (base IN ('same', 'hex_to_decimal', 'decimal_to_hex')),
    agreeing  smallint NOT NULL,
    other     text CHECK (other IN ('same', 'hex_to_decimal', 'decimal_to_hex')),
    contrary  smallint NOT NULL
);
CREATE TABLE leases (
    channel     text NOT NULL,
    bind        smallint NOT NULL,
    epoch       bigint NOT NULL,
    renewed_at  timestamptz NOT NULL,
    PRIMARY KEY (channel, bind)
);
"""

# Each row holds the digest of the row before it, so that a change or a gap shows (security E7).
AUDIT = """
CREATE TABLE audit (
    id       bigint PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    action   text NOT NULL,
    subject  text NOT NULL,
    chain    bytea NOT NULL
);
CREATE FUNCTION audit_link(before bytea, entry audit) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(before || convert_to(jsonb_build_array(
        entry.id, extract(epoch FROM entry.at)::text, entry.actor, entry.action, entry.subject
    )::text, 'UTF8'))
$$;
CREATE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last audit;
BEGIN
    PERFORM pg_advisory_xact_lock(15201);
    SELECT * INTO last FROM audit ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.chain := audit_link(coalesce(last.chain, ''::bytea), NEW);
    RETURN NEW;
END $$;
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit table is append-only';
END $$;
CREATE TRIGGER audit_appends BEFORE INSERT ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_append();
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""


def upgrade() -> None:
    """Creates everything."""
    for statements in (WHO, CASES, NOTIFICATIONS, AUDIT):
        op.execute(statements)
