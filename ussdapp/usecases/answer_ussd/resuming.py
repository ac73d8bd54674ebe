"""Offers a citizen who dials again to go on where an earlier dialogue dropped."""

from dataclasses import dataclass

from ussdapp.core.marked import marked
from ussdapp.core.menu import Menu
from ussdapp.core.replay import replay
from ussdapp.core.resume import decided, offer, offering
from ussdapp.core.session import Record, Turn
from ussdapp.ports import Menus, Offers, Unavailable
from ussdapp.usecases.answer_ussd.call import Call
from ussdapp.usecases.answer_ussd.keeping import Keeping


@dataclass(frozen=True, slots=True)
class Offering:
    """An offer is only made where it can be told from a plain beginning after Redis has lost it."""

    offers: Offers | None
    menus: Menus
    keeping: Keeping

    def offered(self, call: Call, draft: Record, record: Record) -> Record:
        """What is kept now: the offer, where it leads somewhere, or else the record."""
        menu, newest = self.menus.pinned(draft.version), self.menus.current()
        offered = offer(menu, draft) if menu and self._make(call) else None
        if menu is None or offered is None:
            turn = replay(newest, record)
            return self.keeping.exchange(call, (None, record), (newest, turn)) or record
        offered = marked(offered, call.keyed, call.at.timestamp())
        turn = offering(menu, offered)
        return self.keeping.exchange(call, (None, offered), (menu, turn)) or offered

    def made(self, call: Call) -> bool:
        """Whether the callback's dialogue began with an offer. Raises Unavailable."""
        return self.offers is not None and self.offers.made(call.key)

    def decided(
        self, call: Call, menu: Menu, kept: Record, key: str
    ) -> tuple[Turn, Record | None, Record]:
        """What the citizen's answer causes, what another kept instead, and the record of it."""
        record = decided(menu, self.menus.current(), kept, key)
        record = marked(record, call.keyed, call.at.timestamp(), kept)
        there = self.menus.pinned(record.version) or menu
        turn = offering(there, record) if record.offered else replay(there, record)
        return turn, self.keeping.exchange(call, (kept, record), (there, turn)), record

    def _make(self, call: Call) -> bool:
        if self.offers is None:
            return False
        try:
            self.offers.make(call.key, call.at)
        except Unavailable:
            return False
        return True
