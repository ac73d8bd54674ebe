"""Knows the text that PostgreSQL's COPY and its arrays read."""

from collections.abc import Sequence
from typing import LiteralString

from ussdapp.stores.database import Connection


def copy_lines(connection: Connection, into: LiteralString, lines: Sequence[str]) -> None:
    """Appends lines of fields, each `copied` and with a tab between."""
    if lines:
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            copy.write(storable("".join(lines)))


def copied(value: str) -> str:
    """A text as a field of COPY."""
    if value.isalnum() or not value:
        return value
    return (
        value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    )


def array_of(texts: Sequence[str]) -> str:
    """Texts as an array, in a fifth of the time that a list takes."""
    if not texts:
        return "{}"
    joined = "".join(texts)
    if '"' in joined or "\\" in joined:
        texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return storable('{"' + '","'.join(texts) + '"}')


def storable(text: str) -> str:
    """Without what PostgreSQL keeps in no text: NUL, and surrogates that stand alone."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()
