"""Knows what is done around every request: headers that guard the answer, and one logged event.

It stands outside Flask because a USSD step has no time to lose: Flask's hooks and header objects
cost more than the step itself.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

RULE: Final = "ussdapp.rule"  # where the route's rule is left for the log
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# what a view may say otherwise
USUAL: Final = (
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-store"),
)
ALWAYS: Final = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Strict-Transport-Security", "max-age=31536000"),  # browsers heed it over https alone
]
_log = structlog.get_logger()


def edged(app: Wsgi) -> Wsgi:
    """The app with every answer guarded and logged. The log names the rule and never the path,
    which may hold a token or a reference number."""

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = time.perf_counter()

        def start(status: str, headers: Headers, *failed: Any) -> Any:
            method = environ["REQUEST_METHOD"]
            _log.info(
                "request.answered",
                rule=environ.get(RULE, "none"),
                method=method if method in _METHODS else "other",
                status=int(status[:3]),
                ms=round((time.perf_counter() - began) * 1000, 2),
            )
            return start_response(status, _guarded(headers), *failed)

        return app(environ, start)

    return serve


def _guarded(headers: Headers) -> Headers:
    said = {name.lower() for name, _ in headers}
    return [*headers, *(pair for pair in USUAL if pair[0].lower() not in said), *ALWAYS]
