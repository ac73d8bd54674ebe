"""Knows how a screen's text is fitted: GSM-7 only, counted in septets, long values cut."""

import re
from collections.abc import Mapping
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.texts import fill, gaps

LEAST: Final = 20  # septets that a value keeps when a screen is full
_CUT: Final = "..."
_ESCAPED: Final = re.compile(r"[\f^{}\\\[~\]|€]")  # 3GPP TS 23.038, 6.2.1.1
_BREAKS: Final = re.compile(r"[\t\n\r\u2028\u2029]")
# C0, DEL, C1, zero-width and direction marks, byte order mark, lone surrogates
_UNSEEN: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff\\ud800-\\udfff]"
)


def cleaned(text: str) -> str:
    """The text without what no keypad types. Character by character, so that the beginning of a
    text stays the beginning of what is left of it."""
    return _UNSEEN.sub("", _BREAKS.sub(" ", text))


def readable(text: str) -> str:
    """The text in GSM-7: look-alikes replaced, every other stranger a `?`."""
    safe = gsm7.plain(cleaned(text))
    for stranger in gsm7.strangers(safe):
        safe = safe.replace(stranger, "?")
    return safe


def width(text: str) -> int:
    """Septets of a text that is GSM-7: one a character, two for those of the extension table."""
    return len(text) + len(_ESCAPED.findall(text))


def cut(text: str, room: int) -> str:
    """The text, or as much of its beginning as fits `room` septets with `...` after it."""
    if width(text) <= room:
        return text
    kept = text
    while width(kept) > room - len(_CUT):
        kept = kept[:-1]
    return kept.rstrip() + _CUT


def bare(sentence: str) -> str:
    """The sentence with nothing in its gaps."""
    return fill(sentence, dict.fromkeys(gaps(sentence), ""))


def fit(sentence: str, values: Mapping[str, str], room: int) -> str:
    """The sentence filled in and no wider than `room` septets: the longest values are cut first,
    none below LEAST. What menu proof lets pass always fits."""
    if not (names := gaps(sentence)):
        return sentence
    shown = {name: readable(values[name]) for name in names}
    times = {name: sentence.count(f"{{{name}}}") for name in shown}
    over = width(fill(sentence, shown)) - room
    for name in sorted(shown, key=lambda name: -width(shown[name])):
        if over <= 0:
            break
        before = width(shown[name])
        shown[name] = cut(shown[name], max(before - -(-over // times[name]), LEAST))
        over -= (before - width(shown[name])) * times[name]
    return fill(sentence, shown)
