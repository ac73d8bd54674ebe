"""`ussdapp menus`. What needs a database is imported by the commands that need it."""

import getpass
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ussdapp.cli.funnel import funnel
from ussdapp.cli.played import Wishes, play, transcript
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.branches import BranchRefused, Publisher
from ussdapp.core.drawing import cards, mermaid
from ussdapp.core.drawing_svg import svg
from ussdapp.core.menu import Menu, items_of
from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.core.texts import LANGUAGES
from ussdapp.sandbox.back_office_answers import read_offices
from ussdapp.sandbox.demo import institutions
from ussdapp.stores.keyword_files import KEYWORDS, check_services
from ussdapp.stores.menu_files import MenuRefused, check_menus, read_menu
from ussdapp.stores.menu_trees import branch_files
from ussdapp.stores.owner_files import check_owners

if TYPE_CHECKING:
    from ussdapp.core.branches import MenuVersion

MENUS: Final = Path(__file__).parents[2] / "menus"
FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
by_option: Final = click.option(
    "--by", default=getpass.getuser, help="Who does this, for the record; by default your login."
)
folder_option: Final = click.option("--folder", type=FOLDER, default=MENUS, help="The menu files.")


@click.group()
def menus() -> None:
    """What citizens read on their screens."""


menus.add_command(funnel)


@menus.command("check")
@click.argument("folder", type=FOLDER, default=MENUS)
@click.option(
    "--office", "more", multiple=True, metavar="NAME",
    help="An office that the settings have and the sandbox has not, such as gepg.bill.",
)  # fmt: skip
def check(folder: Path, more: tuple[str, ...]) -> None:
    """Prove the menu files, the keywords of SMS and whose each branch is; one sentence for each
    fault."""
    offices = {*read_offices(), *more}
    faults = check_menus(folder, offices)
    faults += check_owners(folder, [one.short_name for one in institutions()])
    if (folder / KEYWORDS).exists():
        faults += check_services(folder / KEYWORDS, offices)
    for fault in faults:
        click.echo(fault)
    number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    click.echo(number if faults else "menus proven")
    sys.exit(bool(faults))


@menus.command("play")
@folder_option
@click.option("--msisdn", default="255754000001", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.option(
    "--outcome", "outcomes", multiple=True, metavar="WHAT=OUTCOME",
    help="How an ask, an office or a screen comes out, e.g. gepg.bill=missing.",
)  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="For the transcript.")
def play_menus(
    folder: Path, msisdn: str, language: str, outcomes: tuple[str, ...], out: Path | None
) -> None:
    """A handset in the terminal, over the menu files and a canned back office. Ends with the
    dialogue, or when nothing more is keyed (Ctrl-D), and prints the transcript; keys that come
    through a pipe, one a line, give the transcript alone."""
    try:
        handset = Msisdn(msisdn)
    except NotAnMsisdn:
        raise Refusal("an MSISDN is written like 255754000001") from None
    wishes = Wishes(language, dict(_outcome(outcome) for outcome in outcomes))
    if sys.stdin.isatty():
        steps = play(_menu(folder), wishes, _typed(), click.echo)
        click.echo()
    else:
        steps = play(_menu(folder), wishes, sys.stdin, lambda _screen: None)
    _write(transcript(handset.digits, steps), out)


@menus.command("draw")
@folder_option
@click.option("--format", "form", type=click.Choice(["mermaid", "svg"]), default="mermaid")
@click.option("--branch", default="", help="Only this branch: main, or an institution.")
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
def draw(folder: Path, form: str, branch: str, language: str, out: Path | None) -> None:
    """Draw the screens and the ways between them, each file as a group."""
    menu = _menu(folder)
    drawn = cards(menu, language, branch.lower())
    if not drawn:
        raise Refusal(f"there is no branch {branch!r} in {folder}")
    picture = mermaid(drawn) if form == "mermaid" else svg(drawn, menu.first)
    _write(picture, out)


@menus.command("publish")
@click.argument("branch")
@click.argument("folder", type=FOLDER)
@click.option(
    "--and", "more", nargs=2, multiple=True, type=(str, FOLDER), metavar="BRANCH FOLDER",
    help="Another branch with it, where one leads to the other.",
)  # fmt: skip
@by_option
def publish(branch: str, folder: Path, more: tuple[tuple[str, Path], ...], by: str) -> None:
    """Prove the files lying directly in a folder as a branch of the whole menu, and serve them:
    main, or an institution's short name."""
    from ussdapp.cli.opened import opened  # noqa: PLC0415 - `check` needs no database

    with opened() as parts:
        changes = {name.lower(): branch_files(place) for name, place in ((branch, folder), *more)}
        try:
            kept = parts.publish_menu(Publisher(by), changes, datetime.now(UTC))
        except BranchRefused as refused:
            raise Refusal(str(refused)) from refused
        except LookupError as trouble:
            raise Refusal(str(trouble)) from trouble
    for version in kept:
        click.echo(f"{version.branch}: version {version.id} is served")


@menus.command("rollback")
@click.argument("branch")
@click.option("--to", type=click.IntRange(min=0), help="A version; 0: the gateway's own files.")
@by_option
def rollback(branch: str, to: int | None, by: str) -> None:
    """Serve the version before the one that is served, or another one."""
    from ussdapp.cli.opened import opened  # noqa: PLC0415

    with opened() as parts:
        try:
            standing = parts.publish_menu.roll_back(
                Publisher(by), branch.lower(), to, datetime.now(UTC)
            )
        except BranchRefused as refused:
            raise Refusal(str(refused)) from refused
        except LookupError as trouble:
            raise Refusal(str(trouble)) from trouble
    what = f"version {standing.id} is" if standing else "the gateway's own files are"
    click.echo(f"{branch.lower()}: {what} served")


@menus.command("versions")
@click.argument("branch", required=False)
@json_option
def versions(branch: str | None, *, as_json: bool) -> None:
    """What was published, by whom and when, the newest first."""
    from ussdapp.cli.opened import opened  # noqa: PLC0415

    with opened() as parts:
        try:
            found = parts.publish_menu.of(Publisher(""), branch.lower() if branch else None)
        except LookupError as trouble:
            raise Refusal(str(trouble)) from trouble
    say([_row(version) for version in found], as_json=as_json)


def _typed() -> Iterator[str]:
    """What a person keys, until Ctrl-D or Ctrl-C."""
    while True:
        try:
            yield input("\n> ")
        except (EOFError, KeyboardInterrupt):
            return


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as trouble:
        raise Refusal(f"{out} cannot be written: {trouble.strerror}") from trouble


def _row(version: "MenuVersion") -> dict[str, object]:
    row = asdict(version)
    return {**row, "published_at": version.published_at.isoformat(timespec="seconds")}


def _menu(folder: Path) -> Menu:
    try:
        return read_menu(folder, {"institutions": items_of(institutions())})
    except MenuRefused as refused:
        raise Refusal("\n".join(refused.sentences)) from refused


def _outcome(given: str) -> tuple[str, str]:
    what, equals, outcome = given.partition("=")
    if not equals:
        raise click.UsageError("--outcome is written like gepg.bill=missing")
    return what, outcome
