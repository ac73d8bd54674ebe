"""`ussdapp channels`."""

import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from ussdapp.bootstrap.probing import probe
from ussdapp.cli.opened import opened
from ussdapp.cli.said import Refusal, json_option, say
from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.settings import ChannelSettings, Settings
from ussdapp.stores.channels import ChannelStanding, standings
from ussdapp.stores.routes import PgRoutes
from ussdapp.stores.seal import Seal
from ussdapp.wire.numbering import read_msisdn

_TOGETHER: Final = 5000  # numbers committed at a time
_MOST_TOLD: Final = 100  # rows that are named; of the others the count


@click.group()
def channels() -> None:
    """Ways to operators and aggregators."""


@channels.command("list")
@json_option
def list_channels(*, as_json: bool) -> None:
    """All that are configured: binds held and up, share of the traffic, and what waits."""
    with opened() as parts:
        found = standings(parts.database, datetime.now(UTC))
        configured = list(parts.settings.channels.values())
    known = {one.name for one in configured}
    shown = [_row(one, found.get(one.name, ChannelStanding())) for one in configured]
    # what waits for a channel that is no longer configured is delivered by nobody
    shown += [
        _strange(name, one) for name, one in found.items() if name not in known and one.waiting
    ]
    say(shown, as_json=as_json, headed=True)


def _row(channel: ChannelSettings, standing: ChannelStanding) -> dict[str, object]:
    return {
        "channel": channel.name,
        "kind": channel.kind,
        "binds": f"{standing.held}/{channel.binds}",
        "up": standing.up,
        "last_up": standing.last_up and standing.last_up.astimezone(UTC).isoformat("T", "seconds"),
        "share": standing.share if standing.share is None else round(standing.share, 2),
        "waiting": standing.waiting,
        "due": standing.due,
        "fallback": channel.fallback or None,
    }


def _strange(name: str, standing: ChannelStanding) -> dict[str, object]:
    return {**_row(ChannelSettings(name, "", "", (), (), {}), standing), "kind": None, "binds": "-"}


@channels.command("probe")
@click.argument("names", nargs=-1)
@json_option
def probe_channels(names: Sequence[str], *, as_json: bool) -> None:
    """Try channels (all, or those named) without submitting anything; exit 0 only if all are well.

    An SMPP channel is bound once more and unbound, an aggregator is asked about the account."""
    with opened() as parts:
        told = [(one.name, probe(one)) for one in _chosen(parts.settings, names)]
    rows = [{"channel": name, "well": not trouble, "trouble": trouble} for name, trouble in told]
    say(rows, as_json=as_json)
    sys.exit(any(trouble for _, trouble in told))


def _chosen(settings: Settings, names: Sequence[str]) -> list[ChannelSettings]:
    if strangers := [name for name in names if name not in settings.channels]:
        known = ", ".join(settings.channels)
        raise Refusal(f"no channel is called {', '.join(strangers)}: there are {known}")
    return [settings.channels[name] for name in names or settings.channels]


@channels.command("ported")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def ported(path: Path) -> None:
    """Read a table of ported numbers: CSV with the columns msisdn and channel.

    Rows that cannot be read are named and left out; exit 0 only if there was none."""
    with opened() as parts:
        settings = parts.settings
        seal = Seal(settings.seal_key, settings.index_key)
        routes = PgRoutes(parts.database, seal, list(settings.channels), {})
        taken, bad = 0, 0
        for batch, faults in _batches(path, settings):
            for fault in faults[: max(0, _MOST_TOLD - bad)]:
                click.echo(fault, err=True)
            bad += len(faults)
            if batch:
                routes.ported(batch, datetime.now(UTC))
            taken += len(batch)
    if bad > _MOST_TOLD:
        click.echo(f"and {bad - _MOST_TOLD} more rows like these", err=True)
    click.echo(f"{taken} numbers taken, {bad} rows left out")
    sys.exit(bool(bad))


_Batch = tuple[list[tuple[Msisdn, str]], list[str]]


def _batches(path: Path, settings: Settings) -> Iterator[_Batch]:
    """Numbers to be committed together, each once, and the faults among their rows. Raises
    Refusal."""
    batch: dict[Msisdn, str] = {}
    faults: list[str] = []
    for number, row in _rows(path):
        found = _read(row, settings)
        if isinstance(found, str):
            faults.append(f"row {number}: {found}")
        else:
            batch[found[0]] = found[1]  # the later row wins
        if len(batch) >= _TOGETHER or len(faults) >= _TOGETHER:
            yield list(batch.items()), faults
            batch, faults = {}, []
    yield list(batch.items()), faults


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its number as a spreadsheet counts it, the header being row 1."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            names = [name.strip().lower() for name in next(reader, [])]
            if "msisdn" not in names or "channel" not in names:
                raise Refusal(f"{path}: the first row must name the columns msisdn and channel")
            for number, cells in enumerate(reader, 2):
                if any(cell.strip() for cell in cells):
                    yield number, dict(zip(names, cells, strict=False))
    except OSError as trouble:
        raise Refusal(f"{path} cannot be read: {trouble.strerror}") from trouble
    except (UnicodeDecodeError, csv.Error) as trouble:
        raise Refusal(f"{path} is no CSV in UTF-8") from trouble


def _read(row: dict[str, str], settings: Settings) -> tuple[Msisdn, str] | str:
    """A number and its channel, or what is wrong with the row; nothing of it is repeated but the
    channel."""
    channel = row.get("channel", "").strip()
    if channel not in settings.channels:
        return f"no channel is called {channel[:40]!r}"
    try:
        return read_msisdn(row.get("msisdn", "").strip()), channel
    except NotAnMsisdn as trouble:
        return str(trouble)
