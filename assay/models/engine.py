"""Answer many calls at once, each at most once, none lost; memory does not grow with their number."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from assay.errors import AssayError, BudgetError
from assay.models import usage
from assay.models.journal import Journal
from assay.models.usage import Meter, Purse

CHUNK = 64
"""Calls that are looked up in the journal in one go."""
RARELY = (20_000, 20, 50)
"""Garbage that only a search finds is scarce here; with Python's own thresholds the search takes 3 % of a run."""


class Answer(NamedTuple):
    """What became of a call; only a final answer is kept for good, a failed call is asked again by the next run."""

    text: str
    fault: str = ""
    """Empty for a final answer, or one of errors.KINDS."""


class Call(NamedTuple):
    """One thing to ask: its key in the journal, and how to ask it."""

    key: str
    ask: Callable[[], Awaitable[Answer]]


@dataclass(frozen=True)
class Work:
    """On whose account the calls are made, and how many are begun at once."""

    run: str
    stage: str
    conversations: int
    """See `Limits.conversations`; how many requests are in flight is the endpoint's governor's business."""
    purse: Purse
    clock: Callable[[], float] = time.monotonic


class Done(NamedTuple):
    """What progress is told of one call."""

    is_known: bool
    fault: str = ""
    cost_usd: float = 0.0


class Pause(NamedTuple):
    """What progress is told while everybody waits."""

    why: str
    """Empty when it goes on."""


Progress = Callable[[Done | Pause], None]


@dataclass
class Tally:
    """What the calls of a stage came to."""

    asked: int = 0
    known: int = 0
    requests: int = 0
    """Sent, repeats included."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    """Calls that ended without an answer, by kind."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of them, a line each."""

    def count(self, used: Meter, fault: str) -> None:
        """Add one call that was asked."""
        self.asked += 1
        self.requests += used.requests
        self.prompt_tokens += used.prompt_tokens
        self.completion_tokens += used.completion_tokens
        self.cost_usd += used.cost_usd
        if fault:
            self.faults[fault] += 1


async def answer_all(calls: Iterable[Call], journal: Journal, work: Work, *, progress: Progress) -> Tally:
    """Ask whatever the journal does not know yet; afterwards it has the outcome of every call.

    Args:
        calls: What to ask, taken one by one as there is room; equal keys are asked once.
        journal: Where finished calls are, and go.
        work: On whose account, and how many at once.
        progress: Told of every call.

    Raises:
        BudgetError: Nothing is left to spend; what was under way has ended, and every answer is kept.
        AssayError: A call found that no call can succeed (wrong key, unknown model); the others are cancelled, and what
            was answered is kept.
    """
    # What was there before the calls is not looked through for garbage again and again while they are made.
    gc.freeze()
    gc.set_threshold(*RARELY)
    tally = Tally()
    broke: list[BudgetError] = []
    pending = _pending(calls, journal, tally, progress)

    def tell(why: str) -> None:
        progress(Pause(why))

    async def begin() -> None:
        for call in pending:
            used = Meter(purse=work.purse, key=call.key, clock=work.clock, tell=tell)
            usage.use(used)
            try:
                answer = await call.ask()
            except BudgetError as error:
                broke.append(error)
                return
            used.last_turn = None  # a long reply is not held while its outcome is written
            book = {"run": work.run, "stage": work.stage, "used": used}
            await journal.finish(call.key, answer.text, is_final=not answer.fault, **book)  # type: ignore[arg-type]
            tally.count(used, answer.fault)
            progress(Done(is_known=False, fault=answer.fault, cost_usd=used.cost_usd))

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(work.conversations):
                group.create_task(begin())
                if number % CHUNK == 0:
                    await asyncio.sleep(0)  # the first requests are on their way while the others are made ready
    except* AssayError as errors:
        raise errors.exceptions[0] from None
    finally:
        journal.settle()
    if broke:
        raise broke[0]
    return tally


def _pending(calls: Iterable[Call], journal: Journal, tally: Tally, progress: Progress) -> Iterator[Call]:
    """Yield the calls that have to be asked, each key once."""
    begun: set[str] = set()
    waiting = iter(calls)
    while chunk := list(islice(waiting, CHUNK)):
        known = journal.known([call.key for call in chunk])
        journal.use(known)
        for call in chunk:
            if call.key in known:
                tally.known += 1
                progress(Done(is_known=True))
            elif call.key not in begun:
                begun.add(call.key)
                yield call
