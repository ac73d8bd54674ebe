"""One channel's worker: it holds the bind and the lease, and answers the channel's doorbell."""

import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from ussdapp.bootstrap import Gateway, open_gateway
from ussdapp.core.health import Health
from ussdapp.core.inbound import Keyed, Lease, Mo, Receipt
from ussdapp.core.mo_parts import MoPart
from ussdapp.core.notification import Lane
from ussdapp.core.quiet import bulk_may_leave
from ussdapp.core.session import Shown
from ussdapp.ports import Answered, AsksReports, Fenced, Unavailable
from ussdapp.stores.doorbells import listener
from ussdapp.stores.urgents import count_urgent
from ussdapp.usecases.deliver_window import DeliverWindow
from ussdapp.wire.ussd_dialogues import Answering
from workers.lanes import Lanes
from workers.night import Night

_RENEW_S: Final = 1.0
_FIRST_LANGUAGE: Final = "sw"
_LAST_S: Final = 2.0  # for a window that is being recorded
_SWITCH_S: Final = 0.0005  # an urgent notification waits so long for Python's lock, not 5 ms

log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


class Bound:
    """Delivers what is due on one channel for as long as its lease holds: that of the first of
    the channel's `binds` that nobody holds."""

    def __init__(self, gateway: Gateway, channel: str, binds: int = 1) -> None:
        self._gateway = gateway
        self._channel = gateway.sending(channel)
        self._health = Health()
        night = Night(lambda ids: count_urgent(gateway.database, ids), gateway.settings.bulk_hours)
        self._binds = range(1, binds + 1)
        self._lease: Lease | None = None
        self._others = 0  # holders of the channel's other binds
        self._lanes = Lanes(self._channel.window, self._deliver_some)
        self._deliver = DeliverWindow(
            gateway.journal,
            lambda: time.sleep(1.0),
            time.monotonic,
            self._watch,
            self._lanes.claimed,
            night.recorded,
        )
        self._late: list[Answered] = []
        self._recording = threading.Lock()
        self._mo_parts = gateway.mo_parts
        self._stopping = threading.Event()
        self._keepers = [
            threading.Thread(target=_or_end, args=(keep,), daemon=True)
            for keep in (self._keep_bound, self._keep_lease, *self._lanes.threads())
        ]

    def start(self) -> None:
        """Binds and takes the lease, each in a thread that keeps it."""
        answering = Answering(self._answer_ussd, lambda: self._gateway.sorry(_FIRST_LANGUAGE))
        self._channel.open(self._on_receipts, self._on_mos, answering)
        threading.Thread(target=_or_end, args=(self._listen,), daemon=True).start()
        for keeper in self._keepers:
            keeper.start()

    def stop(self) -> None:
        """Unbinds, and gives the lease back."""
        self._stopping.set()
        self._lanes.stop()
        self._channel.close()
        for keeper in self._keepers:
            keeper.join(_LAST_S)  # what was answered is recorded first
        self._record_late()
        self._gateway.leases.release()

    def rung(self, hands: int = 1) -> None:
        """There may be work: the lanes look. RQ told one worker alone: where that one cannot
        deliver and another may, it is told next, the `hands + 1`st."""
        self._gateway.doorbells.answered(self._channel.name)
        self._lanes.ring()
        if self._others and not (self._lease and self._channel.ready()):
            self._gateway.doorbells.ring(self._channel.name, hands + 1)

    def _listen(self) -> None:
        """What is urgent rings past RQ."""
        bell, name = self._gateway.urgent_bell, self._channel.name
        bell.listen(name, self._lanes.ring_express, self._stopping)

    def _deliver_some(self, lane: Lane | None, most: int) -> int:
        """What is due of a lane, window by window; 0 when there is nothing, or nobody may submit
        now."""
        lease, leaves = self._lease, self._bulk_leaves()
        if lease is None or (lane is Lane.BULK and not leaves):
            return 0

        def goes_on() -> bool:
            if lane is Lane.BULK:
                self._lanes.make_way()
            still = self._lease is lease and not self._stopping.is_set()
            return still and self._bulk_leaves() == leaves

        lane = lane if leaves else Lane.EXPRESS
        try:
            return self._deliver(self._channel, lease, _now, lane, most, goes_on)
        except Fenced:
            log.warning("lease.lost", channel=self._channel.name)
            self._lease = None
        except Unavailable:
            log.warning("deliver.postponed", channel=self._channel.name)
            # often no more than a connection that died while it lay idle: soon again
            self._stopping.wait(random.uniform(0.05, 0.2))  # noqa: S311 - jitter, no secret
            self._lanes.ring()
        return 0

    def _bulk_leaves(self) -> bool:
        return bulk_may_leave(_now(), self._gateway.settings.bulk_hours)

    def _keep_bound(self) -> None:
        self._expect_reports()
        bound = False
        while not self._stopping.is_set():
            pause = self._channel.keep_bound()
            self._record_late()
            if self._channel.ready() and not bound:
                self._lanes.ring()  # work may have gathered
            bound = self._channel.ready()
            self._stopping.wait(pause)

    def _expect_reports(self) -> None:
        """What an earlier process submitted is asked for as well, where reports are asked for."""
        if not isinstance(self._channel, AsksReports):
            return
        try:
            now = _now()
            self._channel.expect(self._gateway.unreported.of(self._channel.name, now), now)
        except Unavailable:
            log.warning("reports.unknown", channel=self._channel.name)

    def _record_late(self) -> None:
        """Records what was answered after all; known only here, it is held until it is kept."""
        lease = self._lease or Lease(self._channel.name, 0, 0)
        with self._recording:
            self._late += self._channel.late()
            try:
                while self._late:
                    self._gateway.journal.record(lease, self._late[:1], _now())
                    del self._late[0]
                    log.info("answer.late", channel=lease.channel)
            except Unavailable:
                log.warning("answer.unrecorded", channel=lease.channel, rows=len(self._late))

    def _keep_lease(self) -> None:
        while not self._stopping.is_set():
            try:
                self._renew()
            except Unavailable:
                log.warning("lease.unrenewed", channel=self._channel.name)
            self._stopping.wait(_RENEW_S)

    def _renew(self) -> None:
        leases, name = self._gateway.leases, self._channel.name
        bound, share = self._channel.ready(), self._health.share
        if self._lease and leases.renew(self._lease, _now(), bound=bound, share=share):
            live = max(1, leases.live(name))
            self._channel.share(live)
            self._others = live - 1
            return
        taken = (leases.take(name, bind, _now()) for bind in self._binds)
        self._lease = next((lease for lease in taken if lease), None)
        if self._lease:
            log.info("lease.taken", channel=name, bind=self._lease.bind, epoch=self._lease.epoch)
            self._lanes.ring()
        else:
            self._others = leases.live(name)

    def _watch(self, answered: int, troubled: int, seconds: float) -> None:
        self._health = self._health.after(answered, troubled, seconds, time.monotonic())

    def _on_receipts(self, receipts: list[Receipt]) -> None:
        self._gateway.record_receipts(receipts, _now())

    def _on_mos(self, came: Sequence[Mo | MoPart]) -> None:
        for mo in came:
            if isinstance(mo, Mo):
                self._gateway.receive_mo(mo, _now())
        parts = [part for part in came if isinstance(part, MoPart)]
        for mo in self._mo_parts.keep(parts, _now()) if parts else ():
            self._gateway.receive_mo(mo, _now())
            self._mo_parts.end(mo, _now())

    def _answer_ussd(self, keyed: Keyed) -> Shown:
        return self._gateway.answer_ussd(keyed, _now())


def _or_end(keep: Callable[[], None]) -> None:
    """A worker whose bind or lease nobody keeps would live on and deliver nothing: it ends, and
    is started again."""
    try:
        keep()
    except BaseException:
        log.exception("worker.broken")
        os._exit(1)


_held: list[Bound] = []


def bound() -> Bound:
    """This process's channel."""
    return _held[0]


def main(channel: str) -> None:
    """Serves one channel until SIGTERM."""
    sys.setswitchinterval(_SWITCH_S)
    gateway = open_gateway()
    if channel not in gateway.settings.channels:
        known = ", ".join(gateway.settings.channels)
        sys.exit(f"ussdapp does not start: no channel is called {channel!r}; CHANNEL names {known}")
    worker = listener(gateway.settings.redis_url, channel)
    try:
        _held.append(Bound(gateway, channel, gateway.settings.channels[channel].binds))
    except ValueError as refusal:
        sys.exit(f"ussdapp does not start: channels.{channel}: {refusal}")
    bound().start()
    # what a window makes goes when the window goes; looking for cycles among it was a tenth of all
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    try:
        worker.work(logging_level="WARNING")
    finally:
        bound().stop()
        gateway.close()


if __name__ == "__main__":
    # RQ imports this module by name: run as that one, or there would be two of it
    from workers.bound import main as serve

    serve(sys.argv[1])
