"""A text to the short code, and the use case that receives it, over what is kept in memory."""

import tomllib
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from tests.fakes.back_offices import FakeBackOffices, FakeQuestions
from tests.fakes.kept import Kept
from ussdapp.core.inbound import Mo
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.reference import Reference
from ussdapp.core.routing import Route, Routes
from ussdapp.core.texts import Texts
from ussdapp.stores.keyword_files import KEYWORDS, read_services
from ussdapp.usecases.receive_mo import ReceiveMo

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
ASHA = Msisdn("255754000001")
MENUS = Path(__file__).parents[2] / "menus"
TEXTS = Texts(tomllib.loads((MENUS / "sms.toml").read_text("utf-8")))
ONE = Reference.numbered(1)
SERVICES = read_services(MENUS / KEYWORDS)


def receiving(
    kept: Kept,
    numbers: list[int] | None = None,
    offices: FakeBackOffices | None = None,
    questions: FakeQuestions | None = None,
) -> ReceiveMo:
    drawn = iter(numbers) if numbers else count(1)
    return ReceiveMo(
        mos=kept, cases=kept, dialogues=kept, institutions=kept, notifications=kept,
        opt_outs=kept, doorbells=kept,
        letters=Letters(TEXTS, Routes((Route("", "sandbox"),)), "15200", "*152*00#"),
        new_reference=lambda: Reference.numbered(next(drawn)),
        services=SERVICES, offices=offices, questions=questions,
    )  # fmt: skip


def mo(text: str, key: str = "m1", msisdn: Msisdn | None = ASHA) -> Mo:
    return Mo("sandbox", key, "sender", msisdn, "15200", text)


def said(kept: Kept) -> list[str]:
    return [notification.text for notification in kept.notifications]
