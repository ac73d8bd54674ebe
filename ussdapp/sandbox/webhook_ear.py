"""Knows the sandbox's listener: what an institution would hear by its webhook, to look at."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from html import escape
from typing import Final

PATH: Final = "/webhooks"
_MOST: Final = 100
_SHOWN: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_PAGE: Final = """<!doctype html>
<html lang="sw"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2"><title>Webhooks</title>
<style>body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1rem auto; max-width: 60rem;
padding: 0 1rem }} pre {{ white-space: pre-wrap; overflow-wrap: anywhere; background: #f3f3f3;
padding: .5rem }} small {{ color: #555 }}</style></head><body>
<h1>Webhooks <small lang="en">what a listener hears</small></h1>
<p>Zilizofika hapa, mpya kwanza. <small lang="en">What arrived here, the newest first.</small></p>
{heard}</body></html>
"""
_NOTHING: Final = '<p>Hakuna bado. <small lang="en">Nothing yet.</small></p>'


@dataclass(frozen=True, slots=True)
class _Heard:
    at: datetime
    headers: Mapping[str, str]
    body: str


class Ear:
    """Keeps the last hundred posts, for as long as the process lives."""

    def __init__(self) -> None:
        self._heard: deque[_Heard] = deque(maxlen=_MOST)
        self._lock = threading.Lock()

    def hear(self, headers: Message, body: bytes) -> None:
        """One more post."""
        kept = {name: headers.get(name, "") for name in _SHOWN}
        with self._lock:
            self._heard.appendleft(_Heard(datetime.now(UTC), kept, body.decode("utf-8", "replace")))

    def told(self) -> bytes:
        """The posts as JSON, the newest first."""
        return json.dumps(
            [{"at": one.at.isoformat(), **one.headers, "body": one.body} for one in self._all()]
        ).encode()

    def page(self) -> bytes:
        """The posts as a page that shows itself anew."""
        heard = "\n".join(_shown(one) for one in self._all())
        return _PAGE.format(heard=heard or _NOTHING).encode()

    def _all(self) -> list[_Heard]:
        with self._lock:
            return list(self._heard)


def _shown(one: _Heard) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in one.headers.items())
    return f"<h2>{one.at:%H:%M:%S}</h2><pre>{escape(headers)}\n\n{escape(one.body)}</pre>"
