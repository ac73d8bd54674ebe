"""Knows how much of a body is read: all of it, or the request is refused."""

from typing import Final

from werkzeug.exceptions import RequestEntityTooLarge

from ussdapp.web.serving import asked

MOST_BODY: Final = 64 * 1024  # octets


def body() -> bytes:
    """The body of this request; aborts with 413 when it is too large."""
    given = asked()
    octets = given.get_data(cache=False)
    # Werkzeug refuses by Content-Length, but cuts a chunked body short without a word
    if given.content_length is None and len(octets) >= MOST_BODY:
        raise RequestEntityTooLarge
    return octets
