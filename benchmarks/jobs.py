"""The same job in three ways: N cases, one call to the product and one to the judge each; or the judge's alone in two.

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
FORM: dict[str, Any] = {"response_format": {"type": "json_object"}, "logprobs": True, "top_logprobs": 5}
"""What a judge's question asks for, in every way."""
JUDGED_BY = "correctness"
"""The sample's judge that is measured."""
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
                await ask(question(JUDGE.format(number=number, answer=answer), **FORM))

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
            await ask(question(JUDGE.format(number=number, answer=answer), **FORM))

        await asyncio.gather(*[one(number) for number in range(count)])


def assay(base_url: str) -> None:
    """Both stages as a nightly runs them: Prefect's tasks, journal, repeats, checks, progress, tables."""
    os.environ["OPENAI_BASE_URL"] = base_url
    from assay.stages import execute, judge

    judge.greet(NIGHT)
    executed = execute.run(NIGHT)
    tallies = [vars(tally) for tally in (executed, judge.run(NIGHT))]
    print(json.dumps([{name: tally[name] for name in ("asked", "known", "requests")} for tally in tallies]))


def judging(base_url: str) -> None:
    """The judge's stage alone: one judged call for each answer of the project."""
    os.environ["OPENAI_BASE_URL"] = base_url
    from assay.stages import judge

    print(json.dumps({"asked": judge.run(NIGHT).asked}))


async def openai_judging(base_url: str, count: int, concurrency: int) -> None:
    """The same judged calls in the openai package: same messages, same form, reason and verdict read as JSON."""
    from openai import AsyncOpenAI

    from assay.judges.prompt import load, response_format

    judge = load(JUDGED_BY)
    marks = {name: f"(the {name})" for name in judge.texts}
    shown = [message["content"] for message in judge.render(**marks)]
    form = {"response_format": response_format(judge.declared), "logprobs": True, "top_logprobs": 5, "temperature": 0}
    gate, verdicts = asyncio.Semaphore(concurrency), []
    async with AsyncOpenAI(base_url=base_url, api_key="none") as client:

        async def one(number: int) -> None:
            user = shown[1].replace(marks["question"], PRODUCT.format(number=number))
            messages: Any = [{"role": "system", "content": shown[0]}, {"role": "user", "content": user}]
            async with gate:
                reply = await client.chat.completions.create(model="bench", messages=messages, **form)
            choice = reply.choices[0]
            told = json.loads(str(choice.message.content))
            tokens = choice.logprobs.content if choice.logprobs else None
            likely = next((token.logprob for token in tokens or [] if token.token == told["verdict"]), None)
            verdicts.append((told["verdict"], told["rationale"], likely))

        await asyncio.gather(*[one(number) for number in range(count)])
    print(json.dumps({"asked": len(verdicts)}))


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
    elif way == "judging":
        judging(url)
    elif way in {"threads", "processes"}:
        cores(way)
    else:
        asyncio.run({"aiohttp": aiohttp, "openai": openai, "openai-judging": openai_judging}[way](url, number, at_once))
