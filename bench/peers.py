"""What the peers do with the same notifications, and what it costs them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.jasmin import jasmin
from bench.kannel import kannel
from bench.processes import used, with_children
from bench.rows import FIRST, WORDS
from bench.smsc import Figures, Smsc
from bench.urgent import TEXT, Waited, probes, waited

STALLED_S: Final = 20.0
_URGENT: Final = "255786"
_WARM_S: Final = 1.0


@dataclass(frozen=True)
class Sent:
    """Notifications a second, microseconds of processor each, and MB of all its processes at the
    end."""

    rate: float
    us: float
    resident: float


def send_by_kannel(folder: Path, smsc: Smsc, count: int, spool: int, receipts: int) -> Sent:
    """A hundred recipients a request; with receipts, until the callback for each was answered.
    Raises NoPeer."""
    with kannel(folder, smsc, spool) as running:
        _calm(smsc, receipts)
        over = _called_back if receipts else _taken
        return _measured(
            smsc, running.pids, lambda: running.send(_recipients(count), _text(), receipts), over,
            count,
        )  # fmt: skip


def send_by_jasmin(folder: Path, smsc: Smsc, count: int) -> Sent:
    """One recipient a request. Raises NoPeer."""
    with jasmin(folder, smsc) as running:
        _calm(smsc, 0)
        return _measured(
            smsc, running.pids, lambda: running.send(_recipients(count), _text()), _taken, count
        )


def urgent_by_kannel(folder: Path, smsc: Smsc, backlog: int, seconds: float, tps: int) -> Waited:
    """One urgent notification, with Kannel's highest priority, while its memory holds a backlog;
    `tps` 0 is no limit. Raises NoPeer."""
    with kannel(folder, smsc, tps=tps) as running:
        _calm(smsc, 0)
        smsc.tell("limit", tps)
        smsc.tell("watch", _URGENT)
        filling = threading.Thread(target=running.send, args=(_recipients(backlog), _text(), 0))
        filling.start()
        time.sleep(_WARM_S)
        before = smsc.figures()
        called = probes(
            lambda msisdn: running.send_urgent(msisdn, TEXT), _URGENT, seconds,
            lambda: smsc.figures().taken < backlog,
        )  # fmt: skip
        after = smsc.figures()
        smsc.until(
            lambda seen: len(smsc.ledger()) >= len(called) or seen.taken > backlog, STALLED_S
        )
        seen = waited(called, smsc, "by HTTP, priority 3", (before, after))
        filling.join()
        return seen


def _measured(
    smsc: Smsc,
    pids: list[int],
    send: Callable[[], None],
    over: Callable[[Figures], tuple[int, int]],
    count: int,
) -> Sent:
    before = used(with_children(pids)).cpu
    send()
    figures = smsc.until(lambda seen: over(seen)[0] >= count, STALLED_S)
    after = used(with_children(pids))
    seconds = (over(figures)[1] - figures.first) / 1e9
    return Sent(count / seconds, 1e6 * (after.cpu - before) / count, after.resident)


def _taken(figures: Figures) -> tuple[int, int]:
    return figures.taken, figures.last


def _called_back(figures: Figures) -> tuple[int, int]:
    return figures.callbacks, figures.last_callback


def _calm(smsc: Smsc, receipts: int) -> None:
    smsc.tell("receipts", receipts)
    for word in ("gate", "limit"):
        smsc.tell(word, 0)
    smsc.tell("reset")


def _recipients(count: int) -> list[str]:
    return [str(FIRST + number) for number in range(count)]


def _text() -> str:
    return WORDS.format(number=48_500)
