"""Knows which sender IDs, keywords and service codes there can be, and which collide."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ussdapp.core.branches import MAIN
from ussdapp.core.codes import CodeKind, CodeRefused
from ussdapp.core.inbound import Institution
from ussdapp.core.keywords import WORDS
from ussdapp.core.look_alikes import alike, disguised, forms
from ussdapp.core.menu import Menu
from ussdapp.core.screens import Choice
from ussdapp.core.services import Services

# what citizens write, and read under CONTRACT section 7, beside the verbs
RESERVED: Final = frozenset(WORDS) | {"SW", "EN", "1", "2"}
_SAYS_NOTHING: Final = """
    ADMIN ALERT ALERTS ALL BANK BENKI BILL BULK BURE CITIZEN CODE DHARURA EMERGENCY FREE
    GATEWAY GOV GOVERNMENT GOVT HABARI HALMASHAURI HUDUMA INFO INFORMATION JAMHURI JUMBE KODI
    LOGIN MALIPO MAMLAKA MESSAGE MINISTRY MKOA MOBILE MONEY MTANDAO MWANANCHI NEWS NOTICE
    NOTICES NYWILA OFFER ONYO OTP PASSWORD PAY PAYMENT PESA PIN PRIZE PROMO PUBLIC REMINDER
    SECURITY SERIKALI SERVICE SERVICES SMS STATE SUPPORT TAARIFA TAASISI TAHADHARI TAIFA TAX
    TANGAZO TANZANIA TEST TEXT TZ UJUMBE UPDATE USSD VERIFY WILAYA WINNER WIZARA ZAWADI
"""
GENERIC: Final = frozenset(_SAYS_NOTHING.split())
_GENERIC_FORMS: Final = frozenset(form for word in GENERIC for form in forms(word))
_SENDER_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z .&_-]{1,9}[0-9A-Za-z]", re.ASCII)
_SHORT_CODE: Final = re.compile(r"[1-9][0-9]{2,5}", re.ASCII)
_KEYWORD: Final = re.compile(r"(?=.*[A-Z])[A-Z0-9]{2,20}", re.ASCII)
_BRANCH: Final = re.compile(r"[a-z][a-z0-9-]{1,19}", re.ASCII)
_MOST_KEYS: Final = 4  # after the service code
_KEYS: Final = rf"(?:\*[1-9][0-9]?){{1,{_MOST_KEYS}}}#"  # 0 goes back and 00 home
_WORD: Final = re.compile(r"[^0-9A-Za-z]+", re.ASCII)


class Held(NamedTuple):
    """A code that is asked for or allotted, and whose."""

    kind: CodeKind
    value: str
    institution: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands when a code is asked for: others' codes, the short names of institutions, the
    first words of the keywords in the menu's files, its branches, and the branch that each service
    code it has (`*152*00*9*2#`) leads to."""

    held: Sequence[Held] = ()
    institutions: Collection[str] = ()
    keywords: Collection[str] = ()
    branches: Collection[str] = ()
    paths: Mapping[str, str] = field(default_factory=dict)


def read_value(kind: CodeKind, given: str, service_code: str, short_code: str) -> str:
    """The value as it will be used. Raises CodeRefused for what can be nobody's."""
    if odd := disguised(given):
        told = f"It holds {', '.join(map(_point, odd))}, which only looks like a Latin letter."
        raise CodeRefused("value", "look_alike", told)
    match kind:
        case CodeKind.SENDER_ID:
            return _sender_id(given.strip(), short_code)
        case CodeKind.KEYWORD:
            return _keyword(given.strip().upper())
        case CodeKind.SERVICE_CODE:
            return _service_code(given.strip().lower(), service_code)


def refuse_collisions(new: Held, standing: Standing) -> None:
    """Raises CodeRefused where citizens could take it for another institution's."""
    match new.kind:
        case CodeKind.SERVICE_CODE:
            _refuse_path(new, standing)
        case CodeKind.KEYWORD if new.value in standing.keywords:
            raise CodeRefused("value", "taken", f"{new.value} is a keyword of the menu.")
        case _:
            _refuse_name(new, standing)


def paths_of(menu: Menu, service_code: str) -> dict[str, str]:
    """The branch that each service code leads to: through the choices of the main branch, to the
    first screen of another."""
    found: dict[str, str] = {}
    todo = [(service_code.removesuffix("#"), menu.first)]
    while todo:
        path, name = todo.pop()
        screen = menu.screens[name]
        if not isinstance(screen, Choice) or branch_of_screen(name) != MAIN:
            continue
        for option in screen.options:
            longer = f"{path}*{option.key}"
            # a choice that leads back up would go on for ever
            if longer.count("*") - service_code.count("*") <= _MOST_KEYS:
                found[f"{longer}#"] = branch_of_screen(option.goto)
                todo.append((longer, option.goto))
    return found


def standing_of(
    menu: Menu, services: Services, institutions: Sequence[Institution], service_code: str
) -> Standing:
    """What stands but for the codes themselves."""
    return Standing(
        institutions=frozenset(one.short_name for one in institutions),
        keywords=frozenset(words.split()[0] for words in services.by_words),
        branches=frozenset(map(branch_of_screen, menu.screens)),
        paths=paths_of(menu, service_code),
    )


def branch_of_screen(name: str) -> str:
    """The branch of a screen by its name: `gepg.bili.mwanzo` is of gepg."""
    branch, dot, _ = name.partition(".")
    return branch if dot else MAIN


def _sender_id(value: str, short_code: str) -> str:
    if value == short_code:
        raise CodeRefused("value", "shared", "The short code is everybody's: it needs no request.")
    if value.isdigit():
        if _SHORT_CODE.fullmatch(value):
            return value
        raise CodeRefused("value", "shape", "Digits alone are a short code: 3 to 6, no 0 first.")
    if not _SENDER_ID.fullmatch(value) or "  " in value:
        told = "A sender ID is 3 to 11 letters, digits, spaces or . & _ -, or a short code."
        raise CodeRefused("value", "shape", told)
    if forms(value) & forms(short_code):
        raise CodeRefused("value", "look_alike", f"It reads like {short_code}, the short code.")
    _refuse_generic(value)
    return value


def _keyword(value: str) -> str:
    if value in RESERVED:
        raise CodeRefused("value", "reserved", "Citizens write that word to the gateway itself.")
    if not _KEYWORD.fullmatch(value):
        told = "A keyword is 2 to 20 letters and digits, a letter among them."
        raise CodeRefused("value", "shape", told)
    _refuse_generic(value)
    return value


def _service_code(value: str, service_code: str) -> str:
    if _BRANCH.fullmatch(value) and value != MAIN:
        return value
    dialled = value.replace(" ", "")
    if re.fullmatch(re.escape(service_code.removesuffix("#")) + _KEYS, dialled):
        return dialled
    told = f"It is the name of a branch of the menu, or like {service_code.removesuffix('#')}*34#."
    raise CodeRefused("value", "shape", told)


def _refuse_generic(value: str) -> None:
    words = [word for word in _WORD.split(value) if word]
    if forms(value) & _GENERIC_FORMS or all(forms(word) & _GENERIC_FORMS for word in words):
        told = "It says what it is and not whose: choose one that names the institution."
        raise CodeRefused("value", "generic", told)


def _refuse_name(new: Held, standing: Standing) -> None:
    for one in (one for one in standing.held if one.kind is new.kind):
        _refuse_held(new, one)
    short = new.value.lower()
    if short in standing.institutions and short != new.institution:
        told = f"{new.value} is the short name of another institution."
        raise CodeRefused("value", "taken", told)
    read = forms(new.value)
    if read & forms(new.institution):
        return
    for name in standing.institutions:
        if forms(name) & read:
            told = f"It reads like {name.upper()}, the short name of another institution."
            raise CodeRefused("value", "look_alike", told)


def _refuse_held(new: Held, one: Held) -> None:
    ours = one.institution == new.institution
    if one.value == new.value:
        told = "You have it or asked for it." if ours else "Another institution has it."
        raise CodeRefused("value", "taken", told)
    if forms(one.value) & forms(new.value):
        whose = "which is yours" if ours else "which is another institution's"
    elif not ours and new.kind is CodeKind.SENDER_ID and alike(one.value, new.value):
        whose = "one character apart, which is another institution's"
    else:
        return
    raise CodeRefused("value", "look_alike", f"It reads like {one.value}, {whose}.")


def _refuse_path(new: Held, standing: Standing) -> None:
    if new.value in standing.branches or new.value in standing.institutions:
        raise CodeRefused(
            "value", "taken", f"There is a branch {new.value}, or it is kept for one."
        )
    for one in (one for one in standing.held if one.kind is new.kind):
        if _within(one.value, new.value) or _within(new.value, one.value):
            told = "It is, or lies on the way to, a code that is asked for or allotted already."
            raise CodeRefused("value", "taken", told)
    for code, branch in standing.paths.items():
        if code == new.value or (branch != MAIN and _within(code, new.value)):
            raise CodeRefused("value", "taken", "The menu has something else there.")


def _within(outer: str, inner: str) -> bool:
    return outer == inner or (
        outer.endswith("#") and inner.startswith(f"{outer.removesuffix('#')}*")
    )


def _point(char: str) -> str:
    return f"U+{ord(char):04X}"
