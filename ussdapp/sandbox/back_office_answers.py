"""Knows what the sandbox's institutions answer: plausible, invented, made from what is asked."""

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from ussdapp.core.screen_text import width
from ussdapp.core.texts import LANGUAGES

WORDS: Final = Path(__file__).with_name("back_office.toml")
Variant = Mapping[str, Any]
_GAP: Final = re.compile(r"\{([a-z0-9_]+)\}")
_WIDE: Final = "M"  # stands for a septet when the widest text is made
_LETTERS: Final = "ABCDEFGHIJKLMNPRSTWYZ"


@dataclass(frozen=True, slots=True)
class Detail:
    """One field of an answer and what it may say."""

    name: str
    means: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Office:
    """One back office; `given` is its table in `back_office.toml`."""

    name: str
    kind: str
    about: str
    given: Mapping[str, Any]
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a look-up asks, and in which language."""

    office: str
    data: str
    language: str

    def drawn(self, detail: str) -> int:
        """A number that is always the same for that detail of what was asked."""
        content = f"{self.office}:{detail}:{self.data}".encode()
        return int.from_bytes(hashlib.sha256(content).digest()[:8])

    @property
    def last(self) -> str:
        """The last digit, or one drawn where there is none."""
        return self.data[-1:] if self.data[-1:].isdecimal() else str(self.drawn("last") % 9)


def read_offices(path: Path = WORDS) -> dict[str, Office]:
    """Every office by name."""
    tables = tomllib.loads(path.read_text("utf-8"))
    return {name: _office(name, table) for name, table in tables.items()}


def _office(name: str, table: Mapping[str, Any]) -> Office:
    details = tuple(
        Detail(one["name"], one["means"], tuple(one["is"])) for one in table.get("details", ())
    )
    return Office(name, table["kind"], table["about"], table, details)


def look_up(office: Office, data: str, language: str) -> dict[str, Any]:
    """The answer to one value; spaces in it and its case do not matter."""
    asked = Asked(office.name, " ".join(data.split()).upper(), language)
    known = re.fullmatch(office.given["takes"], asked.data)
    if not known or (asked.last in office.given["missing"] and asked.data[-1:].isdecimal()):
        return {"success": False, "detail_01": office.given["gone"][language]}
    told = {"data": asked.data, "kikoa": asked.data.lower()}
    for detail in office.details:
        told[detail.name] = _said(_chosen(detail, asked), detail.name, asked, told)
    return {"success": True, **{detail.name: told[detail.name] for detail in office.details}}


def _chosen(detail: Detail, asked: Asked) -> Variant:
    for variant in detail.variants:
        whole, digits = variant.get("when"), variant.get("on")
        if whole is None and digits is None:
            return variant
        if asked.data.lower() in (whole or ()) or asked.last in (digits or ""):
            return variant
    raise LookupError(f"{asked.office} {detail.name} has no variant for everything else")


def _said(variant: Variant, name: str, asked: Asked, told: Mapping[str, str]) -> str:
    if "pick" in variant:
        picked = variant["pick"][asked.drawn(name) % len(variant["pick"])]
        return _said(picked, name, asked, told)
    if "share" in variant:
        whole, hundredths = variant["share"]
        return _shillings(int(re.sub(r"\D", "", told[whole])) * hundredths // 100)
    for kind, made in MADE.items():
        if kind in variant:
            return made(variant[kind], asked.drawn(name))
    return _filled(str(variant.get("plain", variant.get(asked.language))), told)


def _filled(words: str, told: Mapping[str, str]) -> str:
    return _GAP.sub(lambda gap: told[gap.group(1)], words)


def _shillings(amount: int) -> str:
    return f"TZS {amount:,}"


def _amount(given: Sequence[int], drawn: int) -> str:
    least, most = given
    return _shillings(least + drawn % (most - least + 1) // 100 * 100)


def _date(given: Sequence[Any], drawn: int) -> str:
    return (date.fromisoformat(given[0]) + timedelta(days=drawn % given[1])).strftime("%d/%m/%Y")


def _digits(given: str, drawn: int) -> str:
    digits = iter(f"{drawn:024d}"[::-1])
    return "".join(next(digits) if char == "#" else char for char in given)


def _name(_: object, drawn: int) -> str:
    return " ".join(f"{_LETTERS[drawn // 31**place % len(_LETTERS)]}***" for place in (1, 2))


MADE: Final[Mapping[str, Callable[[Any, int], str]]] = {
    "amount": _amount,
    "date": _date,
    "digits": _digits,
    "name": _name,
}


def widths(office: Office) -> dict[str, int]:
    """Septets that each detail takes at most, in either language."""
    return {name: max(map(width, wide.values())) for name, wide in _widest(office).items()}


def _widest(office: Office) -> dict[str, dict[str, str]]:
    data = _WIDE * office.given["widest"]
    wide = {name: dict.fromkeys(LANGUAGES, data) for name in ("data", "kikoa")}
    for detail in office.details:
        wide[detail.name] = {
            language: max(
                (_wide(variant, language, wide) for variant in detail.variants), key=width
            )
            for language in LANGUAGES
        }
    return {detail.name: wide[detail.name] for detail in office.details}


def _wide(variant: Variant, language: str, wide: Mapping[str, Mapping[str, str]]) -> str:
    if "pick" in variant:
        return max((_wide(one, language, wide) for one in variant["pick"]), key=width)
    told = {name: said[language] for name, said in wide.items()}
    if "share" in variant:
        return told[variant["share"][0]]
    if "amount" in variant:
        return _shillings(variant["amount"][1])
    return _said(variant, "", Asked("", "", language), told)


def settings_tables(port: int, secret: str) -> dict[str, dict[str, str]]:
    """The `back_offices` of the settings that reach every office of the sandbox on that port."""
    return {
        name: {"url": f"http://127.0.0.1:{port}/{name}", "kind": office.kind, "secret": secret}
        for name, office in read_offices().items()
        if office.kind != "keyword"  # whose address is not in the settings
    }
