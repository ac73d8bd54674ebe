"""Knows how the MSISDNs and texts of many rows of a bulk are sealed as one, and read again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.stores.seal import Seal

PACK: Final = "packs.sealed"
PACK_IDS: Final = "SELECT nextval('packs_id_seq') FROM generate_series(1, %s)"
PACKED: Final = "INSERT INTO packs (id, sealed) OVERRIDING SYSTEM VALUE VALUES (%s, %s)"
_SEALED: Final = "SELECT id, sealed FROM packs WHERE id = ANY (%s)"
_HELD: Final = 2  # packs that stay open: a window is mostly smaller than its pack

Pack = Mapping[int, tuple[Msisdn, str]]  # by the notification's id
_EMPTY: Final[Pack] = MappingProxyType({})


def packed(seal: Seal, ids: Sequence[int], digits: Sequence[str], texts: Sequence[str]) -> bytes:
    """One pack of those columns; lone surrogates, which UTF-8 refuses, become `?`."""
    content = json.dumps((ids, digits, texts), ensure_ascii=False, separators=(",", ":"))
    return seal.close_text(content, PACK)


class Packs:
    """Opens packs, and holds the last few open. Any thread may use it."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._held: Mapping[int, Pack] = {}  # replaced, never changed; what was last used is last

    def opened(self, cursor: Any, numbers: Iterable[int]) -> Mapping[int, Pack]:
        """Those packs; one that is gone or cannot be opened is empty. `cursor` is binary."""
        wanted, held = set(numbers), self._held
        found = {number: held[number] for number in wanted & held.keys()}
        if missing := list(wanted - found.keys()):
            rows = cursor.execute(_SEALED, (missing,)).fetchall()
            found.update((number, self._open(sealed)) for number, sealed in rows)
            others = [one for one in held.items() if one[0] not in found]
            self._held = dict([*others, *found.items()][-_HELD:])
        return {**dict.fromkeys(wanted, _EMPTY), **found}

    def _open(self, sealed: bytes) -> Pack:
        try:
            ids, digits, texts = json.loads(self._seal.open_text(sealed, PACK))
            return dict(zip(ids, zip(Msisdn.all(digits), texts, strict=True), strict=True))
        except ValueError:  # Unsealable and NotAnMsisdn among them
            return _EMPTY
