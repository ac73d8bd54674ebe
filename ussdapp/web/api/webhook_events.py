"""Knows what a webhook is told, as models: they stand in the OpenAPI document, and a test lays what
is posted beside them. Never a text, and never an MSISDN: who may know it has the id to ask by."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from ussdapp.web.api.case_models import KindName
from ussdapp.web.api.models import Answer


class NotificationFacts(Answer):
    """A notification that is at its end."""

    id: str
    status: Literal["delivered", "undelivered", "rejected", "expired", "stopped"]
    status_at: datetime
    parts: int
    reference: str | None = Field(description="Your own name for it.")
    bulk: str | None = Field(description="The bulk's id, for a row of one.")


class BulkFacts(Answer):
    """A bulk of which nothing more is submitted; receipts may still come in."""

    id: str
    status: Literal["finished", "stopped"]
    total: int
    accepted: int
    rejected: int
    ended_at: datetime


class CaseFacts(Answer):
    """A case that is new to you: filed, or handed over by another institution."""

    reference: str
    kind: KindName
    medium: Literal["ussd", "sms"]
    received_at: datetime


class SmsFacts(Answer):
    """A citizen's text by which something was filed with you, added to a case or asked of you."""

    keyword: str = Field(description="The first word, as it stands in the list of keywords.")


class PingFacts(Answer):
    """A test that you asked for."""

    webhook: str


class _Told(Answer):
    timestamp: datetime = Field(description="When it happened.")


class NotificationFinal(_Told):
    """A notification accepted since the webhook names this event came to its end."""

    type: Literal["notification.final"]
    data: NotificationFacts


class BulkFinished(_Told):
    """A bulk finished or was stopped."""

    type: Literal["bulk.finished"]
    data: BulkFacts


class CaseOpened(_Told):
    """A case is new to you."""

    type: Literal["case.opened"]
    data: CaseFacts


class SmsReceived(_Told):
    """A citizen wrote to the short code, and it concerned you."""

    type: Literal["sms.received"]
    data: SmsFacts


class Ping(_Told):
    """A test."""

    type: Literal["ping"]
    data: PingFacts


TOLD: Final[Mapping[str, type[Answer]]] = {
    "notification.final": NotificationFinal,
    "bulk.finished": BulkFinished,
    "case.opened": CaseOpened,
    "sms.received": SmsReceived,
    "ping": Ping,
}
