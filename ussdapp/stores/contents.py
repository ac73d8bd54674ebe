"""Knows where the MSISDN and text of a claimed notification lie: in its pack, or alone."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.ports import Submission
from ussdapp.stores.claim_checks import Claimed
from ussdapp.stores.database import as_array
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.packs import Pack, Packs
from ussdapp.stores.seal import Seal

_ALONE: Final = """
    SELECT notification_id, msisdn_sealed, text_sealed FROM contents
    WHERE notification_id = ANY (%s::text::bigint[])
"""


class Contents:
    """Any thread may use it."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._packs = Packs(seal)

    def submissions(
        self, cursor: Any, claimed: Sequence[Claimed], window: int
    ) -> tuple[list[Submission], list[int]]:
        """What is submitted, and the ids of those whose contents cannot be opened."""
        found: list[Submission] = []
        bad: list[int] = []
        packs = self._packs.opened(cursor, {one.pack for one in claimed if one.pack is not None})
        alone = [number for one in claimed if one.pack is None for number in one.ids]
        apart = self._apart(cursor, alone) if alone else {}
        for ids, attempt, sender_id, pack, expires_at, taken in claimed:
            contents = apart if pack is None else packs[pack]
            bad += [number for number in ids if number not in contents]
            found += [
                Submission(number, attempt, *contents[number], sender_id, window, taken, expires_at)
                for number in ids
                if number in contents
            ]
        return found, bad

    def _apart(self, cursor: Any, ids: list[int]) -> Pack:
        msisdn_of, text_of = self._seal.opener(MSISDN), self._seal.opener(TEXT)
        found: dict[int, tuple[Msisdn, str]] = {}
        for number, msisdn, text in cursor.execute(_ALONE, (as_array(ids),)).fetchall():
            with suppress(ValueError):  # Unsealable and NotAnMsisdn among them
                found[number] = Msisdn(msisdn_of(msisdn)), text_of(text)
        return found
