"""Knows the three facts that tell one USSD dialect over HTTP from another, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Fields by their name in the counterparty's document. `first_told_by` and `over_told_by` are
    a field and its value; None where nobody is told that a dialogue is over. `cumulative` says
    whether all that was keyed comes each time."""

    session_named_by: str
    first_told_by: tuple[str, str]
    over_told_by: tuple[str, str] | None
    cumulative: bool
