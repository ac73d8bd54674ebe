"""Flask: what comes by HTTP, from operators, institutions and those who run the gateway."""

from types import TracebackType
from typing import TYPE_CHECKING

from flask import Flask, request

from ussdapp.web.api.bulks import bulks
from ussdapp.web.api.cases import cases
from ussdapp.web.api.codes import codes
from ussdapp.web.api.described import describe
from ussdapp.web.api.docs import docs
from ussdapp.web.api.funnel import funnel
from ussdapp.web.api.menus import menus
from ussdapp.web.api.notifications import notifications
from ussdapp.web.api.openapi import openapi
from ussdapp.web.api.opt_outs import opt_outs
from ussdapp.web.api.templates import templates
from ussdapp.web.api.usage import usage
from ussdapp.web.api.webhooks import webhooks
from ussdapp.web.edge import RULE, edged
from ussdapp.web.inbound.operators import operators
from ussdapp.web.logged import log_failure
from ussdapp.web.mgov import mgov
from ussdapp.web.octets import MOST_BODY
from ussdapp.web.ops import ops
from ussdapp.web.permissions import admit
from ussdapp.web.problems import answer_problems
from ussdapp.web.quotas import answer_quotas
from ussdapp.web.serving import Clock, serve_with

if TYPE_CHECKING:
    from ussdapp.bootstrap import Gateway


class QuietFlask(Flask):
    """Flask that does not write paths and exception texts into a log."""

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Logs where it broke, in place of Flask's path and traceback."""
        log_failure(exc_info[1], exc_info[2], request.environ.get(RULE, "none"))


def create_app(gateway: "Gateway", clock: Clock) -> Flask:
    """The web app of a gateway; `clock` gives aware times in UTC. No cookie is ever set."""
    app = QuietFlask(__name__, static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY
    app.url_map.merge_slashes = False  # a redirect would repeat the path, and a token with it
    serve_with(app, gateway, clock)
    app.before_request(admit)
    answer_problems(app)
    answer_quotas(app)
    for blueprint in (
        *(bulks, cases, codes, funnel, menus, notifications, opt_outs, templates),
        *(docs, mgov, openapi, ops, usage, webhooks),
    ):
        app.register_blueprint(blueprint)
    describe()
    within = operators(gateway, clock, app.wsgi_app)
    app.wsgi_app = edged(within)  # type: ignore[method-assign, assignment]  # Flask says to
    return app
