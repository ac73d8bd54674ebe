"""What an institution has of everything that the API shows, for tests that call each of its routes.
A new route whose path has a parameter fails until what it names is here."""

import re
from typing import Final

from tests.fakes.served import ASHA, Served, now
from ussdapp.core.case import Kind, NewCase, Visibility
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.reference import Reference
from ussdapp.web.api.operations import Route

REFERENCE: Final = Reference.numbered(4711)
WORDS: Final = "neno-la-siri-la-ega"
BRANCH: Final = "code"  # ega's, as menus/owners.toml says


def ega_has_everything(world: Served) -> dict[str, str]:
    """What the paths' parameters are filled with: all of it ega's."""
    sent = {"to": ASHA, "text": WORDS, "reference": WORDS}
    notification = world.ask("POST", "/api/v1/notifications", json=sent).get_json()
    bulk = world.ask("POST", "/api/v1/bulks", json={
        "name": WORDS, "text": WORDS, "recipients": [{"to": ASHA}]}).get_json()  # fmt: skip
    for text in ("Habari za tangazo-la-ega.", "Soma tangazo-la-ega."):
        texts = {"sw": text, "en": text}
        world.ask("PUT", "/api/v1/templates/tangazo-la-ega", json=texts)
    code = world.ask("POST", "/api/v1/codes", json={
        "kind": "sender_id", "value": "EGA", "purpose": WORDS}).get_json()  # fmt: skip
    opt_out = world.ask("POST", "/api/v1/opt-outs", json={"to": ASHA}).get_json()
    hook = {"url": f"https://maji.go.tz/{WORDS}", "events": ["notification.final"]}
    assert world.ask("PUT", "/api/v1/webhooks/wa-ega", json=hook).status_code == 201
    return {
        "/api/v1/webhooks": "wa-ega",
        "/api/v1/opt-outs": opt_out["id"],
        "/api/v1/notifications": notification["id"],
        "/api/v1/bulks": bulk["id"],
        "/api/v1/cases": a_case_of_ega(world, REFERENCE),
        "/api/v1/menus": BRANCH,
        "/api/v1/templates": "tangazo-la-ega",
        "/api/v1/codes": code["id"],
    }


def a_case_of_ega(world: Served, reference: Reference) -> str:
    """Its reference, as the API takes it."""
    world.gateway.cases.reply.cases.file(
        NewCase(
            effect=reference.digits,
            reference=reference,
            institution="ega",
            kind=Kind.COMPLAINT,
            visibility=Visibility.NAMED,
            words=WORDS,
            msisdn=Msisdn(ASHA),
            language="sw",
            medium="sms",
            received_at=now(),
        ),
        None,
    )
    return reference.digits


def filled(route: Route, owned: dict[str, str]) -> str:
    """The route's path with what is ega's; a route whose parameter is not known here fails."""
    if "{" not in route.path:
        return route.path
    (prefix,) = (prefix for prefix in owned if route.path.startswith(f"{prefix}/"))
    return re.sub(r"\{[a-z_]+\}", owned[prefix], route.path, count=1)
