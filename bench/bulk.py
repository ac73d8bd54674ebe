"""One bulk of ours, from rows in PostgreSQL to recorded answers, and what it cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench import rows
from bench.sender import FREE, Sender
from bench.smsc import Figures, Smsc

STALLED_S: Final = 30.0  # without a submit: it is stuck
_LOOK_S: Final = 0.01
_COUNT_S: Final = 0.3  # between looks at every row


@dataclass(frozen=True)
class Plan:
    """How many notifications, workers, and (1) whether each gets a receipt."""

    count: int
    workers: int
    receipts: int = 0


@dataclass(frozen=True)
class Delivered:
    """What one bulk took: notifications a second, microseconds of processor a notification of the
    workers, of PostgreSQL and of all else of ours, the workers' most MB, and `odd`, which is empty
    when every row stands where it should and none was submitted twice."""

    rate: float
    us_workers: float
    us_postgres: float
    us_rest: float
    us_smsc: float
    peak: float
    odd: str

    @property
    def us(self) -> float:
        """Of processor a notification, all told without the SMSC."""
        return self.us_workers + self.us_postgres + self.us_rest


def deliver(sender: Sender, smsc: Smsc, plan: Plan) -> Delivered:
    """Loads the rows, lets the workers bind, and measures from the first submit to the last
    answer (or receipt) recorded."""
    rows.clear(sender.database)
    rows.load(sender.database, FREE, plan.count)
    with sender.workers(FREE, plan.workers) as workers:
        start(smsc, plan)
        before, smsc_before = sender.used(workers), smsc.figures().cpu
        smsc.tell("gate", 0)
        figures = finished(sender, smsc, plan)
        over = time.monotonic_ns()
        spent = [
            1e6 * (late - early) / plan.count
            for early, late in zip(before, sender.used(workers), strict=True)
        ]
        return Delivered(
            rate=plan.count * 1e9 / (over - figures.first),
            us_workers=spent[0],
            us_postgres=spent[1],
            us_rest=spent[2],
            us_smsc=(figures.cpu - smsc_before) / 1000 / plan.count,
            peak=workers.peak(),
            odd=odd(sender, figures, plan),
        )


def start(smsc: Smsc, plan: Plan) -> None:
    """Every worker waits behind the gate, and the SMSC has forgotten what was before."""
    smsc.tell("gate", 1)
    smsc.tell("receipts", plan.receipts)
    smsc.tell("limit", 0)
    smsc.tell("reset")
    smsc.until(lambda seen: seen.waiting >= plan.workers, STALLED_S)
    time.sleep(1.0)  # leases are taken, imports are done


def finished(sender: Sender, smsc: Smsc, plan: Plan) -> Figures:
    """Waits until all was taken, answered and recorded."""
    owed = plan.count * plan.receipts
    smsc.until(lambda seen: seen.taken >= plan.count and seen.answered >= owed, STALLED_S)
    until(lambda: rows.recorded(sender.database))
    return smsc.figures()


def until(true: Callable[[], bool], look: float = _LOOK_S) -> None:
    """Waits; raises TimeoutError."""
    deadline = time.monotonic() + STALLED_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("the answers are not recorded")
        time.sleep(look)


def odd(sender: Sender, figures: Figures, plan: Plan) -> str:
    """What does not add up, in words."""
    wanted = "delivered" if plan.receipts else "submitted"
    try:
        until(lambda: rows.states(sender.database) == {wanted: plan.count}, _COUNT_S)
    except TimeoutError:
        return f"states {rows.states(sender.database)}"
    return f"{figures.repeated} submitted twice" if figures.repeated else ""
