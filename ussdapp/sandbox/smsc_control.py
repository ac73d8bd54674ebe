"""Knows how the simulated SMSC is told what to do: one JSON object a line, one line back."""

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import Any, Final, Protocol

_MOST: Final = 64 * 1024
_PATIENCE_S: Final = 30.0


class Controlled(Protocol):
    """What can be asked of a simulated SMSC."""

    @property
    def settings(self) -> dict[str, Any]: ...

    def set(self, changes: dict[str, Any]) -> None: ...

    def disconnect(self) -> int: ...

    def figures(self) -> dict[str, int]: ...

    async def mo(self, sender: str, short_code: str, text: str) -> list[int | None]: ...

    async def ussd(self, asked: Mapping[str, Any]) -> dict[str, Any]: ...


def control(port: int, **request: object) -> dict[str, Any]:
    """Sends one request to the SMSC on this machine and returns its answer. Requests: `set`
    (knobs), `mo` ({"from", "to", "text"}), `ussd` (as smsc_handsets.Handsets.ussd), `disconnect`,
    `stats`. A refused one answers {"error": ...}; raises OSError when nobody listens."""
    with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            answer: dict[str, Any] = json.loads(lines.readline())
    return answer


async def serve(smsc: Controlled, port: int) -> asyncio.Server:
    """Listens for requests on the loopback interface alone."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await _answer(smsc, line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line over the limit
            return
        finally:
            writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", port, limit=_MOST)


async def _answer(smsc: Controlled, line: bytes) -> dict[str, Any]:
    try:
        match json.loads(line):
            case {"set": dict(changes)}:
                smsc.set(changes)
                return {"knobs": smsc.settings}
            case {"mo": {"from": str(sender), "to": str(to), "text": str(text)}}:
                statuses = await smsc.mo(sender, to, text)
                worst = max(statuses, key=lambda status: -1 if status == 0 else status or 1 << 32)
                return {"command_status": worst, "parts": statuses}
            case {"ussd": dict(asked)}:
                return await smsc.ussd(asked)
            case {"disconnect": True}:
                return {"disconnected": smsc.disconnect()}
            case {"stats": True}:
                return {"stats": smsc.figures()}
    except (ValueError, LookupError) as error:
        return {"error": str(error)}
    return {"error": "unknown request"}
