"""Codes that institutions ask for: sender IDs, keywords, branches of the service code; and the
texts that are handed to an institution's own address."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

CODES = """
CREATE TABLE codes (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id     integer NOT NULL REFERENCES institutions,
    effect             text NOT NULL UNIQUE,
    body_index         bytea NOT NULL,  -- tells a repeat from another body under the same key
    live               boolean NOT NULL,
    kind               text NOT NULL CHECK (kind IN ('sender_id', 'keyword', 'service_code')),
    value              text NOT NULL,
    purpose            text NOT NULL,
    url_sealed         bytea,
    secret_sealed      bytea,
    status             text NOT NULL CHECK (status IN ('requested', 'conditions_met', 'allotted',
        'refused', 'revoked')),
    requested_at       timestamptz NOT NULL,
    conditions_met_at  timestamptz,
    escalated_at       timestamptz,
    decided_at         timestamptz,
    reason             text NOT NULL DEFAULT '',
    CHECK ((kind = 'keyword') = (url_sealed IS NOT NULL)),
    CHECK ((kind = 'keyword') = (secret_sealed IS NOT NULL)),
    CHECK (live OR status = 'requested')
);
CREATE INDEX codes_of_institution ON codes (institution_id, id);
CREATE INDEX codes_running ON codes (id) WHERE status = 'conditions_met';
CREATE UNIQUE INDEX codes_allotted ON codes (kind, value) WHERE status = 'allotted';
CREATE INDEX sender_ids_allotted ON codes (institution_id)
    WHERE kind = 'sender_id' AND status = 'allotted';
CREATE TABLE code_conditions (
    code_id   bigint NOT NULL REFERENCES codes,
    name      text NOT NULL,
    document  text NOT NULL,
    met_at    timestamptz NOT NULL,
    PRIMARY KEY (code_id, name)
);
-- The ways a code is read, until it is refused or revoked: no two codes share one.
CREATE TABLE code_forms (
    kind     text NOT NULL,
    form     text NOT NULL,
    code_id  bigint NOT NULL REFERENCES codes,
    PRIMARY KEY (kind, form)
);
CREATE INDEX code_forms_of ON code_forms (code_id);
"""

# Sender IDs were allotted by hand before: they are codes like any other.
BEFORE = """
INSERT INTO codes (institution_id, effect, body_index, live, kind, value, purpose, status,
        requested_at, conditions_met_at, decided_at)
    SELECT institution_id, 'before:' || sender_id, '', true, 'sender_id', sender_id, '',
        'allotted', allotted_at, allotted_at, allotted_at
    FROM sender_ids;
INSERT INTO code_forms (kind, form, code_id)
    SELECT kind, lower(regexp_replace(value, '[^0-9A-Za-z]', '', 'g')), min(id) FROM codes
    GROUP BY 1, 2;
DROP TABLE sender_ids;
"""

QUESTIONS = """
ALTER TABLE questions DROP CONSTRAINT questions_kind_check,
    ADD CONSTRAINT questions_kind_check CHECK (kind IN ('lookup', 'summary', 'keyword'));
"""


def upgrade() -> None:
    """Adds the tables; what was allotted stays so."""
    for statements in (CODES, BEFORE, QUESTIONS):
        op.execute(statements)
