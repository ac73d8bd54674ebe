"""Knows how receipts are kept: a few are settled as they come, many are first put by."""

import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from ussdapp.core.inbound import Receipt
from ussdapp.core.message_ids import Learnt
from ussdapp.ports import Unavailable
from ussdapp.stores.database import Connection, Database
from ussdapp.stores.id_bases import agreed
from ussdapp.stores.known_receipts import settle_known
from ussdapp.stores.parked_receipts import MOST, ParkedReceipts
from ussdapp.stores.plain_receipts import End
from ussdapp.stores.receipt_inbox import Block, Held, orphan, put, taken
from ussdapp.stores.seal import Seal
from ussdapp.stores.settled_receipts import EARLY, locked, settle, settle_parked
from ussdapp.stores.told_ids import ToldIds

_ROUNDS: Final = 20  # a call of `apply`, where many are due
_MOST_HELD: Final = 4000  # of one transaction, that were put by
_MANY: Final = 16  # that come together

log = structlog.get_logger()
_Take = Callable[[Connection], list[Block]]


class PgReceipts:
    """Keeps ports.Receipts."""

    def __init__(self, database: Database, seal: Seal, told: ToldIds | None = None) -> None:
        self._database = database
        self._seal = seal
        self._told = told or ToldIds()
        self._parked = ParkedReceipts(database)
        self._held = Held()
        self._numbers = itertools.count(secrets.randbits(62))

    def keep(self, receipts: Sequence[Receipt], at: datetime) -> None:
        """Commits them; where they are few and none wait before them, with what they move."""
        index, run = self._seal.index, self._database.run
        for account, batch in _batches(receipts):
            if len(batch) < _MANY and self._held.empty:
                came = [(at, one) for one in batch]
                self._tell(account, *run(lambda link: settle(link, index, account, came, at)))  # noqa: B023 (run here)
            else:
                block = Block(next(self._numbers), account, at, batch)
                self._database.alone(lambda link: put(link, self._seal, block))  # noqa: B023 (run here)
                self._held.add(block)

    def apply(self, now: datetime) -> int:
        """Moves notifications forward by what was put by, and by what is parked and due."""
        applied = self._settle_held(now) + self._settle_orphans(now)
        self._parked.prepare(now)
        for _ in range(_ROUNDS):
            plain = self._apply_plain(now)
            found = self._parked.look(now)
            applied += plain + found.applied
            if not found.again and plain < MOST:
                break
        return applied

    def _settle_held(self, now: datetime) -> int:
        settled = 0
        while blocks := self._held.due(now - EARLY, _MOST_HELD):
            try:
                settled += self._settle(partial(taken, blocks=blocks), now) or 0
            except Unavailable:
                self._held.put_back(*blocks)
                raise
        return settled

    def _settle_orphans(self, now: datetime) -> int:
        settled = 0
        take = partial(orphan, seal=self._seal, now=now)
        while (more := self._settle(take, now)) is not None:
            settled += more
        return settled

    def _settle(self, take: _Take, now: datetime) -> int | None:
        """Settles what is taken out of the inbox in the same transaction, None where nothing is;
        what that leaves, for this process does not know whose it is, is put there anew."""
        settled = self._database.run(lambda link: self._settled(link, take(link), now))
        if settled is None:
            return None
        account, learnt, found, left = settled
        self._held.put_back(*left)
        self._tell(account, learnt, found)
        return len(found)

    def _settled(
        self, connection: Connection, blocks: Sequence[Block], now: datetime
    ) -> tuple[str, Learnt, list[End], list[Block]] | None:
        if not blocks:
            return None
        account = blocks[0].account
        if not blocks[0].looked:
            known = settle_known(connection, self._told, blocks, now)
            if known.found:
                left = [
                    Block(next(self._numbers), account, block.received_at, rest, looked=True)
                    for block, rest in zip(blocks, known.left, strict=True)
                    if rest
                ]
                for block in left:
                    put(connection, self._seal, block)
                return account, known.learnt, known.found, left
        arrived = [(block.received_at, one) for block in blocks for one in block.receipts]
        return account, *settle(connection, self._seal.index, account, arrived, now), []

    def _apply_plain(self, now: datetime) -> int:
        run = self._database.run
        applied = 0
        for account, learnt in run(lambda link: locked(link, now)).items():
            found = run(lambda link, a=account, by=learnt: settle_parked(link, a, by, now))  # type: ignore[misc]
            self._tell(account, learnt, found)
            applied += len(found)
        return applied

    def _tell(self, account: str, learnt: Learnt, found: Iterable[End]) -> None:
        """Apart from what moves notifications, so that nobody waits in a circle."""
        outcomes = [end[1] for end in found if end]
        if conflicts := outcomes.count("conflict"):
            log.warning("receipt.conflict", account=account, count=conflicts)
        if learnt.contrary and "applied" in outcomes:
            self._database.run(lambda link: agreed(link, account, learnt.base))


def _batches(receipts: Sequence[Receipt]) -> Iterator[tuple[str, list[Receipt]]]:
    by_account: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_account.setdefault(receipt.account, []).append(receipt)
    for account, batch in by_account.items():
        for start in range(0, len(batch), MOST):
            yield account, batch[start : start + MOST]
