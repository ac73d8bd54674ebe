"""The command line for people: `ussdapp`. A command's module is imported when it is asked for."""

from importlib import import_module
from typing import Final

import click

COMMANDS: Final = {
    "balance": "ussdapp.cli.balance:balance",
    "bulks": "ussdapp.cli.bulks:bulks",
    "channels": "ussdapp.cli.channels:channels",
    "codes": "ussdapp.cli.codes:codes",
    "demo": "ussdapp.cli.demo:demo",
    "holidays": "ussdapp.cli.holidays:holidays",
    "institutions": "ussdapp.cli.institutions:institutions",
    "keys": "ussdapp.cli.keys:keys",
    "menus": "ussdapp.cli.menus:menus",
    "migrate": "ussdapp.cli.migrate:migrate",
    "notifications": "ussdapp.cli.notifications:notifications",
    "opt-outs": "ussdapp.cli.opt_outs:opt_outs",
    "usage": "ussdapp.cli.usage:usage",
    "webhooks": "ussdapp.cli.webhooks:webhooks",
}


class Commands(click.Group):
    """Finds a command by its name in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, the hidden ones as well."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found


@click.command(cls=Commands)
def main() -> None:
    """The USSD and SMS gateway of Tanzania's public institutions."""
