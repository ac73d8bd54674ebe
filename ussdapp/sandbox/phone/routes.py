"""Knows the phone page: the handset itself, its files, and its inbox. Sandbox only."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    redirect,
    render_template,
    request,
)
from flask import send_from_directory as send_file_of
from werkzeug.wrappers import Response as WerkzeugResponse

from ussdapp.core.msisdn import NotAnMsisdn
from ussdapp.sandbox.phone.inbox import Inbox
from ussdapp.web.permissions import SANDBOX, abort_404, permission
from ussdapp.web.problems import FieldError, Problem, json_reply
from ussdapp.web.serving import serving
from ussdapp.wire.numbering import read_msisdn

CHANNEL: Final = "sandbox"
_HERE: Final = Path(__file__).parent
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

phone = Blueprint("phone", __name__, url_prefix="/phone", template_folder=".")


def add_phone(app: Flask, ledger: Path) -> None:
    """Adds `/phone/` to the app; its inbox is what the ledger holds."""
    app.extensions[__name__] = Inbox(ledger)
    app.register_blueprint(phone)
    app.add_url_rule("/", "front", permission(SANDBOX)(front))


def front() -> WerkzeugResponse:
    """The sandbox has nothing else to show at its door."""
    return redirect("/phone/")


@phone.get("/")
@permission(SANDBOX)
def page() -> Response:
    """The handset. It plays the aggregator, so it is given the channel's token."""
    settings = serving().gateway.settings
    channel = settings.channels.get(CHANNEL)
    if channel is None or not channel.tokens:
        abort_404()
    html = render_template(
        "page.html",
        callbacks=f"/in/{CHANNEL}/{channel.tokens[0]}",
        service_code=settings.service_code,
        short_code=settings.short_code,
        budget=settings.screen_budget,
    )
    return Response(html, headers=_HEADERS)


@phone.get("/static/<name>")
@permission(SANDBOX)
def static(name: str) -> Response:
    """One file of the page."""
    return send_file_of(_HERE / "static", name)


@phone.get("/inbox")
@permission(SANDBOX)
def inbox() -> Response:
    """The texts a handset has received, oldest first; 422 for what is no MSISDN."""
    try:
        msisdn = read_msisdn(request.args.get("msisdn", ""))
    except NotAnMsisdn:
        error = FieldError("msisdn", "not_an_msisdn", "Not a Tanzanian subscriber's number.")
        raise Problem(422, "Some fields cannot be taken.", [error]) from None
    kept: Inbox = current_app.extensions[__name__]
    texts = [asdict(text) for text in kept.of(msisdn)]
    return json_reply(200, {"msisdn": msisdn.digits, "texts": texts})
