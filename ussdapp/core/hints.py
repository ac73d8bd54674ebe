"""Knows how a dialogue began: from what its next text can be guessed."""

from ussdapp.core.session import Record


def beginning(record: Record) -> Record:
    """The record before its first key, which no citizen typed; of a dialogue that goes on from
    another, whose first key is not its beginning, only the language."""
    return Record("", record.language) if record.past else record.start
