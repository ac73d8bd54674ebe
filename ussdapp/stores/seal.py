"""Knows how personal data are sealed at rest, and how they are found again without opening."""

import hmac
import secrets
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.reference import Reference

_VERSION: Final = b"\x01"  # of the key and the layout: version, nonce, sealed octets
_NONCE: Final = 12
_INDEX: Final = 16  # octets of a blind index


class Unsealable(ValueError):
    """Sealed by another key, for another place, or changed since."""


class Seal:
    """AES-256-GCM bound to the place it is kept in (`about`: table and column), and an
    HMAC-SHA-256 blind index under a key of its own (DESIGN D12)."""

    def __init__(self, seal_key: bytes, index_key: bytes) -> None:
        self._cipher = AESGCM(seal_key)
        # copied, not begun anew: OpenSSL would look its digest up each time
        self._hmac = hmac.new(index_key, digestmod="sha256")

    def close(self, content: bytes, about: str) -> bytes:
        """Seals octets; each sealing differs."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """The octets again; raises Unsealable."""
        nonce, content = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, content, about.encode())
        except (InvalidTag, ValueError) as trouble:
            raise Unsealable(f"{about} cannot be opened with this seal_key") from trouble

    def close_text(self, text: str, about: str) -> bytes:
        """Seals a text; lone surrogates, which UTF-8 refuses, become `?`."""
        return self.close(text.encode("utf-8", "replace"), about)

    def open_text(self, sealed: bytes, about: str) -> str:
        """The text again."""
        return self.open(sealed, about).decode("utf-8")

    def opener(self, about: str) -> Callable[[bytes], str]:
        """`open_text` of many that are kept in one place, at two thirds of its cost."""
        decrypt, place = self._cipher.decrypt, about.encode()

        def open_one(sealed: bytes) -> str:
            try:
                return decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], place).decode()
            except (InvalidTag, ValueError) as trouble:
                raise Unsealable(f"{about} cannot be opened with this seal_key") from trouble

        return open_one

    def index(self, msisdn: Msisdn) -> bytes:
        """The same for the same MSISDN, and of no use without the key."""
        return self._digest("msisdn", msisdn.digits)

    def follow_index(self, msisdn: Msisdn, reference: Reference) -> bytes:
        """Lets the handset that opened a case ask for it. It differs from case to case, so that it
        does not tell which cases are one citizen's."""
        return self._digest("follow", f"{reference.digits}:{msisdn.digits}")

    def key_index(self, secret: str) -> bytes:
        """What is kept of an API key."""
        return self._full("key", secret)

    def content_index(self, content: str) -> bytes:
        """The same for a text that comes again."""
        return self._digest("mo", content)

    def effect(self, key: str) -> str:
        """What is kept of an effect key: a plain digest of session and MSISDN could be made again
        by whoever holds an operator's log."""
        return self._digest("effect", key).hex()

    def _digest(self, purpose: str, content: str) -> bytes:
        return self._full(purpose, content)[:_INDEX]

    def _full(self, purpose: str, content: str) -> bytes:
        begun = self._hmac.copy()
        begun.update(f"{purpose}:{content}".encode())
        return begun.digest()
