"""The simulated SMSC's ledger against the database: invariants I1 to I5 of faults.md C0."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.rows import number_of
from tests.e2e.system import ROOT
from ussdapp.core.status import MOVES, Status

UNSETTLED = {Status.QUEUED.value, Status.SUBMITTING.value}
TAKEN = {Status.SUBMITTED.value, Status.DELIVERED.value, Status.UNDELIVERED.value}
NOT_TAKEN = {Status.REJECTED.value, Status.EXPIRED.value, Status.STOPPED.value}
NOTIFICATIONS = """
    SELECT n.id, substr(n.effect, 7)::int, n.stands, n.resent, n.parts,
        (SELECT count(*) FROM attempts a JOIN chaos.moves m ON m.id = n.id AND m.was = 'in_doubt'
            AND m.became = 'queued' AND a.notification_id = n.id AND a.attempt < n.attempts
            AND (a.outcome = 'in_doubt' OR a.detail = ''))
    FROM notifications_now n WHERE n.effect LIKE 'chaos:%'
"""
LEFT = "SELECT (SELECT count(*) FROM queue) + (SELECT count(*) FROM windows)"


@dataclass(frozen=True)
class Notification:
    """As the database has it; `doubts` are earlier attempts that were in doubt when it was queued
    again."""

    id: int
    number: int
    status: str
    resent: bool
    parts: int
    doubts: int


@dataclass(frozen=True)
class Verdict:
    """What a run came to; whole when `troubles` is empty."""

    rows: int
    states: Mapping[str, int]
    doubted: int  # how often a notification became in_doubt
    doubts: Mapping[str, int]  # the same by why
    arrived: int  # of those that are in doubt at the end, how many the SMSC has
    copies: int  # at the SMSC, beyond the first of each
    resent: int
    open_at_most: int  # notifications in open windows of one bind
    troubles: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.rows} rows: {_counted(self.states)}; "
            f"became in_doubt {self.doubted} times ({_counted(self.doubts) or 'never'}), "
            f"{self.arrived} of those left are at the SMSC; {self.copies} extra copies of "
            f"{self.resent} resent; at most {self.open_at_most} open on a bind"
        )


def check(
    url: str, settings: Path, ledger: Sequence[Mapping[str, Any]], bound: int, window: int
) -> Verdict:
    """Compares them once nothing moves; `bound` is what may at most have come in doubt."""
    copies = copies_of(ledger)
    with psycopg.connect(url) as link:
        found = [Notification(*row) for row in link.execute(NOTIFICATIONS)]
        moves = link.execute("SELECT id, was, became, why FROM chaos.moves ORDER BY n").fetchall()
        (left,) = link.execute(LEFT).fetchone() or (0,)
        (open_at_most,) = link.execute("SELECT max(rows) FROM chaos.opened").fetchone() or (0,)
    doubts = Counter(why for _, _, became, why in moves if became == Status.IN_DOUBT.value)
    doubted = doubts.total()
    troubles = [
        *one_state_each(found, left),
        *copies_accounted_for(found, copies),
        *nothing_lost(found, copies),
        *only_forward(moves),
        *balance(settings),
    ]
    if doubted > bound:
        troubles.append(f"I4: {doubted} became in_doubt, {bound} may have")
    if (open_at_most or 0) > window:
        troubles.append(f"{open_at_most} were in open windows of one bind, {window} may be")
    return Verdict(
        rows=len(found),
        states=Counter(one.status for one in found),
        doubted=doubted,
        doubts=doubts,
        arrived=sum(
            one.status == Status.IN_DOUBT.value and copies[one.number] > 0 for one in found
        ),
        copies=sum(count - 1 for count in copies.values()),
        resent=sum(one.resent for one in found),
        open_at_most=open_at_most or 0,
        troubles=tuple(troubles),
    )


def copies_of(ledger: Iterable[Mapping[str, Any]]) -> Counter[int]:
    """How often the SMSC accepted each notification: its most frequent part counts."""
    parts = Counter(
        (number_of(line["destination"]), line.get("udh", {}).get("part", 1)) for line in ledger
    )
    copies: Counter[int] = Counter()
    for (number, _), count in parts.items():
        copies[number] = max(copies[number], count)
    return copies


def one_state_each(found: Sequence[Notification], left: int) -> list[str]:
    """I1. That a queued row is in one block or window is a part of `balance`."""
    open_still = [one for one in found if one.status in UNSETTLED]
    troubles = _named("I1: still open", open_still)
    return troubles + ([f"I1: {left} blocks or windows are left"] if left else [])


def copies_accounted_for(found: Sequence[Notification], copies: Mapping[int, int]) -> list[str]:
    """I2 and I3, and that the SMSC has nothing the database never had."""
    known = {one.number for one in found}
    strangers = sorted(set(copies) - known)
    silent = [one for one in found if copies[one.number] > 1 + one.resent]
    unnamed = [one for one in found if copies[one.number] > 1 + one.doubts]
    return [
        *_named("I2: copies nobody recorded", silent),
        *_named("I3: copies without an attempt that was in doubt", unnamed),
        *([f"I2: the SMSC has {len(strangers)} nobody accepted"] if strangers else []),
    ]


def nothing_lost(found: Sequence[Notification], copies: Mapping[int, int]) -> list[str]:
    """What is said to be taken is in the ledger, what is said to be refused is not."""
    lost = [one for one in found if one.status in TAKEN and not copies[one.number]]
    denied = [one for one in found if one.status in NOT_TAKEN and copies[one.number]]
    return [*_named("lost: said to be taken", lost), *_named("said not to be taken", denied)]


def only_forward(moves: Iterable[tuple[Any, ...]]) -> list[str]:
    """I5, by every move there was, not by a sample."""
    wrong = Counter(
        (was, became) for _, was, became, _ in moves if Status(became) not in MOVES[Status(was)]
    )
    return [f"I5: {count} moved from {was} to {became}" for (was, became), count in wrong.items()]


def balance(settings: Path) -> list[str]:
    """What `ussdapp balance` says, if it does not hold."""
    environ = {**os.environ, "USSDAPP_SETTINGS": str(settings)}
    told = subprocess.run(
        [sys.executable, "-m", "ussdapp.cli", "balance"],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [] if told.returncode == 0 else [f"balance: {(told.stdout + told.stderr)[-500:]}"]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))


def _named(what: str, found: Sequence[Notification]) -> list[str]:
    """One sentence, with a few of them to look at."""
    few = ", ".join(f"{one.id} ({one.status})" for one in found[:5])
    return [f"{what}: {len(found)}, such as {few}"] if found else []
