"""Templates with versions, what was written with which, and who wants texts of GSM-7."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TEMPLATES = """
CREATE TABLE templates (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id  integer NOT NULL REFERENCES institutions,
    name            text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,59}$'),
    stands          integer NOT NULL,  -- the version that a use of the name alone means
    UNIQUE (institution_id, name)
);
CREATE TABLE template_versions (
    template_id   integer NOT NULL REFERENCES templates,
    version       integer NOT NULL CHECK (version > 0),
    sw            text NOT NULL,
    en            text NOT NULL,
    published_by  text NOT NULL,
    published_at  timestamptz NOT NULL,
    PRIMARY KEY (template_id, version)
);
CREATE FUNCTION template_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a template never changes: publish another';
END $$;
CREATE TRIGGER template_versions_stay BEFORE UPDATE OR DELETE ON template_versions
    FOR EACH ROW EXECUTE FUNCTION template_stays();
"""
USES = """
ALTER TABLE contents ADD COLUMN template text;  -- name@version, of what was written with one
ALTER TABLE bulks ADD COLUMN template text, ADD COLUMN text_en_sealed bytea;
ALTER TABLE institutions
    -- look-alikes of GSM-7 characters are replaced by them
    ADD COLUMN plain_text boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    """Adds them."""
    for statements in (TEMPLATES, USES):
        op.execute(statements)
