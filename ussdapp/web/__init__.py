"""Flask: what comes by HTTP, from operators, institutions and those who run the gateway."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final

from flask import Flask, Response

from ussdapp.web.api.routes import api
from ussdapp.web.inbound.routes import inbound
from ussdapp.web.logged import log_failure, log_requests
from ussdapp.web.octets import MOST_BODY
from ussdapp.web.ops import ops
from ussdapp.web.permissions import admit
from ussdapp.web.problems import answer_problems
from ussdapp.web.serving import Clock, serve_with

if TYPE_CHECKING:
    from ussdapp.bootstrap import Gateway

# what a view may say otherwise
USUAL: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}
ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",  # browsers heed it over https alone
}


class QuietFlask(Flask):
    """Flask that does not write paths and exception texts into a log."""

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Logs where it broke, in place of Flask's path and traceback."""
        log_failure(exc_info[1], exc_info[2])


def create_app(gateway: "Gateway", clock: Clock) -> Flask:
    """The web app of a gateway; `clock` gives aware times in UTC. No cookie is ever set."""
    app = QuietFlask(__name__, static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY
    app.url_map.merge_slashes = False  # a redirect would repeat the path, and a token with it
    serve_with(app, gateway, clock)
    log_requests(app)
    app.before_request(admit)
    app.after_request(_guarded)
    answer_problems(app)
    for blueprint in (inbound, api, ops):
        app.register_blueprint(blueprint)
    return app


def _guarded(response: Response) -> Response:
    for name, value in USUAL.items():
        response.headers.setdefault(name, value)
    response.headers.extend(ALWAYS)
    return response
