"""A loopback endpoint with a limit, or that is down for a while, and what a run loses to it.

`python -m benchmarks.limits KIND NUMBER...` prints its port, then serves until terminated; `GET /seen` tells how many
requests came, how many were refused, and the seconds from the first to the last. Kinds: `bucket PER_MINUTE` refills
evenly and holds a second's worth; `window PER_MINUTE` counts by the minute; `down AFTER_S FOR_S` drops connections,
`busy AFTER_S FOR_S` answers 429 without a word, `stray STATUS EVERY` refuses every so-many-th request.
"""

import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from benchmarks import endpoint, project
from benchmarks.faults import ERROR, JSON, ROOT, whole

COUNT, LATENCY_S = 1000, 0.05
CALLS = 2 * COUNT + 1
"""To the product and to the judge, and the judge's first small question."""
DROP = b""
Gate = Callable[[float], bytes | None]
"""What a request gets that comes at a time since the first; None for its answer."""
RUNS = (
    *((f"bucket {per_minute}", at_once) for per_minute in (3000, 1200, 500) for at_once in (64, 16)),
    *((f"window {per_minute}", at_once) for per_minute in (1200, 500) for at_once in (64, 16)),
    *((kind, 64) for kind in ("down 1 30", "down 1 300", "busy 1 60", "stray 401 200", "stray 403 200")),
)


def refusal(status: str, *headers: bytes) -> bytes:
    """Return a refusal."""
    return whole(status.encode(), ERROR, JSON, *headers)


def bucket(per_minute: float) -> Gate:
    """Refill evenly; a second's worth may come at once."""
    rate = per_minute / 60
    state = [rate, 0.0]

    def gate(now: float) -> bytes | None:
        state[0], state[1] = min(rate, state[0] + (now - state[1]) * rate), now
        if state[0] >= 1:
            state[0] -= 1
            return None
        return refusal("429 Too Many Requests", b"Retry-After: %d" % max(1, math.ceil((1 - state[0]) / rate)))

    return gate


def window(per_minute: float) -> Gate:
    """Count by the minute."""
    seen: dict[int, int] = {}

    def gate(now: float) -> bytes | None:
        minute = int(now // 60)
        seen[minute] = seen.get(minute, 0) + 1
        return (
            None
            if seen[minute] <= per_minute
            else refusal("429 Too Many Requests", b"Retry-After: %d" % math.ceil(60 - now % 60))
        )

    return gate


def down(after_s: float, for_s: float) -> Gate:
    """Drop every connection for a while."""
    return lambda now: DROP if after_s < now < after_s + for_s else None


def busy(after_s: float, for_s: float) -> Gate:
    """Refuse everything for a while, without a word about how long."""
    return lambda now: refusal("429 Too Many Requests") if after_s < now < after_s + for_s else None


def stray(status: float, every: float) -> Gate:
    """Refuse the key now and then."""
    count = iter(range(1, sys.maxsize))
    return lambda _: None if next(count) % every else refusal(f"{status:.0f} Refused")


KINDS: dict[str, Callable[..., Gate]] = {
    "bucket": bucket,
    "window": window,
    "down": down,
    "busy": busy,
    "stray": stray,
}


class Connection(endpoint.Connection):
    """One connection behind a gate."""

    def __init__(self, gate: Gate, seen: dict[str, float]) -> None:
        super().__init__(LATENCY_S, endpoint.Clock())
        self._clock.is_told = True
        self._gate, self._seen = gate, seen

    def data_received(self, data: bytes) -> None:
        """Tell what came, or go on as the endpoint does."""
        if data.startswith(b"GET /seen"):
            self._transport.write(whole(b"200 OK", json.dumps(self._seen).encode(), JSON))
        else:
            super().data_received(data)

    def reply(self, body: bytes) -> None:
        """Answer, refuse, or hang up."""
        seen = self._seen
        now = self._loop.time()
        seen["began"] = seen.get("began") or now
        seen["seconds"] = now - seen["began"]
        seen["requests"] = seen.get("requests", 0) + 1
        refused = self._gate(now - seen["began"])
        seen["refused"] = seen.get("refused", 0) + (refused is not None)
        if refused is None:
            super().reply(body)
        elif refused:
            self._transport.write(refused)
        else:
            self._transport.close()


async def serve(gate: Gate) -> None:
    """Serve on a free port until terminated."""
    seen: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(gate, seen), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def ran(kind: str, at_once: int) -> dict[str, Any]:
    """Run execute and judge on a thousand cases against such an endpoint; tell what was lost and how long it took."""
    command = [sys.executable, "-m", "benchmarks.limits", *kind.split()]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server,
    ):
        try:
            assert server.stdout  # noqa: S101 - asked for above
            port = server.stdout.readline().strip()
            url = f"http://127.0.0.1:{port}/v1"
            project.make(Path(folder), url, COUNT, at_once)
            job = [sys.executable, "-m", "benchmarks.jobs", "assay", url, str(COUNT), str(at_once)]
            environ = os.environ | {"PYTHONPATH": str(ROOT)}
            began = time.monotonic()
            subprocess.run(job, cwd=folder, env=environ, check=True, capture_output=True)
            wall_s = time.monotonic() - began
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen") as reply:
                seen = json.loads(reply.read())
        finally:
            server.kill()
        with project.inside(Path(folder)):
            lost = sum(row.status == "error" for row in (*RESPONSES.stream(), *VERDICTS.stream()))
    return {
        "kind": kind,
        "at_once": at_once,
        "lost": lost,
        "wall_s": round(wall_s, 1),
        "first_to_last_request_s": round(seen["seconds"], 1),
        "requests": seen["requests"],
        "refused": seen["refused"],
        **allowed(kind, at_once, seen["seconds"]),
    }


def allowed(kind: str, at_once: int, seconds: float) -> dict[str, float]:
    """Return how long all calls take at least, and how many times that they took."""
    name, number = kind.split()[:2]
    least_s = CALLS * LATENCY_S / at_once
    if name == "bucket":
        least_s = max(least_s, (CALLS - float(number) / 60) / (float(number) / 60))
    elif name == "window":
        least_s = max(least_s, (math.ceil(CALLS / float(number)) - 1) * 60)
    elif name in {"down", "busy"}:
        least_s += float(kind.split()[2])
    return {"least_s": round(least_s, 1), "times_least": round(seconds / least_s, 2)}


def measure() -> list[dict[str, Any]]:
    """Run all of them; the slowest takes five minutes."""
    found = []
    for kind, at_once in RUNS:
        found.append(ran(kind, at_once))
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    asyncio.run(serve(KINDS[sys.argv[1]](*map(float, sys.argv[2:]))))
