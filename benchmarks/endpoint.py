"""A loopback endpoint that is never the bottleneck: `python -m benchmarks.endpoint LATENCY_S`.

It prints its port and, when the first request comes, the time of that. It answers every chat completion after the
latency: a judge's question (one with a response format) with a reason and a verdict, and with log-probabilities where
they are asked for as `top_logprobs`; anything else with a sentence. Raw asyncio: a framework would cost more than what
is measured.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


def reply(content: str, tokens: Sequence[str] = ()) -> bytes:
    """Return a whole HTTP answer with this content, and with the log-probabilities of its tokens if there are any."""
    logprobs = {"content": [token(text) for text in tokens], "refusal": None} if tokens else None
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": logprobs}
    usage = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
    whole = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [choice],
        "usage": usage,
    }
    body = json.dumps(whole).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def token(text: str) -> dict[str, Any]:
    """Return a token with four alternatives, as OpenAI's API spells it."""
    other = [alternative(f"other{number}", -9.5 - number) for number in range(4)]
    return {**alternative(text, -0.01), "top_logprobs": [alternative(text, -0.01), *other]}


def alternative(text: str, logprob: float) -> dict[str, Any]:
    """Return what could stand at a place."""
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


ANSWER = reply("Yes, refunds are possible within 14 days of delivery.")
WHY = "The response gives the fourteen days of the reference and adds nothing that the reference does not say."
TOKENS = ['{"', "rationale", '":', ' "', *re.findall(r" ?\S+", WHY), '",', ' "', "verdict", '":', ' "', "pass", '"}']
VERDICT = reply("".join(TOKENS))
LIKELY_VERDICT = reply("".join(TOKENS), TOKENS)


class Clock:
    """Prints the time of the first request: `time.monotonic` is one clock for all processes."""

    is_told = False

    def tell(self) -> None:
        """Print it once."""
        if not self.is_told:
            self.is_told = True
            print(time.monotonic(), flush=True)


class Connection(asyncio.Protocol):
    """One connection; its requests come one after the other."""

    def __init__(self, latency_s: float, clock: Clock) -> None:
        self._latency_s, self._clock, self._waiting = latency_s, clock, b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self._waiting += data
        head, found, rest = self._waiting.partition(HEAD_END)
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH)), 0)
        if len(rest) >= length:
            self._waiting = rest[length:]
            self._clock.tell()
            self.reply(rest)

    def reply(self, body: bytes) -> None:
        """Answer a request after the latency."""
        answer = ANSWER
        if b'"response_format"' in body:
            answer = LIKELY_VERDICT if b'"top_logprobs"' in body else VERDICT
        self._loop.call_later(self._latency_s, self._transport.write, answer)


async def serve(latency_s: float) -> None:
    """Serve on a free port until terminated."""
    loop, clock = asyncio.get_running_loop(), Clock()
    server = await loop.create_server(lambda: Connection(latency_s, clock), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
