"""Knows how a channel's settings say what an operator means by words of its own."""

from collections.abc import Mapping
from typing import Final

from ussdapp.core.opt_outs import OPTED_OUT
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, Outcome, Rejected
from ussdapp.wire.smpp_options import Options

_TRIED_AGAIN_S: Final = 15.0
_MEANINGS: Final = ("rejected", "deferred", OPTED_OUT)
_TOLD: Final = "rejected, deferred or opted_out"
_STATES: Final = {
    status.value: status
    for status in (
        Status.SUBMITTED,
        Status.DELIVERED,
        Status.UNDELIVERED,
        Status.REJECTED,
        Status.EXPIRED,
    )
}


def read_states(options: Options) -> Mapping[str, Status]:
    """What a receipt's `stat` means, in capitals as they are compared: `states = {"0" =
    "delivered"}`. Raises ValueError."""
    found: dict[str, Status] = {}
    for word, meaning in _table(options, "states").items():
        status = _STATES.get(str(meaning))
        if status is None:
            raise ValueError(f"states: {word} is one of {', '.join(_STATES)}")
        found[word.upper()] = status
    return found


def read_statuses(options: Options) -> Mapping[int, Outcome]:
    """What a command_status means: `statuses = {"0x401" = "rejected"}`, or opted_out, which is
    rejected because the citizen wants no texts, or deferred, which is tried again and counts.
    ESME_ROK means what it means. Raises ValueError."""
    found: dict[int, Outcome] = {}
    for word, meaning in _table(options, "statuses").items():
        try:
            status = int(word, 0)
        except ValueError:
            status = 0
        if not 0 < status <= 0xFFFFFFFF or meaning not in _MEANINGS:
            raise ValueError(f"statuses: {word} is a command_status, and {_TOLD}")
        found[status] = _outcome(str(meaning), f"{status:#x}")
    return found


def read_errors(options: Options) -> frozenset[str]:
    """Which `err` of a receipt mean that the citizen wants no texts: `errors = {"0B1" =
    "opted_out"}`. Raises ValueError."""
    errors = _table(options, "errors")
    if strangers := [word for word, meaning in errors.items() if meaning != OPTED_OUT]:
        raise ValueError(f"errors: {strangers[0]} is opted_out, or left out")
    return frozenset(errors)


def _outcome(meaning: str, code: str) -> Outcome:
    if meaning == "deferred":
        return Deferred(code, _TRIED_AGAIN_S, counts=True)
    return Rejected(OPTED_OUT if meaning == OPTED_OUT else code)


def _table(options: Options, name: str) -> Mapping[str, object]:
    table = options.get(name, {})
    if not isinstance(table, Mapping):
        raise ValueError(f"{name} is a table")  # noqa: TRY004 - as of any wrong option
    return {str(word): meaning for word, meaning in table.items()}
