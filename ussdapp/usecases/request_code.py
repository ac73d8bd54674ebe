"""An institution asks for a code: read, held against what stands, and kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from ussdapp.core import acceptance
from ussdapp.core.code_values import Held, Standing, read_value, refuse_collisions
from ussdapp.core.codes import Code, CodeKind, CodeRefused, NewCode

log = structlog.get_logger()


class Codes(Protocol):
    """Keeps what is asked for."""

    def request(self, new: NewCode, check: Callable[[Sequence[Held]], None], at: datetime) -> Code:
        """Commits it, once `check` let it pass beside what is held; the same effect and body again
        is the same request. Raises what `check` raises, CodeRefused, AnotherBody, LookupError,
        Unavailable."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class AskedCode:
    """What is asked for, as it was written. `key` makes it unique among the institution's (None:
    it is no repeat of anything), `body` is what a repeat has to equal."""

    kind: CodeKind
    value: str
    purpose: str
    url: str
    key: str | None
    body: str


@dataclass(frozen=True, slots=True)
class RequestCode:
    """`standing` tells what stands but for the codes, `callable_url` raises ValueError for an
    address that is never called. Raises CodeRefused, AnotherBody, LookupError, Unavailable."""

    codes: Codes
    standing: Callable[[], Standing]
    service_code: str
    short_code: str
    callable_url: Callable[[str], object]
    new_key: Callable[[], str]

    def __call__(
        self, institution: str, asked: AskedCode, by: str, now: datetime, *, live: bool
    ) -> Code:
        """Committed when it returns; the same key and body again give the same."""
        value = read_value(asked.kind, asked.value, self.service_code, self.short_code)
        self._refuse_url(asked)
        named = acceptance.named_by(asked.key, self.new_key)
        new = NewCode(
            effect=acceptance.effect("code", institution, named, live=live),
            body=asked.body,
            institution=institution,
            live=live,
            kind=asked.kind,
            value=value,
            purpose=asked.purpose,
            by=by,
            url=asked.url,
            secret=self.new_key() if asked.kind is CodeKind.KEYWORD else "",
        )
        others = self.standing()
        one = Held(asked.kind, value, institution)
        code = self.codes.request(
            new, lambda held: refuse_collisions(one, replace(others, held=held)), now
        )
        log.info("code.requested", code=code.id, kind=asked.kind.value, institution=institution)
        return code

    def check(self, code: Code) -> None:
        """Raises CodeRefused where an institution or a keyword of the menu that came after the
        request has it meanwhile."""
        # the option of a service code may stand in the menu already, for this very institution
        if code.kind is not CodeKind.SERVICE_CODE:
            refuse_collisions(Held(code.kind, code.value, code.institution), self.standing())

    def _refuse_url(self, asked: AskedCode) -> None:
        if (asked.kind is CodeKind.KEYWORD) != bool(asked.url):
            told = "A keyword needs the address its texts are handed to, and nothing else has one."
            raise CodeRefused("url", "required" if not asked.url else "unknown", told)
        try:
            if asked.url:
                self.callable_url(asked.url)
        except ValueError as trouble:
            told = f"It is no address that is called: {trouble}"
            raise CodeRefused("url", "forbidden", told) from None
