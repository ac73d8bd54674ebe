"""Knows the GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1)."""

from collections.abc import Mapping
from typing import Final

ESCAPE: Final = 0x1B
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_ENCODED: Final[Mapping[str, bytes]] = {
    char: bytes((code,)) for code, char in enumerate(_BASIC) if code != ESCAPE
} | {char: bytes((ESCAPE, code)) for code, char in _EXTENSION.items()}

# Look-alikes that phones type and GSM-7 lacks; what is not here forces UCS-2.
LOOK_ALIKES: Final[Mapping[str, str]] = {
    "‘": "'", "’": "'", "“": '"', "”": '"', "`": "'", "´": "'",
    "–": "-", "—": "-", "…": "...", "•": "-", "\u00a0": " ", "\t": " ",
}  # fmt: skip
_PLAIN: Final = str.maketrans(dict(LOOK_ALIKES))


def plain(text: str) -> str:
    """The text with look-alikes (curly quotes, dashes, NBSP) replaced by GSM-7 characters."""
    return text.translate(_PLAIN)


def encode(text: str) -> bytes:
    """One septet a byte, escapes as two; raises KeyError with the character GSM-7 lacks."""
    return b"".join(map(_ENCODED.__getitem__, text))


def decode(septets: bytes) -> str:
    """The text of unpacked septets; what no table holds is shown as U+FFFD."""
    text: list[str] = []
    escaped = False
    for septet in septets:
        if escaped:
            # 23.038 6.2.1.1: an unknown extension shows the basic character
            text.append(_EXTENSION.get(septet) or _basic(septet))
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text.append(_basic(septet))
    return "".join(text)


def septets(text: str) -> int | None:
    """How many septets the text takes, or None when GSM-7 cannot carry it."""
    try:
        return len(encode(text))
    except KeyError:
        return None


def strangers(text: str) -> tuple[str, ...]:
    """The characters GSM-7 lacks, each once, in order: they force UCS-2."""
    return tuple(dict.fromkeys(char for char in text if char not in _ENCODED))


def _basic(septet: int) -> str:
    return _BASIC[septet] if septet < len(_BASIC) and septet != ESCAPE else "\ufffd"
