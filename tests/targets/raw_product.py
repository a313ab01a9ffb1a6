"""A scripted HTTP product on loopback that may answer with any bytes, in pieces, for ever or not at all."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Says:
    """One reply: its pieces are sent one by one, with a pause before each."""

    pieces: list[bytes] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    is_endless: bool = False
    """The last piece is sent again and again."""


Script = Callable[[Asked], Says]


def says(body: Any, status: int = 200, **headers: str) -> Says:
    """Return a reply in one piece of JSON."""
    return Says([json.dumps(body).encode()], status, headers)


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """Serve the script on a free port while the block runs; yield the address."""
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _send(script(await _asked(reader)), writer)
        except (OSError, asyncio.IncompleteReadError):
            """A caller that went away is part of the play."""
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(talk(reader, writer))
        talking.add(task)
        task.add_done_callback(talking.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


async def _asked(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *rest = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
    return Asked(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _send(reply: Says, writer: asyncio.StreamWriter) -> None:
    headers = {"Connection": "close"} | reply.headers
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    pieces = list(reply.pieces)
    while pieces:
        await writer.drain()
        await asyncio.sleep(reply.pause_s)
        writer.write(pieces[0])
        if len(pieces) > 1 or not reply.is_endless:
            pieces.pop(0)
    await writer.drain()


@contextmanager
def listening(script: Script) -> Iterator[str]:
    """Serve raw replies from a thread of its own; yield the address."""
    told: SimpleQueue[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = SimpleQueue()

    async def listen() -> None:
        stop = asyncio.Event()
        async with serving(script) as url:
            told.put((url, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    url, loop, stop = told.get(timeout=10)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
