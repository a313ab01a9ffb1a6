"""Reading an answer that may come in pieces: one JSON document, one a line, or server-sent events."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal

from assay.errors import CallError
from assay.targets import json_text

Stream = Literal["none", "sse", "jsonl"]
DONE = b"[DONE]"
"""The last event of OpenAI's streams; what follows is not read."""
MOST_EVENTS = 100_000
"""Of one answer; more is a product that does not come to an end."""


async def read(
    chunks: AsyncIterator[bytes], stream: Stream, max_bytes: int, *, clean: Callable[[bytes], bytes] = bytes
) -> list[Any]:
    """Return the JSON value of every event; of an answer in one piece, that one.

    Args:
        chunks: The body, however it is cut.
        stream: How its events are told apart.
        max_bytes: More is not read.
        clean: Takes out of an event what nobody may quote.

    Raises:
        CallError: It is `too-long`, or `malformed`: an event is no JSON.
    """
    if stream == "none":
        return [_json(clean(b"".join([part async for part in _bounded(chunks, max_bytes)])))]
    found: list[Any] = []
    async for event in _events(_bounded(chunks, max_bytes), stream):
        if event == DONE:
            break
        if len(found) == MOST_EVENTS:
            raise CallError("too-long", f"the reply does not end after {MOST_EVENTS} events")
        found.append(_json(clean(event)))
    return found


async def _bounded(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise CallError("too-long", f"the reply does not end after {max_bytes} bytes")
        yield chunk


async def _events(chunks: AsyncIterator[bytes], stream: Stream) -> AsyncIterator[bytes]:
    data: list[bytes] = []
    async for line in _lines(chunks):
        if stream == "jsonl":
            if line:
                yield line
        elif line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:").removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data.clear()
    if data:
        yield b"\n".join(data)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines; each byte is looked at once, however the lines are cut into chunks."""
    begun: list[bytes] = []
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for line in _joined(begun, ended):
            yield line
        begun.append(rest)
    if last := b"".join(begun).strip():
        yield last


def _joined(begun: list[bytes], ended: list[bytes]) -> Iterator[bytes]:
    for line in ended:
        yield b"".join([*begun, line]).strip()
        begun.clear()


def _json(event: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json_text.load(event)
    except ValueError as error:
        shown = event[:100].decode(errors="replace")
        raise CallError("malformed", f"the reply is not JSON ({str(error)[:100]}): {shown}") from error
