"""Knows how the gateway writes to a citizen: a sentence becomes a notification."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ussdapp.core import gsm7
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import LIVES, Class, Notification
from ussdapp.core.parts import fits, split
from ussdapp.core.routing import Routes
from ussdapp.core.texts import Texts

ANSWER_PARTS: Final = 2  # an answer to a keyword takes no more (CONTRACT section 7)


@dataclass(frozen=True, slots=True)
class Letters:
    """Sentences, the codes they name, and the routes they take; the short code is the sender ID."""

    texts: Texts
    routes: Routes
    short_code: str
    service_code: str

    def say(self, name: str, language: str, values: Mapping[str, str] | None = None) -> str:
        """The filled-in sentence alone; it may name our codes as {msimbo} and {namba_fupi}."""
        codes = {"msimbo": self.service_code, "namba_fupi": self.short_code}
        return self.texts.say(name, language, {**codes, **(values or {})})

    def receipt(
        self,
        effect: str,
        institution: str | None,
        msisdn: Msisdn,
        text: str,
        at: datetime,
    ) -> Notification:
        """A notification of class receipt: the gateway tells a citizen what became of an act."""
        readable = gsm7.plain(text)
        parts = split(readable)
        return Notification(
            effect=effect,
            institution=institution,
            msisdn=msisdn,
            text=readable,
            klass=Class.RECEIPT,
            sender_id=self.short_code,
            channel=self.routes.channel(msisdn),
            encoding=parts.encoding,
            parts=len(parts),
            accepted_at=at,
            expires_at=at + LIVES[Class.RECEIPT],
        )

    def answer(
        self, effect: str, institution: str | None, msisdn: Msisdn, text: str, at: datetime
    ) -> Notification:
        """The same, marked automatic: the gateway answers a text by itself, which is capped."""
        written = self.receipt(effect, institution, msisdn, text, at)
        return replace(written, automatic=True)

    def shortened(self, name: str, language: str, values: Mapping[str, str], long: str) -> str:
        """The filled-in sentence with the value named `long` cut until it takes two parts."""
        text = gsm7.plain(self.say(name, language, values))
        kept = gsm7.plain(values[long])
        while kept and not fits(text, ANSWER_PARTS):
            kept = kept[: -max(1, len(kept) // 20)]
            text = gsm7.plain(self.say(name, language, {**values, long: f"{kept.rstrip()}..."}))
        return text
