"""Published versions of the menu's branches, which of them stands, and the trees that dialogues
were begun with."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A pointer without a version: the files that came with the gateway stand.
VERSIONS = """
CREATE TABLE menu_versions (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    branch        text NOT NULL,
    files         jsonb NOT NULL,
    digest        text NOT NULL,
    published_by  text NOT NULL,
    published_at  timestamptz NOT NULL,
    UNIQUE (branch, id)
);
CREATE TABLE menu_pointers (
    branch      text PRIMARY KEY,
    version_id  bigint,
    moved_by    text NOT NULL,
    moved_at    timestamptz NOT NULL,
    FOREIGN KEY (branch, version_id) REFERENCES menu_versions (branch, id)
);
CREATE TABLE menu_trees (
    version      text PRIMARY KEY,
    files        jsonb NOT NULL,
    lists        jsonb NOT NULL,
    settings     jsonb NOT NULL,
    recorded_at  timestamptz NOT NULL,
    used_at      timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Creates the tables."""
    op.execute(VERSIONS)
