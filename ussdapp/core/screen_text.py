"""Knows how a screen's text is fitted: filled in, counted in septets, long values cut."""

import re
import unicodedata
from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Final

from ussdapp.core import gsm7

LEAST: Final = 20  # septets that a value keeps when a screen is full
_CUT: Final = "..."
_GAP: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ESCAPED: Final = "\f^{}\\[~]|€"  # 3GPP TS 23.038, 6.2.1.1
_ANY_ESCAPED: Final = re.compile(r"[\f^{}\\\[~\]|€]")
_BREAKS: Final = re.compile(r"[\t\n\r\u2028\u2029]")
# C0, DEL, C1, zero-width and direction marks, byte order mark, lone surrogates
_UNSEEN: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff\\ud800-\\udfff]"
)
_SPACES: Final = re.compile(r"[ \u00a0]+")


def cleaned(text: str) -> str:
    """The text without what no keypad types. Character by character, so that the beginning of a
    text stays the beginning of what is left of it."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", _BREAKS.sub(" ", text))


def readable(text: str) -> str:
    """The text in GSM-7: look-alikes replaced, every other stranger a `?`."""
    safe = gsm7.plain(cleaned(text))
    for stranger in gsm7.strangers(safe):
        safe = safe.replace(stranger, "?")
    return safe


def told(text: str) -> str:
    """What an institution says, line by line: look-alikes replaced, letters without the accents
    that GSM-7 lacks. Other strangers stay, and make the screen UCS-2."""
    lines = (_SPACES.sub(" ", cleaned(line)).strip() for line in text.splitlines())
    safe = gsm7.plain("\n".join(lines).strip())
    for stranger in gsm7.strangers(safe):
        if (letter := likeness(stranger)) is not None:
            safe = safe.replace(stranger, letter)
    return safe


def likeness(stranger: str) -> str | None:
    """The GSM-7 characters nearest to one that GSM-7 lacks, None where nothing is near."""
    alike = gsm7.LOOK_ALIKES.get(stranger) or unicodedata.normalize("NFKD", stranger)
    kept = "".join(char for char in alike if not unicodedata.combining(char))
    return kept if kept and gsm7.septets(kept) is not None else None


def width(text: str) -> int:
    """Septets of a text that is GSM-7: one a character, two for those of the extension table."""
    if _ANY_ESCAPED.search(text) is None:
        return len(text)
    return len(text) + sum(map(text.count, _ESCAPED))


def cut(text: str, room: int) -> str:
    """The text, or as much of its beginning as fits `room` septets with `...` after it."""
    if width(text) <= room:
        return text
    kept = text[: max(room - len(_CUT), 0)]
    while width(kept) > room - len(_CUT) and kept:
        kept = kept[:-1]
    return kept.rstrip() + _CUT


def fill(sentence: str, values: Mapping[str, str]) -> str:
    """Puts values into `{gaps}`, once: a value is never read for gaps itself."""
    return _GAP.sub(lambda gap: values[gap.group(1)], sentence)


@lru_cache(maxsize=4096)
def gaps(sentence: str) -> frozenset[str]:
    """The names a sentence shows."""
    return frozenset(_GAP.findall(sentence))


def bare(sentence: str) -> str:
    """The sentence with nothing in its gaps."""
    return fill(sentence, dict.fromkeys(gaps(sentence), ""))


def fit(sentence: str, values: Mapping[str, str], room: int, whole: Container[str] = ()) -> str:
    """The sentence filled in and no wider than `room` septets where that can be: the longest
    values are cut first, none below LEAST, those that stay `whole` not at all."""
    shown = dict(values)
    times = {name: sentence.count(f"{{{name}}}") for name in gaps(sentence) if name not in whole}
    over = width(fill(sentence, shown)) - room
    for name in sorted(times, key=lambda name: -width(shown[name])):
        if over <= 0:
            break
        before = width(shown[name])
        shown[name] = cut(shown[name], max(before - -(-over // times[name]), LEAST))
        over -= (before - width(shown[name])) * times[name]
    return fill(sentence, shown)
