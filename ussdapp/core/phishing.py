"""Knows what an institution never writes to a citizen: a link that is not under .go.tz, an ask for
a secret (e-Government guidelines 2017, 3.2.5), and an ask for money to a private MSISDN."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ussdapp.core.folded import folded, words
from ussdapp.core.links import troubles
from ussdapp.core.money_asked import asks_money, holds_msisdn
from ussdapp.core.placeholders import Worded
from ussdapp.core.secrets_asked import asked_for

LINK: Final = "foreign_link"
SECRET: Final = "asks_secret"  # noqa: S105 (a code, no secret)
MONEY: Final = "asks_money"
IN_A_ROW: Final = {
    LINK: "With its values it would hold a link that is not under .go.tz.",
    SECRET: "With its values it would ask for a PIN, a password or a code.",
    MONEY: "With its values it would ask for money to a private MSISDN.",
}
# What has none of these holds no link and asks for no secret. Small letters only: without a flag
# the search skips what no word begins with.
_DOTTED: Final = re.compile(r"[.:@\\\x80-\U0010ffff]")
_SPELT: Final = re.compile(
    r"siri|p\W?[i1!]\W?n|[o0]\W?t\W?p|c\W?v|nywila|n y w|pass|paswo|p[4@]|code|kodi|secret|msimbo|"
    r"nyuma ya|the back|dot|nukta|w w w"
)
_SHORTEST_LINK: Final = 4  # characters: t.co
# The same for a value of letters, digits and spaces, by its words.
_TELLING: Final = words(
    "siri nambasiri nenosiri pin pins mpin p1n pincode otp otps 0tp cvv cvv2 cvc cvn nywila "
    "password passwords passcode passw0rd paswodi paswadi code codes kodi secret msimbo nyuma back "
    "dot nukta p o c n"
)
_TO_A_PERSON: Final = (
    "It asks for money to a private MSISDN: citizens pay by control number, or by a till of your "
    "institution. Write that instead."
)
# What stands for a value: part of a name to a link, and to a code the code that is given.
_ANY_VALUE: Final = "0x00"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What looks like phishing: a code that stays, and what was found and what to write instead."""

    code: str
    sentence: str


class PhishingRefused(ValueError):
    """A text that citizens could not tell from phishing."""

    def __init__(self, suspicion: Suspicion) -> None:
        super().__init__(suspicion.sentence)
        self.code = suspicion.code


class ValueCheck:
    """What values could make of a text with placeholders that was itself taken: cheap for a million
    rows, of which few bring a link."""

    def __init__(self, text: Worded) -> None:
        asking = asked_for(folded(text.filled(["pin"] * len(text.names))).lower())
        self._always = text.glued or asking is not None or holds_msisdn(text.pattern)

    def __call__(self, values: Sequence[str], text: str) -> Suspicion | None:
        """What is wrong with the text that these values made."""
        if self._always:
            return suspicion(text)
        for value in values:
            if _brings(value) or holds_msisdn(value):
                return suspicion(text)
        return None


def _brings(value: str) -> bool:
    if len(value) < _SHORTEST_LINK:
        return False
    if " " not in value:
        return _DOTTED.search(value) is not None
    bare = value.replace(" ", "")
    if bare.isalnum() and bare.isascii():
        return not _TELLING.isdisjoint(value.lower().split())
    return _hinted(value)


def _hinted(text: str) -> bool:
    return bool(_DOTTED.search(text) or _SPELT.search(text.lower()))


def of_worded(text: Worded) -> Suspicion | None:
    """The same for a text with placeholders, whatever stands in their places."""
    return suspicion(text.filled([_ANY_VALUE] * len(text.names)))


def suspicion(text: str) -> Suspicion | None:
    """The first thing that looks like phishing; None for what institutions usually write."""
    if not (_hinted(text) or holds_msisdn(text)):
        return None
    for trouble in troubles(text):
        return Suspicion(
            LINK, f"A link {trouble}: write the address of your institution under .go.tz."
        )
    plain = folded(text).lower()
    if secret := asked_for(plain):
        told = "nobody may ask a citizen for it. Write what to dial, or whom to call, instead."
        return Suspicion(SECRET, f"It asks for {secret}: {told}")
    if asks_money(plain):
        return Suspicion(MONEY, _TO_A_PERSON)
    return None


def refuse(found: Suspicion | None) -> None:
    """Raises PhishingRefused where something was found."""
    if found:
        raise PhishingRefused(found)
