"""Where asking for codes is joined, for the gateway and for the command line."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ussdapp.bootstrap.kept import Kept
from ussdapp.core.code_values import standing_of
from ussdapp.core.menu import Menu
from ussdapp.core.services import Services
from ussdapp.ports import Institutions
from ussdapp.settings import Settings
from ussdapp.stores.codes import PgCodes
from ussdapp.stores.public_ids import PublicIds
from ussdapp.usecases.escalate_codes import EscalateCodes
from ussdapp.usecases.request_code import RequestCode
from ussdapp.wire.guarded import GuardedClient


@dataclass(frozen=True, slots=True)
class Codes:
    """How codes are asked for and followed; `escalate` notes those that are overdue."""

    kept: PgCodes
    ids: PublicIds
    request: RequestCode
    escalate: EscalateCodes


def codes_of(settings: Settings, kept: Kept, menu: Callable[[], Menu], services: Services) -> Codes:
    """What is done with codes."""
    return Codes(
        kept=kept.codes,
        ids=PublicIds(settings.index_key, "code"),
        request=request_code(settings, kept.codes, kept.institutions, menu, services),
        escalate=EscalateCodes(kept.codes),
    )


def request_code(
    settings: Settings,
    codes: PgCodes,
    institutions: Institutions,
    menu: Callable[[], Menu],
    services: Services,
) -> RequestCode:
    """The use case, over the menu that is served when it is asked."""
    return RequestCode(
        codes=codes,
        standing=lambda: standing_of(menu(), services, institutions.all(), settings.service_code),
        service_code=settings.service_code,
        short_code=settings.short_code,
        callable_url=GuardedClient(allow_private=settings.sandbox).parsed,
        new_key=partial(secrets.token_hex, 16),
    )
