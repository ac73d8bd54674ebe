"""Knows institutions' templates: versions that never change, and which of them stands."""

from datetime import datetime
from typing import Any, Final

from ussdapp.core.templates import NoSuchTemplate, TemplateVersion
from ussdapp.ports import NoSuchVersion
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows

_VERSIONS: Final = """
    SELECT t.name, v.version, v.sw, v.en, v.published_by, v.published_at, v.version = t.stands
    FROM templates t JOIN institutions i ON i.id = t.institution_id
    JOIN template_versions v ON v.template_id = t.id
    WHERE i.short_name = %(institution)s
"""
_ALL: Final = _VERSIONS + " AND v.version = t.stands ORDER BY t.name"
_OF: Final = _VERSIONS + " AND t.name = %(name)s ORDER BY v.version DESC"
_ONE: Final = (
    _VERSIONS + " AND t.name = %(name)s AND v.version = coalesce(%(version)s::integer, t.stands)"
)
_NAMED: Final = """
    INSERT INTO templates (institution_id, name, stands)
    SELECT id, %(name)s, 0 FROM institutions WHERE short_name = %(institution)s
    ON CONFLICT (institution_id, name) DO NOTHING
"""
_LOCKED: Final = """
    SELECT t.id, t.stands FROM templates t JOIN institutions i ON i.id = t.institution_id
    WHERE i.short_name = %(institution)s AND t.name = %(name)s FOR UPDATE OF t
"""
_ADD: Final = """
    INSERT INTO template_versions (template_id, version, sw, en, published_by, published_at)
    SELECT %(id)s, coalesce(max(version), 0) + 1, %(sw)s, %(en)s, %(by)s, %(at)s
    FROM template_versions WHERE template_id = %(id)s RETURNING version
"""
_EARLIER: Final = """
    SELECT version FROM template_versions WHERE template_id = %(id)s
        AND version = coalesce(%(to)s::integer, (SELECT max(version) FROM template_versions
            WHERE template_id = %(id)s AND version < %(stands)s))
"""
_STAND: Final = "UPDATE templates SET stands = %(version)s WHERE id = %(id)s"


class PgTemplates:
    """Keeps ports.Templates. All raise Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, institution: str) -> tuple[TemplateVersion, ...]:
        """What stands of each of the institution's templates, by name."""
        found = self._database.run(lambda link: rows(link, _ALL, {"institution": institution}))
        return tuple(TemplateVersion(*row) for row in found)

    def of(self, institution: str, name: str) -> tuple[TemplateVersion, ...]:
        """The versions of one, the newest first; raises NoSuchTemplate."""
        values = {"institution": institution, "name": name}
        found = self._database.run(lambda link: rows(link, _OF, values))
        if not found:
            raise NoSuchTemplate
        return tuple(TemplateVersion(*row) for row in found)

    def found(self, institution: str, name: str, version: int | None) -> TemplateVersion:
        """That version, or the one that stands; raises NoSuchTemplate."""
        values = {"institution": institution, "name": name, "version": version}
        return self._database.run(lambda link: _found(link, values))

    def publish(
        self, institution: str, name: str, texts: tuple[str, str], by: str, at: datetime
    ) -> tuple[TemplateVersion, bool]:
        """Commits a new version of the Kiswahili and the English text, which stands from now on,
        with its audit row; what stands already is no new one, and the answer says which it was."""
        values = {"institution": institution, "name": name, "version": None}

        def work(connection: Connection) -> tuple[TemplateVersion, bool]:
            connection.execute(_NAMED, values)
            row = first(connection, _LOCKED, values)
            assert row
            if row[1] and ((stands := _found(connection, values)).sw, stands.en) == texts:
                return stands, False
            given = {"id": row[0], "sw": texts[0], "en": texts[1], "by": by, "at": at}
            new = first(connection, _ADD, given)
            assert new
            connection.execute(_STAND, {"id": row[0], "version": new[0]})
            audit.note(connection, at, by, "template.published", f"{institution}/{name}@{new[0]}")
            return _found(connection, values), True

        return self._database.run(work)

    def roll_back(
        self, institution: str, name: str, to: int | None, by: str, at: datetime
    ) -> TemplateVersion:
        """Commits that version `to` stands, or the one before, with its audit row. Raises
        NoSuchTemplate, NoSuchVersion."""
        values = {"institution": institution, "name": name, "version": None}

        def work(connection: Connection) -> TemplateVersion:
            row = first(connection, _LOCKED, values)
            if row is None:
                raise NoSuchTemplate
            found = first(connection, _EARLIER, {"id": row[0], "stands": row[1], "to": to})
            if found is None:
                raise NoSuchVersion
            connection.execute(_STAND, {"id": row[0], "version": found[0]})
            audit.note(
                connection, at, by, "template.rolled_back", f"{institution}/{name}@{found[0]}"
            )
            return _found(connection, values)

        return self._database.run_once(work)


def _found(connection: Connection, values: dict[str, Any]) -> TemplateVersion:
    row = first(connection, _ONE, values)
    if row is None:
        raise NoSuchTemplate
    return TemplateVersion(*row)
