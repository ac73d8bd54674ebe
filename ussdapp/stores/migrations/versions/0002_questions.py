"""What institutions did not answer in time. What was asked is forgotten when it ends."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

QUESTIONS = """
CREATE TABLE questions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    effect         text NOT NULL UNIQUE,
    office         text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('lookup', 'summary')),
    institution    text,
    language       text NOT NULL CHECK (language IN ('sw', 'en')),
    data_sealed    bytea,
    msisdn_sealed  bytea,
    status         text NOT NULL CHECK (status IN ('asked', 'answered', 'failed')),
    tries          smallint NOT NULL DEFAULT 0,
    posts          smallint NOT NULL,
    asked_at       timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    ended_at       timestamptz,
    CHECK ((status = 'asked') = (ended_at IS NULL)),
    CHECK ((status = 'asked') = (data_sealed IS NOT NULL)),
    CHECK ((status = 'asked') = (msisdn_sealed IS NOT NULL))
);
CREATE INDEX questions_due ON questions (due_at, id) WHERE status = 'asked';
"""


def upgrade() -> None:
    """Creates the table."""
    op.execute(QUESTIONS)
