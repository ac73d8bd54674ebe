"""A TCP proxy that misbehaves when told, as a process of its own: `python -m tests.chaos.proxy`.

It says its port on standard output and takes commands on standard input, one JSON object a line,
each answered with a line:

    {"mode": "pass"}           what comes goes on
    {"mode": "blackhole"}      what comes vanishes, and nobody is told (a half-open connection)
    {"mode": "stall"}          nothing is read any longer: the kernels' buffers fill
    {"mode": "split"}          what comes goes on, in pieces of one to seven octets
    {"reset_after": 4711}      both ends get an RST once so many more octets went to the SMSC
    {"reset": true}            both ends of every connection get an RST now
"""

import asyncio
import json
import socket
import struct
import sys
from dataclasses import dataclass, field

READ = 64 * 1024
LINGER = struct.pack("ii", 1, 0)  # a close is an RST, socket(7)
PIECES = (1, 7, 2, 5, 3)


@dataclass
class Faults:
    """What is wrong now, for all connections."""

    mode: str = "pass"
    left: int | None = None  # octets to the SMSC until the reset
    passing: asyncio.Event = field(default_factory=asyncio.Event)
    pairs: set["Pair"] = field(default_factory=set)
    resets: int = 0

    def turn(self, asked: dict[str, object]) -> None:
        if isinstance(mode := asked.get("mode"), str):
            self.mode = mode
            (self.passing.clear if mode == "stall" else self.passing.set)()
        if isinstance(left := asked.get("reset_after"), int):
            self.left = left
        if asked.get("reset"):
            self.reset()

    def reset(self) -> None:
        for pair in list(self.pairs):
            pair.reset()
            self.resets += 1

    def spent(self, octets: int) -> int:
        """How many of so many octets may still go to the SMSC."""
        if self.left is None:
            return octets
        allowed = min(octets, self.left)
        self.left -= allowed
        return allowed


class Pair:
    """An ESME's connection and ours to the SMSC."""

    def __init__(self, faults: Faults, ends: list[asyncio.StreamWriter]) -> None:
        self._faults = faults
        self._ends = ends

    async def carry(self, reader: asyncio.StreamReader, end: int) -> None:
        """What one end says to the other, until either is gone."""
        try:
            while True:
                await self._faults.passing.wait()
                data = await reader.read(READ)
                if not data:
                    break
                await self._faults.passing.wait()
                await self._carried(data, end)
        except OSError:
            pass
        finally:
            for writer in self._ends:
                writer.close()

    def reset(self) -> None:
        for writer in self._ends:
            if (made := writer.get_extra_info("socket")) is not None:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            writer.transport.abort()

    async def _carried(self, data: bytes, end: int) -> None:
        faults, writer = self._faults, self._ends[end]
        if faults.mode == "blackhole":
            return
        to_smsc = end == 1
        allowed = faults.spent(len(data)) if to_smsc else len(data)
        if faults.mode == "split":
            await self._split(data[:allowed], writer)
        else:
            writer.write(data[:allowed])
            await writer.drain()
        if to_smsc and faults.left == 0:
            await asyncio.sleep(0.01)  # what was let through arrives
            faults.left = None
            faults.reset()

    async def _split(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        at, turn = 0, 0
        while at < len(data):
            piece = PIECES[turn % len(PIECES)]
            writer.write(data[at : at + piece])
            await asyncio.sleep(0)
            at, turn = at + piece, turn + 1
        await writer.drain()


async def serve(smsc: int) -> None:
    """Until standard input ends."""
    faults = Faults()
    faults.passing.set()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, beyond = await asyncio.open_connection("127.0.0.1", smsc)
        except OSError:
            writer.close()
            return
        for end in (writer, beyond):
            made = end.get_extra_info("socket")
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = Pair(faults, [writer, beyond])
        faults.pairs.add(pair)
        await asyncio.gather(pair.carry(reader, 1), pair.carry(behind, 0))
        faults.pairs.discard(pair)

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    _say(str(server.sockets[0].getsockname()[1]))
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        faults.turn(json.loads(line))
        _say(json.dumps({"mode": faults.mode, "open": len(faults.pairs), "resets": faults.resets}))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
