"""eGA's mGov, pull SMS (reference/protocols.md 2c, as its clients speak it; nothing is published):
a citizen's text is POSTed as `{message, msisdn, transaction_id, sent_time}` to the address of the
institution whose keyword begins it, and answered `{transaction_id, message, reply: 1}`.

`message` is the whole text with its keyword, `sent_time` East African time as in mGov's SMS,
`transaction_id` the same when a text is posted again. The call is signed as all are (`calls`).
"""

from collections.abc import Callable, Mapping

from ussdapp.core.back_office import Asker, Mode
from ussdapp.institutions.ega_guide import DEADLINE, MOST_AT_ONCE, PATIENCE, EgaGuide, Office
from ussdapp.institutions.ega_guide.calls import Desk
from ussdapp.ports import NobodysKeyword
from ussdapp.wire.breaker import Breaker, Bulkhead

Find = Callable[[str], tuple[str, str, str] | None]


class KeywordDesks:
    """Keeps ports.Handovers. `find` tells whose a keyword is, its address and its secret; one
    institution's keywords share a bulkhead and a breaker."""

    def __init__(self, guide: EgaGuide, find: Find, deadline: float = DEADLINE) -> None:
        self._guide = guide
        self._find = find
        self._deadline = deadline
        self._walls: dict[str, tuple[Bulkhead, Breaker]] = {}

    def institution(self, keyword: str) -> str | None:
        """Whose an allotted keyword is."""
        found = self._find(keyword)
        return found[0] if found else None

    def hand_over(
        self, keyword: str, institution: str | None, told: Mapping[str, str], asker: Asker
    ) -> str | None:
        """The answer of that institution, None where it wants none sent."""
        found = self._find(keyword)
        if found is None or found[0] != institution:
            raise NobodysKeyword("it is not allotted to that institution, or no longer")
        institution, url, secret = found
        desk = Desk(url, Mode.KEYWORD, "POST", secret.encode())
        office = Office(f"keyword.{keyword}", desk, self._deadline, *self._between(institution))
        return self._guide.hand_over(office, told, asker)

    def _between(self, institution: str) -> tuple[Bulkhead, Breaker]:
        walls = (Bulkhead(MOST_AT_ONCE, PATIENCE), Breaker())
        return self._walls.setdefault(institution, walls)
