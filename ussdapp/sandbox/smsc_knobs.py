"""Knows how the simulated SMSC may be made to behave badly."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

IdForm = Literal["dec", "hex"]


@dataclass(frozen=True, slots=True)
class Knobs:
    """Each is a flag of the command and a name in a control request. 0, "" and false are off."""

    latency_ms: int = 0  # before a response
    throttle_tps: int = 0  # more submits in a second get ESME_RTHROTTLED
    refuse_every: int = 0  # each Nth submit is refused with refuse_status
    refuse_suffix: str = ""  # so are those to a destination that ends in this
    refuse_status: int = 0x45
    refuse_bind: int = 0  # the status every bind is refused with
    silent_every: int = 0  # each Nth submit is taken and never answered
    hold: bool = False  # responses are held back until this is off again
    deaf: bool = False  # nothing is read from any connection
    disconnect_after: int = 0  # drop the connection after so many more submits, once
    receipt_delay_ms: int = 0
    receipt_state: str = "DELIVRD"
    receipt_lost_pct: int = 0
    receipt_early_pct: int = 0  # sent before the response
    receipt_doubled_pct: int = 0
    id_form: str = "dec"  # of the message id in a response
    receipt_id_form: str = "dec"  # and in a receipt
    ids_again_after: int = 0  # message ids begin again after so many

    def __post_init__(self) -> None:
        if {self.id_form, self.receipt_id_form} - set(get_args(IdForm)):
            raise ValueError("an id form is dec or hex")

    def set(self, changes: Mapping[str, Any]) -> Self:
        """With those changes; raises ValueError for a name or a type no knob has."""
        known = asdict(self)
        for name, value in changes.items():
            if name not in known or type(value) is not type(known[name]):
                raise ValueError(f"no knob {name!r} takes a {type(value).__name__}")
        return type(self)(**{**known, **changes})


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag a knob."""
    for knob in fields(Knobs):
        flag = "--" + knob.name.replace("_", "-")
        if isinstance(knob.default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=_typed(knob.default), default=knob.default)


def from_flags(arguments: argparse.Namespace) -> Knobs:
    """The knobs as the command line set them."""
    return Knobs(**{knob.name: getattr(arguments, knob.name) for knob in fields(Knobs)})


def share(count: int, percent: int) -> bool:
    """Whether the `count`th of a row belongs to that share of it, spread evenly."""
    return count * percent // 100 != (count - 1) * percent // 100


def _typed(default: object) -> Any:
    return str if isinstance(default, str) else lambda text: int(text, 0)
