"""Knows the versions of branches that were published, which of them stands, and the trees that
dialogues were begun with."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from ussdapp.core.branches import Files, MenuVersion, Publisher, digest_of
from ussdapp.core.inbound import Institution
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.menu_trees import Tree

# one publisher at a time; the proof is made before, so that it keeps nobody waiting
_LOCK: Final = "SELECT pg_advisory_xact_lock(15203)"
_MARK: Final = """
    SELECT coalesce(string_agg(branch || ':' || version_id, ' ' ORDER BY branch), '')
    FROM menu_pointers WHERE version_id IS NOT NULL
"""
_SEEN: Final = """
    SELECT (SELECT coalesce(string_agg(branch || ':' || version_id, ' ' ORDER BY branch), '')
            FROM menu_pointers WHERE version_id IS NOT NULL),
        (SELECT md5(coalesce(string_agg(i::text, '' ORDER BY i.id), '')) FROM institutions i)
"""
_STANDING: Final = """
    SELECT p.branch, v.files FROM menu_pointers p JOIN menu_versions v ON v.id = p.version_id
"""
_ADD: Final = """
    INSERT INTO menu_versions (branch, files, digest, published_by, published_at)
    VALUES (%s, %s, %s, %s, %s) RETURNING id
"""
_MOVE: Final = """
    INSERT INTO menu_pointers (branch, version_id, moved_by, moved_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (branch) DO UPDATE SET version_id = excluded.version_id,
        moved_by = excluded.moved_by, moved_at = excluded.moved_at
"""
_OF: Final = """
    SELECT v.branch, v.id, v.digest, v.published_by, v.published_at,
        v.id IS NOT DISTINCT FROM p.version_id
    FROM menu_versions v JOIN menu_pointers p ON p.branch = v.branch
    WHERE v.branch = %(branch)s OR %(branch)s::text IS NULL ORDER BY v.branch, v.id DESC
"""
_RECORD: Final = """
    INSERT INTO menu_trees (version, files, lists, settings, recorded_at, used_at)
    VALUES (%s, %s, %s, %s, now(), now()) ON CONFLICT (version) DO NOTHING
"""
_FORGET: Final = "DELETE FROM menu_trees WHERE used_at < now() - interval '1 day'"
_USE: Final = """
    UPDATE menu_trees SET used_at = now() WHERE version = %s
    RETURNING files, lists, settings
"""


class PgMenuVersions:
    """Keeps ports.MenuVersions, and the trees for LiveMenus. Raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self) -> tuple[str, dict[str, Files]]:
        """The files of each published branch that stands, and a mark that changes with them."""

        def work(connection: Connection) -> tuple[str, dict[str, Files]]:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return _mark(connection), dict(rows(connection, _STANDING))

        return self._database.run(work)

    def files(self, branch: str, version: int) -> Files | None:
        """The files of one version of a branch."""
        query = "SELECT files FROM menu_versions WHERE branch = %s AND id = %s"
        row = self._database.run(lambda link: first(link, query, (branch, version)))
        return dict(row[0]) if row else None

    def of(self, branch: str | None) -> tuple[MenuVersion, ...]:
        """The versions of a branch, or of all, the newest first."""
        found = self._database.run(lambda link: rows(link, _OF, {"branch": branch}))
        return tuple(MenuVersion(*row) for row in found)

    def publish(
        self, changes: Mapping[str, Files], by: Publisher, at: datetime, mark: str
    ) -> tuple[MenuVersion, ...] | None:
        """Keeps the branches' new versions and lets them stand, all or nothing; None, and nothing
        done, when what stands is no longer what the mark was of."""

        def work(connection: Connection) -> tuple[MenuVersion, ...] | None:
            if not _still(connection, mark):
                return None
            return tuple(
                _published(connection, branch, files, by, at) for branch, files in changes.items()
            )

        # once: tried again after a commit that nobody heard of, it would meet its own mark
        return self._database.run_once(work)

    def move(
        self, branch: str, version: int | None, by: Publisher, at: datetime, mark: str
    ) -> bool:
        """Lets an older version of the branch stand, or its own files; False, and nothing done,
        as in `publish`."""

        def work(connection: Connection) -> bool:
            if not _still(connection, mark):
                return False
            connection.execute(_MOVE, (branch, version, by.name, at))
            subject = f"{branch}/{version or 'folder'}"
            audit.note(connection, at, by.name, "menu.rolled_back", subject)
            return True

        return self._database.run_once(work)

    # -- what LiveMenus needs

    def seen(self) -> tuple[str, ...]:
        """Changes whenever a pointer or an institution does; one small query."""
        row = self._database.run_once(lambda link: first(link, _SEEN))
        return tuple(row or ())

    def record(self, version: str, tree: Tree) -> None:
        """Keeps the tree of a menu version, so that any process can serve it again."""
        institutions = [asdict(institution) for institution in tree.institutions]
        values = (
            version,
            Jsonb(dict(tree.files)),
            Jsonb({"institutions": institutions}),
            Jsonb({"budget": tree.budget, "values": dict(tree.values)}),
        )

        def work(connection: Connection) -> None:
            if not connection.execute(_RECORD, values).rowcount:
                connection.execute(_USE, (version,))
            connection.execute(_FORGET)

        self._database.run_once(work)

    def recorded(self, version: str) -> Tree | None:
        """The tree of that menu version, None when it was never served or is long unused."""
        row = self._database.run_once(lambda link: first(link, _USE, (version,)))
        if row is None:
            return None
        files, lists, settings = row
        institutions = tuple(Institution(**known) for known in lists["institutions"])
        return Tree(files, institutions, settings["budget"], settings["values"])


def _mark(connection: Connection) -> str:
    row = first(connection, _MARK)
    return str(row[0]) if row else ""


def _still(connection: Connection, mark: str) -> bool:
    connection.execute(_LOCK)
    return _mark(connection) == mark


def _published(
    connection: Connection, branch: str, files: Files, by: Publisher, at: datetime
) -> MenuVersion:
    digest = digest_of(files)
    row = first(connection, _ADD, (branch, Jsonb(dict(files)), digest, by.name, at))
    number: int = row[0] if row else 0
    connection.execute(_MOVE, (branch, number, by.name, at))
    audit.note(connection, at, by.name, "menu.published", f"{branch}/{number}")
    return MenuVersion(branch, number, digest, by.name, at, current=True)
