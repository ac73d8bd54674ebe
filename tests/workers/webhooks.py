"""A webhook as its institution makes it, and something that it is told of."""

from typing import Any

from tests.fakes.served import ASHA, Served, now
from ussdapp.core.case import Kind, NewCase, Visibility
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.reference import Reference

EVENTS = ["notification.final", "bulk.finished", "case.opened", "sms.received"]


def put(
    world: Served, port: int, by: str = "ega-live", name: str = "main", events: Any = None
) -> dict[str, Any]:
    body = {"url": f"http://127.0.0.1:{port}/", "events": events or EVENTS}
    answer = world.ask("PUT", f"/api/v1/webhooks/{name}", by, json=body)
    assert answer.status_code in (200, 201), answer.data
    return answer.get_json()


def open_case(world: Served, number: int = 1, institution: str = "ega") -> str:
    case = NewCase(
        effect=f"effect {number}",
        reference=Reference.numbered(number),
        institution=institution,
        kind=Kind.COMPLAINT,
        visibility=Visibility.NAMED,
        words="Habari ya siri",
        msisdn=Msisdn(ASHA),
        language="sw",
        medium="sms",
        received_at=now(),
    )
    return world.gateway.cases.reply.cases.file(case, None).digits
