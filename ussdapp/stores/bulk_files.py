"""Knows a file that is kept in sealed blocks: it is read without ever being whole anywhere."""

import io
from collections.abc import Callable
from typing import Any


class Sealed(io.RawIOBase):
    """The blocks of a file as one that can be sought in; two blocks are held at most."""

    def __init__(self, piece: Callable[[int], bytes | None], size: int, block: int) -> None:
        super().__init__()
        self._piece, self._size, self._block = piece, size, block
        self._at = 0
        self._held: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, into: Any) -> int:
        """As much as is left of the block it stands in."""
        place, within = divmod(self._at, self._block)
        octets = self._octets(place)[within : within + len(into)] if self._at < self._size else b""
        into[: len(octets)] = octets
        self._at += len(octets)
        return len(octets)

    def _octets(self, place: int) -> bytes:
        if place not in self._held:
            if len(self._held) > 1:
                del self._held[next(iter(self._held))]
            self._held[place] = self._piece(place) or b""
        return self._held[place]
