"""Knows how a request is signed: what is signed, and when a signature is too old (DECISIONS 56)."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

SKEW_S: Final = 300  # seconds that the two clocks may be apart
VERSION: Final = "v1"
_TIMESTAMP: Final = re.compile("[0-9]{1,19}", re.ASCII)
_NONCE: Final = re.compile("[A-Za-z0-9_-]{16,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signed:
    """What is signed. `target` is path and query as on the request line, `timestamp` in seconds of
    Unix time, `digest` the SHA-256 of the body in lower-case hex."""

    method: str
    target: str
    timestamp: str
    nonce: str
    digest: str

    def is_shaped(self) -> bool:
        """Whether timestamp and nonce are written as they must be."""
        return bool(_TIMESTAMP.fullmatch(self.timestamp) and _NONCE.fullmatch(self.nonce))

    def line(self) -> bytes:
        """The octets that are signed: six lines, without a line end after the last."""
        lines = (VERSION, self.method, self.target, self.timestamp, self.nonce, self.digest)
        return "\n".join(lines).encode()

    def is_good(self, signature: str, secret: str) -> bool:
        """Whether whoever signed it knows the secret."""
        expected = signature_of(self, secret)
        return hmac.compare_digest(expected.encode(), signature.encode())

    def is_timely(self, now: datetime) -> bool:
        """Whether it was signed within SKEW_S of now."""
        return abs(now.timestamp() - int(self.timestamp)) <= SKEW_S


def signature_of(signed: Signed, secret: str) -> str:
    """`v1=` and the HMAC-SHA-256 in lower-case hex; the secret's letters are the key."""
    digest = hmac.digest(secret.encode(), signed.line(), "sha256")
    return f"{VERSION}={digest.hex()}"
