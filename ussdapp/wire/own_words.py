"""Knows how a channel's settings say what an operator means by words of its own."""

from collections.abc import Mapping
from typing import Final

from ussdapp.core.status import Status
from ussdapp.ports import Deferred, Outcome, Rejected
from ussdapp.wire.smpp_options import Options

_TRIED_AGAIN_S: Final = 15.0
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
    """What a command_status means: `statuses = {"0x401" = "rejected"}`, or deferred, which is
    tried again and counts. ESME_ROK means what it means. Raises ValueError."""
    found: dict[int, Outcome] = {}
    for word, meaning in _table(options, "statuses").items():
        try:
            status = int(word, 0)
        except ValueError:
            status = 0
        if not 0 < status <= 0xFFFFFFFF or meaning not in ("rejected", "deferred"):
            raise ValueError(f"statuses: {word} is a command_status, and rejected or deferred")
        code = f"{status:#x}"
        rejected = meaning == "rejected"
        found[status] = Rejected(code) if rejected else Deferred(code, _TRIED_AGAIN_S, counts=True)
    return found


def _table(options: Options, name: str) -> Mapping[str, object]:
    table = options.get(name, {})
    if not isinstance(table, Mapping):
        raise ValueError(f"{name} is a table")  # noqa: TRY004 - as of any wrong option
    return {str(word): meaning for word, meaning in table.items()}
