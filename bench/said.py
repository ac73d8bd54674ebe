"""The words of the delivery tables: what, figure, and what it is to be or is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.bulk import Delivered
from bench.peers import Sent
from bench.urgent import Waited

Line = tuple[str, str, str]
OURS: Final = {
    "one": ("one worker", ">= 30,000/s"),
    "two": ("two workers", ">= 50,000/s and 3 x Kannel's fastest"),
    "receipts": ("two workers, a receipt for each kept before its answer", ">= 25,000/s and 5 x"),
}
PEERS: Final = {
    "kannel": "Kannel, memory only",
    "kannel-spool": "Kannel, spool",
    "kannel-receipts": "Kannel, memory, a receipt and a callback for each",
    "jasmin": "Jasmin",
}


@dataclass
class Seen:
    """Everything measured, by the name of its row; `missing` is said as it is."""

    ours: dict[str, list[Delivered]] = field(default_factory=dict)
    sizes: dict[int, Delivered] = field(default_factory=dict)
    peers: dict[str, list[Sent]] = field(default_factory=dict)
    wire: list[float] = field(default_factory=list)
    urgent: dict[str, Waited] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def rate(runs: Sequence[Delivered | Sent]) -> float:
    """The median of the runs."""
    return median(run.rate for run in runs)


def said(seen: Seen) -> list[Line]:
    """Notifications a second, all of them."""
    lines = [
        (OURS[name][0], f"{rate(runs):,.0f}/s", f"to be {OURS[name][1]}")
        for name, runs in seen.ours.items()
    ]
    lines += [(PEERS[name], f"{rate(runs):,.0f}/s", "") for name, runs in seen.peers.items()]
    if seen.wire:
        lines.append(("the wire alone", f"{median(seen.wire):,.0f}/s", "to be >= 150,000/s"))
    return lines + _times(seen)


def _times(seen: Seen) -> list[Line]:
    fastest = [rate(seen.peers[name]) for name in ("kannel", "kannel-spool") if name in seen.peers]
    lines = []
    if fastest and "two" in seen.ours:
        times = rate(seen.ours["two"]) / max(fastest)
        lines.append(("two workers / Kannel's fastest", f"{times:.1f}", "to be >= 3"))
    if "receipts" in seen.ours and "kannel-receipts" in seen.peers:
        times = rate(seen.ours["receipts"]) / rate(seen.peers["kannel-receipts"])
        lines.append(("with receipts / Kannel's", f"{times:.1f}", "to be >= 5"))
    return lines


def said_of_costs(seen: Seen) -> list[Line]:
    """Processor and memory, and where the time goes."""
    lines: list[Line] = []
    for name, runs in seen.ours.items():
        us, peak = (median(getattr(run, of) for run in runs) for of in ("us", "peak"))
        shares = ", ".join(
            f"{part} {median(getattr(run, f'us_{of}') for run in runs):.1f}"
            for part, of in (("workers", "workers"), ("PostgreSQL", "postgres"), ("rest", "rest"))
        )
        aim = "" if name == "receipts" else "; to be <= 40 us and 80 MB"
        lines.append((OURS[name][0], f"{us:.1f} us, {peak:.0f} MB", f"{shares}{aim}"))
    for name, sent in seen.peers.items():
        us, held = (median(getattr(run, of) for run in sent) for of in ("us", "resident"))
        lines.append(
            (PEERS[name], f"{us:.0f} us, {held:.0f} MB", "all its processes, HTTP intake too")
        )
    if seen.ours:
        own = median(run.us_smsc for runs in seen.ours.values() for run in runs)
        lines.append(("the SMSC itself", f"{own:.1f} us", f"{1e6 / own:,.0f}/s at most"))
    return lines


def said_of_sizes(sizes: Mapping[int, Delivered]) -> list[Line]:
    """The same bulk, larger and larger."""
    return [
        (
            f"{count:,} rows",
            f"{1e6 / one.rate:.1f} us a row",
            f"{one.rate:,.0f}/s, {one.us:.1f} us of processor, worker at most {one.peak:.0f} MB",
        )
        for count, one in sizes.items()
    ]


def said_of_urgent(urgent: Mapping[str, Waited]) -> list[Line]:
    """How long one waits among many."""
    lines = []
    for name, one in urgent.items():
        if not one.times:
            lines.append((name, "none arrived", one.intake))
            continue
        p50, p99 = one.quantile(0.5), one.quantile(0.99)
        figure = f"p50 {p50:.1f}, p99 {p99:.1f}, worst {one.times[-1]:.1f} ms"
        beside = f"{len(one.times)} of them {one.intake}, beside {one.beside:,.0f}/s"
        refused = f", {one.throttled:.1%} throttled" if one.throttled else ""
        lost = f", {one.missing} NEVER ARRIVED" if one.missing else ""
        lines.append((name, figure, f"{beside}{refused}{lost}"))
    return lines


def oddities(seen: Seen) -> list[str]:
    """What did not add up, a sentence each."""
    runs = [(OURS[name][0], run) for name, all_of in seen.ours.items() for run in all_of]
    runs += [(f"{count:,} rows", run) for count, run in seen.sizes.items()]
    return [f"NOT ACCOUNTED FOR, {name}: {run.odd}" for name, run in runs if run.odd]
