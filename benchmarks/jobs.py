"""The same job in three ways: N cases, one call to the product and one to the judge each.

`python -m benchmarks.jobs WAY BASE_URL N CONCURRENCY` runs one way in a process of its own, so that everything it costs
is in that process. `assay` runs in the project folder that `benchmarks.project` has made.
"""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

from assay.project.params import read_params

PRODUCT = "Cleo asks question {number} about refunds. Is it within 14 days?"
JUDGE = "Is this a good answer to question {number}? {answer}"
FORMAT = {"type": "json_object"}
NIGHT = datetime(2026, 11, 2, 3, tzinfo=UTC)


def question(content: str, **more: Any) -> dict[str, Any]:
    """Return a request."""
    return {"model": "bench", "messages": [{"role": "user", "content": content}], **more}


async def aiohttp(base_url: str, count: int, concurrency: int) -> None:
    """The floor: a bare loop that keeps nothing, repeats nothing and checks nothing."""
    import aiohttp as library

    numbers = iter(range(count))
    async with library.ClientSession(connector=library.TCPConnector(limit=concurrency)) as session:

        async def ask(body: dict[str, Any]) -> str:
            async with session.post(f"{base_url}/chat/completions", json=body) as reply:
                return str((await reply.json())["choices"][0]["message"]["content"])

        async def work() -> None:
            for number in numbers:
                answer = await ask(question(PRODUCT.format(number=number)))
                await ask(question(JUDGE.format(number=number, answer=answer), response_format=FORMAT))

        await asyncio.gather(*[work() for _ in range(concurrency)])


async def openai(base_url: str, count: int, concurrency: int) -> None:
    """What one would write with the openai package in ten minutes."""
    from openai import AsyncOpenAI

    gate = asyncio.Semaphore(concurrency)
    async with AsyncOpenAI(base_url=base_url, api_key="none") as client:

        async def ask(body: dict[str, Any]) -> str:
            async with gate:
                return str((await client.chat.completions.create(**body)).choices[0].message.content)

        async def one(number: int) -> None:
            answer = await ask(question(PRODUCT.format(number=number)))
            await ask(question(JUDGE.format(number=number, answer=answer), response_format=FORMAT))

        await asyncio.gather(*[one(number) for number in range(count)])


def assay(base_url: str) -> None:
    """Both stages as a nightly runs them: Prefect's tasks, journal, repeats, checks, progress, tables."""
    os.environ["OPENAI_BASE_URL"] = base_url
    from assay.stages import execute, judge

    judge.greet(NIGHT)
    executed = execute.run(NIGHT)
    tallies = [vars(tally) for tally in (executed, judge.run(NIGHT))]
    print(json.dumps([{name: tally[name] for name in ("asked", "known", "requests")} for tally in tallies]))


def cores(runner: str) -> None:
    """Ask the product alone, from this process or from two; a Prefect server is named in the environment."""
    from assay.orchestration import distribute
    from assay.project.run_id import begun
    from assay.stages import execute
    from assay.stages.execute import Settings

    began = time.perf_counter()
    if runner == "threads":
        tally = execute.run(NIGHT)
    else:
        settings = read_params("execute", Settings).model_copy(update={"runner": runner})
        tally = distribute.spread(settings, begun(NIGHT), None)
    print(json.dumps({"asked": tally.asked, "stage_s": time.perf_counter() - began}))


if __name__ == "__main__":
    way, url, number, at_once = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if way == "assay":
        assay(url)
    elif way in {"threads", "processes"}:
        cores(way)
    else:
        asyncio.run({"aiohttp": aiohttp, "openai": openai}[way](url, number, at_once))
