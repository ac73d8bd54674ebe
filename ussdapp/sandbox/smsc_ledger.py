"""Knows what the simulated SMSC accepted: one JSON line a submit, written before its answer."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ussdapp.wire.bodies import Delivered
from ussdapp.wire.receipt_text import text_of

_UDHI = 0x40


class Ledger:
    """Appends to a file that only its owner may read: it holds MSISDNs and texts."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a")
        os.fchmod(self._file.fileno(), 0o600)

    def add(self, lines: Sequence[dict[str, Any]]) -> None:
        """The lines outlive this process once this returns."""
        self._file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        self._file.flush()


def line_of(submit: Delivered, message_id: str, system_id: str) -> dict[str, Any]:
    """What the ledger says of one submit_sm; `udh` only beside a concatenated part."""
    line: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(),
        "message_id": message_id,
        "system_id": system_id,
        "source": submit.source_addr,
        "destination": submit.destination_addr,
        "text": text_of(submit),
        "data_coding": submit.data_coding,
        "esm_class": submit.esm_class,
        "registered_delivery": submit.registered_delivery,
    }
    udh = concatenation(submit)
    return line if udh is None else {**line, "udh": udh}


def concatenation(submit: Delivered) -> dict[str, int] | None:
    """Reference, total and part of a concatenation header (3GPP TS 23.040, 9.2.3.24.1 and .8)."""
    message = submit.short_message
    if not submit.esm_class & _UDHI or not message:
        return None
    header = message[1 : 1 + message[0]]
    while len(header) >= 2:
        kind, value, header = header[0], header[2 : 2 + header[1]], header[2 + header[1] :]
        if (kind, len(value)) in ((0x00, 3), (0x08, 4)):
            reference = int.from_bytes(value[:-2], "big")
            return {"ref": reference, "total": value[-2], "part": value[-1]}
    return None
