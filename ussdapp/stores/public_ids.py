"""Knows how a number that is counted up is shown to institutions: as one that tells nothing."""

import base64
import binascii
import hmac
import threading
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

_DIGITS: Final = 26  # of base32 for the 16 octets of one block


class PublicIds:
    """A number as 26 letters and digits, and back. One AES block holds the number and what it
    counts (`kind`, up to 8 octets): each id is another's permutation, and one that was made up is
    a number of that kind once in 2**64."""

    def __init__(self, index_key: bytes, kind: str) -> None:
        self._kind = kind.encode().ljust(8, b"\0")
        # one block alone, and never the same number twice: ECB is the permutation that is wanted
        key = hmac.digest(index_key, b"public-id", "sha256")
        self._cipher = Cipher(AES(key), ECB())  # noqa: S305
        # of whole blocks ECB remembers nothing, so that one encryptor serves for all
        self._encryptor = self._cipher.encryptor()
        self._lock = threading.Lock()

    def shown(self, number: int) -> str:
        """The id of that number."""
        with self._lock:
            block = self._encryptor.update(self._kind + number.to_bytes(8))
        return base64.b32encode(block).decode().rstrip("=").lower()

    def read(self, shown: str) -> int | None:
        """The number, None for what is no id of this kind."""
        if len(shown) != _DIGITS or not shown.isascii() or shown != shown.lower():
            return None
        try:
            octets = base64.b32decode(shown.upper() + "======")
        except binascii.Error:
            return None
        block = self._cipher.decryptor().update(octets)
        number = int.from_bytes(block[8:])
        return number if block[:8] == self._kind and self.shown(number) == shown else None
