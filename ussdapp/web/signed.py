"""Knows how a signed request is verified: whole, and before anything of it is parsed."""

import hashlib
from tempfile import SpooledTemporaryFile
from typing import Final
from urllib.parse import quote

from flask import Response, after_this_request
from werkzeug.wsgi import get_input_stream

from ussdapp.core.keys import IssuedKey
from ussdapp.core.signing import SKEW_S, Signed
from ussdapp.web.problems import FieldError, Problem
from ussdapp.web.serving import asked, serving
from ussdapp.wire.tables import MOST_OCTETS

TIMESTAMP: Final = "Ussdapp-Timestamp"
NONCE: Final = "Ussdapp-Nonce"
SIGNATURE: Final = "Ussdapp-Signature"
CLOCK: Final = "clock"  # what programs know a wrong clock by; only who signed is told
STRANGER: Final = "A valid key is needed, and with a key that signs a valid signature."
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_MOST_BODY: Final = MOST_OCTETS + 64 * 1024  # the largest that any route takes
_IN_MEMORY: Final = 1024 * 1024
_PIECE: Final = 64 * 1024


def verify(key: IssuedKey) -> None:
    """Raises Problem 401 for a request that the key's secret did not sign, that is too old or was
    seen before, and Unavailable where nobody can say."""
    given, parts = asked(), serving()
    headers = given.headers
    signed = Signed(
        given.method,
        _target(),
        headers.get(TIMESTAMP, ""),
        headers.get(NONCE, ""),
        _digest(),
    )
    signature = headers.get(SIGNATURE, "")
    if not (signed.is_shaped() and signed.is_good(signature, key.secret)):
        raise Problem(401, STRANGER, headers=CHALLENGE)
    now = parts.clock()
    if not signed.is_timely(now):
        told = f"{TIMESTAMP} is more than {SKEW_S} s from our clock."
        error = FieldError(TIMESTAMP, CLOCK, f"{told} It is seconds of Unix time.")
        raise Problem(401, told, [error], CHALLENGE)
    if not parts.gateway.nonces.is_new(key.key_id, signed.nonce, now):
        raise Problem(401, f"{NONCE} was used before: sign each request anew.", headers=CHALLENGE)


def _target() -> str:
    """Path and query as sent: WSGI hands the path over unquoted, as Latin-1."""
    environ = asked().environ
    path = quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/")
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _digest() -> str:
    """The SHA-256 of the body, which is put back for whoever reads it next."""
    environ = asked().environ
    stream = get_input_stream(environ, max_content_length=_MOST_BODY)
    spool = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the answer
    seen = hashlib.sha256()
    while piece := stream.read(_PIECE):
        seen.update(piece)
        spool.write(piece)
    environ["CONTENT_LENGTH"] = str(spool.tell())
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    spool.seek(0)
    environ["wsgi.input"] = spool

    @after_this_request
    def close(answer: Response) -> Response:
        answer.call_on_close(spool.close)
        return answer

    return seen.hexdigest()
