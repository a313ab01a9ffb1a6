"""Answer many calls at once, each at most once, none lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

from assay.clients.journal import Journal
from assay.errors import AssayError


class Answer(NamedTuple):
    """What became of a call; only a final answer enters the journal, a failure is asked again by the next run."""

    value: Any
    is_final: bool


class Call(NamedTuple):
    """One thing to ask: its key in the journal, and how to ask it."""

    key: str
    ask: Callable[[], Awaitable[Answer]]


class Tally(NamedTuple):
    """How many calls were asked now and how many were known before."""

    asked: int
    known: int


async def answer_all(
    calls: Iterable[Call], journal: Journal, *, concurrency: int, progress: Callable[[], None]
) -> tuple[dict[str, Any], Tally]:
    """Return the answer of every call by key.

    Args:
        calls: What to ask; equal keys are asked once.
        journal: Where finished calls are, and go.
        concurrency: How many calls are in flight at most.
        progress: Called once an answer, the known ones first.

    Raises:
        AssayError: A call found that no call can succeed (wrong key, unknown model); the others are cancelled.
    """
    wanted = {call.key: call for call in calls}
    answers = {key: known for key in wanted if (known := journal.get(key)) is not None}
    pending = iter([call for key, call in wanted.items() if key not in answers])
    tally = Tally(asked=len(wanted) - len(answers), known=len(answers))
    for _ in range(tally.known):
        progress()

    async def work() -> None:
        for call in pending:
            answer = await call.ask()
            if answer.is_final:
                await journal.put(call.key, answer.value)
            answers[call.key] = answer.value
            progress()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, tally.asked)):
                group.create_task(work())
    except* AssayError as errors:
        raise errors.exceptions[0] from None
    return answers, tally
