"""Institutions on loopback, asked in the guide's words, with knobs that a test turns."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ussdapp.core.back_office import Asker
from ussdapp.core.msisdn import Msisdn
from ussdapp.institutions.ega_guide import EgaGuide, build
from ussdapp.sandbox.back_office import BackOffices
from ussdapp.sandbox.back_office_answers import settings_tables
from ussdapp.sandbox.back_office_knobs import turned
from ussdapp.wire.guarded import GuardedClient

SECRET = "a secret of the sandbox"
CLIENT = GuardedClient(allow_private=True)
ASHA = Msisdn("255754000001")


def asker(effect: str = "effect-1", language: str = "sw", session_id: str = "s1") -> Asker:
    return Asker(ASHA, session_id, language, effect)


class Institutions:
    """Every back office of the sandbox, behind a real socket."""

    def __init__(self, journal: Path) -> None:
        self.server = BackOffices(0, journal, SECRET, {})
        self._tables = settings_tables(self.server.server_address[1], SECRET)
        self._journal = journal
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def behave(self, **knobs: Any) -> None:
        self.server.knobs = turned(self.server.knobs, knobs)

    def table(self, name: str, **options: Any) -> dict[str, Any]:
        return {**self._tables[name], **options}

    def asked(self, name: str, **options: Any) -> EgaGuide:
        return build({name: self.table(name, **options)}, CLIENT)

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._journal.read_text().splitlines()]


@contextmanager
def institutions(folder: Path) -> Iterator[Institutions]:
    made = Institutions(folder / "summaries.jsonl")
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
