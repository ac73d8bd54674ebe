"""Knows which hosts a text leads to, as a handset would make links of them, and what is wrong with
those that are no institution's.

A handset makes a link of bare names too (Android's `Patterns.WEB_URL`), so those are looked for
by their last label; a full stop without a space after it ("Asante.Karibu") is none.
"""

import re
from collections.abc import Iterator
from typing import Final

from ussdapp.core.folded import folded, foreign, words

_OURS: Final = re.compile(r"(?:(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*go\.tz")
_PORT: Final = re.compile(r":\d{1,5}$")
_TAIL: Final = ".,;:!?'\")]}>*"
_SCHEME: Final = re.compile(
    r"(?<![a-z0-9])(?:h\s?[tx]\s?[tx]\s?p\s?s?\s*:|[a-z][a-z0-9+.-]{1,19}:(?=\s?[/\\]{2}))"
    r"[\s/\\]*(\S*)",
    re.IGNORECASE,
)
_BARE: Final = re.compile(r"(?<![A-Za-z0-9_-])((?:\w[\w-]{0,62}\.)+[A-Za-z0-9-]{1,63})", re.ASCII)
_NUMBER: Final = re.compile(r"(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])")

# Last labels of two letters that are given to anybody (ISO 3166 as delegated by IANA).
_COUNTRIES: Final = words(
    "ac ad ae af ag ai al am ao ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt "
    "bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg "
    "er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn "
    "hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc "
    "li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na "
    "nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru "
    "rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm "
    "tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
# Of the longer ones those that phishing and its shorteners use most, and that are no words.
_NAMES: Final = words(
    "com net org biz xyz icu app dev mobi asia africa cfd sbs buzz gle goog page cyou wiki tel "
    "edu gov mil int coop aero name bond lol zone website webcam stream press ink"
)
_WORDS: Final = words(
    "info online live link click site shop top win club vip bid loan work world today fun space "
    "store tech cloud help support cash money fund finance bank credit digital email chat social "
    "rest monster quest pro one life center host run best bar art ltd group team agency"
)
# Two letters that begin a sentence, where the space after the full stop was forgotten.
_JOINTS: Final = words(
    "na ni la za au no is it to at in my do as be by am us me so id im pm mo ma sa se si ye ki ke "
    "pa va li mu al hu sc tu"
)
_LOWER_JOINTS: Final = frozenset({"na", "ni", "la", "za", "au", "no", "sc"})
_SHORT: Final = frozenset({"t.me", "wa.me", "is.gd", "shorturl.at", "dlvr.it", "s.id", "u.to"})

_DOTTED: Final = re.compile(r"[.:]|\b(?:dot|nukta)\b", re.IGNORECASE)
# As it is written so that it is no link and yet is read as one.
_BRACKETED: Final = re.compile(r"\s*[\[({<]\s*(?:\.|dot|nukta)\s*[\])}>]\s*", re.IGNORECASE)
_SPELT: Final = re.compile(
    r"\s+(?:dot|nukta)\s+(?=(?:com|net|org|info|co|xyz|top|tz|go|ly|me|io|site|online)\b)",
    re.IGNORECASE,
)
_SPACED: Final = re.compile(
    r"(?<=\w)\s*\.\s*(?=(?:com|COM|org|ORG|xyz|XYZ|biz|BIZ|icu|tk)\b)"
    r"|(?<=\w)\s+\.(?=[A-Za-z]{2,6}\b)"
)
_SHORTENED: Final = re.compile(
    r"\b(bit|cutt|ow|rebrand|t)\s*\.\s*(?=ly\b)|\b(tinyurl)\s*\.\s*(?=com\b)"
    r"|\b(is|v)\s*\.\s*(?=gd\b)|\b(goo)\s*\.\s*(?=gl\b)|\b(rb)\s*\.\s*(?=gy\b)",
    re.IGNORECASE,
)
_WWW: Final = re.compile(r"\bw\s?w\s?w\s*\.\s*", re.IGNORECASE)
_APART: Final = re.compile(r"(?<!\S)\S(?: \S){5,}(?!\S)")


def troubles(text: str) -> Iterator[str]:
    """What is wrong with each link that no institution would write: a clause that follows
    "a link"."""
    if not text.isascii():
        yield from _disguised(text)
        text = folded(text)
    if not _DOTTED.search(text):
        return
    joined = rest = _joined(text)
    for match in _SCHEME.finditer(joined):
        if trouble := _authority(match[1]):
            yield trouble
        rest = rest.replace(match[0], f" {match[1].partition('/')[2]}", 1)
    yield from _bare(rest)


def _disguised(text: str) -> Iterator[str]:
    for word in text.split():
        if foreign(word) and any(True for _ in _names(folded(word))):
            yield "is written with letters of another alphabet"


def _joined(text: str) -> str:
    """The text with what was written apart, or spelt out, put together."""
    text = _APART.sub(lambda found: found[0].replace(" ", ""), text)
    text = _BRACKETED.sub(".", text)
    text = _SPELT.sub(".", text)
    text = _SPACED.sub(".", text)
    text = _SHORTENED.sub(lambda found: f"{found[found.lastindex or 0]}.", text)
    return _WWW.sub("www.", text)


def _authority(rest: str) -> str | None:
    """What is wrong with what follows a scheme."""
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in place or "\\" in rest or "%" in place:
        return "hides where it leads"
    host = _PORT.sub("", place.rstrip(_TAIL))
    if not host:
        return None
    return _trouble(_trimmed(host.split("."), path=False) or host.split("."))


def _bare(text: str) -> Iterator[str]:
    for labels in _names(text):
        if trouble := _trouble(labels):
            yield trouble


def _names(text: str) -> Iterator[list[str]]:
    """The hosts that stand in a text by themselves, and those of addresses of e-mail."""
    for match in _BARE.finditer(text):
        after = text[match.end() : match.end() + 2]
        if after[:1] == "@" and after[1:].isalnum():
            continue  # what follows is the host
        labels = match[1].split(".")
        path = after[:1] in ("/", "?", "#", "\\") and len(after) > 1 and not after[1].isspace()
        kept = _trimmed(labels, path=path)
        if kept:
            yield kept
        elif re.fullmatch(r"www\d?", labels[0], re.IGNORECASE):
            yield labels


def _trimmed(labels: list[str], *, path: bool) -> list[str]:
    """The labels without sentences that were joined on; none where that is all there is."""
    kept = [label for label in labels if label]
    if len(kept) == 4 and all(_NUMBER.fullmatch(label) for label in kept):
        return kept if path or _address(kept) else []
    while len(kept) > 1 and _joint(kept, path=path):
        kept.pop()
        path = False
    return kept if len(kept) > 1 else []


def _address(numbers: list[str]) -> bool:
    """Whether four numbers are an IP address, and neither an amount nor a clause of a law."""
    thousands = all(len(number) == 3 for number in numbers[1:])
    return not thousands and any(len(number) > 1 for number in numbers)


def _joint(labels: list[str], *, path: bool) -> bool:
    """Whether the last of them is no last label of a host."""
    before, last = labels[-2], labels[-1]
    low = last.lower()
    if low.isdigit() or not low.isalpha():
        return not low.startswith("xn--")
    if low not in _COUNTRIES and low not in _NAMES and low not in _WORDS:
        return not (path and len(low) > 1 and last == low)
    if path or ".".join(labels[-2:]).lower() in _SHORT or (low in _NAMES and len(before) > 1):
        return False
    titled = last[0].isupper() and last[1:].islower()
    if titled and len(before) == 1:
        return before.isupper()  # initials, degrees: B.Com
    if titled and (before[-1].islower() or before.isdigit()):
        return low in _JOINTS or low in _WORDS
    return before.isdigit() if len(low) == 2 and before.isdigit() else (
        before.isalpha() and low in _LOWER_JOINTS
    )  # fmt: skip


def _trouble(labels: list[str]) -> str | None:
    host = ".".join(labels).lower()
    if _OURS.fullmatch(host):
        return None
    if all(label.isdigit() for label in labels) or re.fullmatch(r"0x[0-9a-f]+|\d+", host):
        return "leads to a number in place of a name"
    if "xn--" in host:
        return "is written with letters of another alphabet"
    return f"leads to {_shown(host)}, which is not under .go.tz"


def _shown(host: str) -> str:
    plain = "".join(char for char in host if char.isascii() and (char.isalnum() or char in ".-_"))
    return plain[:60] or "another place"
