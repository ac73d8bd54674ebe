"""`ussdapp migrate`."""

import click

from ussdapp.cli.opened import opened
from ussdapp.cli.said import Refusal
from ussdapp.stores.migrate import MigrationFailed
from ussdapp.stores.migrate import migrate as run_migrations


@click.command()
def migrate() -> None:
    """Bring the schema up to date."""
    with opened() as parts:
        try:
            run_migrations(parts.settings.database_url)
        except MigrationFailed as failed:
            raise Refusal(str(failed)) from failed
