"""`ussdapp migrate`."""

import click

from ussdapp.cli.opened import opened
from ussdapp.stores.migrate import migrate as run_migrations


@click.command()
def migrate() -> None:
    """Bring the schema up to date."""
    with opened() as parts:
        run_migrations(parts.settings.database_url)
