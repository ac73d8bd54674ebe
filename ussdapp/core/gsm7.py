"""Knows the GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1)."""

import codecs
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

# The basic table as the interpreter's own codecs read one, which takes a tenth of the time. They
# keep 0 for NUL, so `@`, which is 0 on the air, stands behind the table and is put right after.
_NOT_THERE: Final = "\ufffe"
_AT: Final = bytes((len(_BASIC),))
_TABLE: Final = codecs.charmap_build(
    "\0" + _BASIC[1:].replace(chr(ESCAPE), _NOT_THERE) + "@" + _NOT_THERE * (255 - len(_BASIC))
)

_NONE: Final = b"\xff"
_OF_ASCII: Final = b"".join(
    one if len(one := _ENCODED.get(chr(code), _NONE)) == 1 else _NONE for code in range(128)
) + bytes(128)

# Look-alikes that phones and word processors write and GSM-7 lacks.
LOOK_ALIKES: Final[Mapping[str, str]] = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'", "ʼ": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "•": "-",
    "…": "...", "\t": " ", "\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ",
    # seen by nobody, yet each would halve what a part can hold
    "\u00ad": "", "\u200b": "", "\u2060": "", "\ufeff": "",
}  # fmt: skip
_PLAIN: Final = str.maketrans(dict(LOOK_ALIKES))


def plain(text: str) -> str:
    """The text with look-alikes (curly quotes, dashes, NBSP) replaced by GSM-7 characters."""
    return text.translate(_PLAIN)


def encode(text: str) -> bytes:
    """One septet a byte, escapes as two; raises KeyError with the character GSM-7 lacks."""
    if text.isascii():  # most are, and hold nothing that is written as an escape
        septets = text.encode().translate(_OF_ASCII)
        if _NONE not in septets:
            return septets
    try:
        septets = codecs.charmap_encode(text, "strict", _TABLE)[0]
    except UnicodeEncodeError:
        return b"".join(map(_ENCODED.__getitem__, text))
    if b"\0" in septets:
        raise KeyError("\0")
    return septets.replace(_AT, b"\0") if _AT in septets else septets


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
