"""Where what publishes templates is joined."""

from dataclasses import dataclass

from ussdapp.stores.database import Database
from ussdapp.stores.templates import PgTemplates
from ussdapp.usecases.publish_template import PublishTemplate


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates as kept, and what publishes a version of one."""

    kept: PgTemplates
    publish: PublishTemplate


def templates_of(database: Database) -> Templates:
    """What is done with templates."""
    kept = PgTemplates(database)
    return Templates(kept, PublishTemplate(kept))
