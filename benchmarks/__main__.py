"""What the engine costs: durable, resumable calls beside a bare script of the openai package, in one run.

`python -m benchmarks` serves a loopback endpoint that answers after 20 ms, asks it the same 1,000 requests 32 at a time
both ways, five times in turn, and prints medians of wall and CPU seconds with their ratio.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from openai import AsyncOpenAI

from assay.clients.chat import Chat, Endpoint
from assay.clients.engine import Answer, Call, answer_all
from assay.clients.journal import Journal

N, CONCURRENCY, ROUNDS = 1_000, 32, 5
MESSAGES = [{"role": "user", "content": "Is a refund possible within 14 days?"}]


async def bare(base_url: str) -> None:
    """Ask with the openai package alone: nothing is kept, a crash loses all."""
    client, gate = AsyncOpenAI(base_url=base_url, api_key="none"), asyncio.Semaphore(CONCURRENCY)

    async def one() -> None:
        async with gate:
            await client.chat.completions.create(model="bench", messages=MESSAGES)  # type: ignore[arg-type]

    await asyncio.gather(*[one() for _ in range(N)])
    await client.close()


async def engine(base_url: str) -> None:
    """Ask through the engine: every answer is durable before it counts."""
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        async with Chat(Endpoint(base_url=base_url, model="bench", api_key=""), deadline_s=60) as chat:

            def call(number: int) -> Call:
                async def ask() -> Answer:
                    return Answer(await chat.complete(messages=MESSAGES), is_final=True)

                return Call(str(number), ask)

            calls = [call(number) for number in range(N)]
            await answer_all(calls, journal, concurrency=CONCURRENCY, progress=lambda: None)


def measure(way: Callable[[str], Awaitable[None]], base_url: str) -> tuple[float, float]:
    """Return wall and CPU seconds of one round."""
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(way(base_url))  # type: ignore[arg-type]
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Measure both ways in turn and print the medians."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.endpoint"], stdout=subprocess.PIPE, text=True)
    assert server.stdout  # noqa: S101 - asked for above
    base_url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    try:
        rounds = [(measure(bare, base_url), measure(engine, base_url)) for _ in range(ROUNDS + 1)][1:]
    finally:
        server.terminate()
        server.wait()
    found = {"calls": N, "concurrency": CONCURRENCY, "ideal_s": N / CONCURRENCY * 0.02}
    for index, name in enumerate(("wall_s", "cpu_s")):
        ours, theirs = ([each[way][index] for each in rounds] for way in (1, 0))
        ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
        figures = {"engine": statistics.median(ours), "openai_script": statistics.median(theirs)}
        found[name] = {key: round(value, 3) for key, value in (figures | {"ratio": statistics.median(ratios)}).items()}
    print(json.dumps(found, indent=2))


main()
