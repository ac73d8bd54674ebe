"""Where what answers citizens is joined: dialogues, texts, and late answers of institutions."""

import secrets
import time
from typing import Final

from ussdapp.bootstrap.channels import heard_on
from ussdapp.bootstrap.kept import Kept
from ussdapp.core.letters import Letters
from ussdapp.core.reference import RANGE, Reference
from ussdapp.core.services import Services
from ussdapp.institutions import ega_guide
from ussdapp.institutions.ega_guide import EgaGuide
from ussdapp.institutions.ega_guide.keywords import KeywordDesks
from ussdapp.settings import Settings, SettingsRefused
from ussdapp.stores.hints import RecentHints
from ussdapp.stores.menus import LiveMenus
from ussdapp.usecases.answer_ussd import AnswerUssd
from ussdapp.usecases.ask_again import AskAgain
from ussdapp.usecases.receive_mo import ReceiveMo
from ussdapp.wire.guarded import GuardedClient

_LATE_S: Final = 30.0  # what an institution has to answer once the citizen no longer waits
_TEXTED_S: Final = 2.0  # and to a text: what else its bind brings is kept after it


def answer_ussd(settings: Settings, kept: Kept, menus: LiveMenus, letters: Letters) -> AnswerUssd:
    """What answers each keyed input of a dialogue."""
    return AnswerUssd(
        sessions=kept.sessions,
        dialogues=kept.dialogues,
        cases=kept.cases,
        menus=menus,
        letters=letters,
        doorbells=kept.doorbells,
        new_reference=_new_reference,
        hints=RecentHints(),
        offers=kept.offers,
        pause=time.sleep,
        offices=offices_of(settings),
        questions=kept.questions,
        steps=kept.sessions,
        opt_outs=kept.opt_outs,
    )


def receive_mo(settings: Settings, kept: Kept, letters: Letters, services: Services) -> ReceiveMo:
    """What receives texts to the short code."""
    offices = offices_of(settings, patience=_TEXTED_S)
    return ReceiveMo(
        mos=kept.mos,
        cases=kept.cases,
        dialogues=kept.dialogues,
        institutions=kept.institutions,
        notifications=kept.notifications,
        opt_outs=kept.opt_outs,
        doorbells=kept.doorbells,
        letters=letters,
        new_reference=_new_reference,
        services=services,
        offices=offices,
        questions=kept.questions,
        tries=kept.sessions,
        networks=kept.routes,
        heard_on=heard_on(settings),
        handovers=KeywordDesks(offices, kept.codes.handed),
    )


def ask_again(settings: Settings, kept: Kept, letters: Letters) -> AskAgain:
    """What asks institutions again once the citizen no longer waits."""
    offices = offices_of(settings, patience=_LATE_S)
    return AskAgain(
        offices,
        kept.questions,
        letters,
        kept.doorbells,
        KeywordDesks(offices, kept.codes.handed),
        kept.notifications,
    )


def offices_of(settings: Settings, patience: float | None = None) -> EgaGuide:
    """The back offices as configured; their client is made at once, or never where there are
    none. Raises SettingsRefused."""
    client = GuardedClient(allow_private=settings.sandbox)
    try:
        return ega_guide.build(settings.back_offices, client, patience=patience)
    except ValueError as trouble:
        raise SettingsRefused(f"back_offices: {trouble}") from trouble


def _new_reference() -> Reference:
    return Reference.numbered(secrets.randbelow(RANGE))
