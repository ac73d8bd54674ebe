"""Knows one text while it is being received: what it asks, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ussdapp.core.keywords import Command
from ussdapp.core.msisdn import Msisdn


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """A citizen's text, and the same understood. `effect` is the key that makes all it causes
    happen once."""

    effect: str
    msisdn: Msisdn
    language: str
    command: Command
    at: datetime
    text: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """The sentence to answer with, what stands in its gaps, and the institution it is about."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    institution: str | None = None
    language: str | None = None  # when it is not the citizen's remembered one
