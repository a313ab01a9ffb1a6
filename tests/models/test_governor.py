"""The governor: as many in flight as allowed, fewer while it is too many, and always a way back up."""

import asyncio
import random
import time

import pytest

from assay.errors import OverloadError
from assay.models.limiter import STEPS, Governor
from assay.models.limits import Limits

OVERLOAD = OverloadError("server", "too many at once")
"""A 503 that does not say how long to wait: fewer at once are what helps."""


def limits(**changes: float) -> Limits:
    """Return limits for 64 at once."""
    return Limits.model_validate({"concurrency": 64, "deadline_s": 5} | changes)


async def window(governor: Governor, share: float, rng: random.Random) -> None:
    """Let one window of answers pass, a share of them overloads."""
    for _ in range(governor.limit):
        ticket = await governor.enter(0)
        governor.leave(ticket, OVERLOAD if rng.random() < share else None)


def after(shares: list[float], **changes: float) -> list[int]:
    """Return the limit after each of some windows."""

    async def run() -> list[int]:
        governor, rng, found = Governor(limits(**changes)), random.Random(1), []
        for share in shares:
            await window(governor, share, rng)
            found.append(governor.limit)
        return found

    return asyncio.run(run())


def test_it_starts_at_full_speed_and_stays_there() -> None:
    """Without overload the limit is what was allowed, from the first request on."""
    assert Governor(limits()).limit == 64
    assert after([0.0] * 5) == [64] * 5


def test_an_overloaded_endpoint_gets_less_each_window() -> None:
    """When all answers are overloads the limit halves, less one step, down to where only the steps keep it up."""
    found = after([1.0] * 8)
    assert found[:3] == [36, 22, 15]
    assert found[-1] <= 2 * 64 // STEPS + 1


def test_stray_overloads_cost_little() -> None:
    """A tenth of overloads at random, which no lower number would cure, leaves more than nine tenths of the speed."""
    found = after([0.1] * 60)
    assert sum(found[10:]) / len(found[10:]) > 0.9 * 64


@pytest.mark.parametrize("most", [1, 3, 64, 512])
def test_the_way_back_up_is_open(most: int) -> None:
    """Within as many windows as there are steps after the last overload it is at full speed again, however deep."""
    found = after([1.0] * 20 + [0.0] * STEPS, concurrency=most)
    assert min(found) >= 1
    assert found[-1] == most


def test_a_real_limit_is_found() -> None:
    """An endpoint that answers ten at once and turns away the rest is asked for less than twice that, not for 64."""

    async def run() -> list[int]:
        governor, found = Governor(limits()), []
        for _ in range(60):
            at_once = governor.limit
            for number, ticket in enumerate([await governor.enter(0) for _ in range(at_once)]):
                governor.leave(ticket, OVERLOAD if number >= 10 else None)
            found.append(governor.limit)
        return found

    assert max(asyncio.run(run())[20:]) < 20


def test_no_place_is_lost_or_given_twice() -> None:
    """With waiters that give up at random, never more than allowed are in, and all places are free at the end."""

    async def run() -> int:
        governor, rng, peak, inside = Governor(limits(concurrency=5)), random.Random(3), 0, 0

        async def visit() -> None:
            nonlocal peak, inside
            async with asyncio.timeout(rng.uniform(0.0005, 0.02)):
                ticket = await governor.enter(0)
            inside += 1
            peak = max(peak, inside)
            await asyncio.sleep(rng.uniform(0, 0.002))
            inside -= 1
            governor.leave(ticket)

        await asyncio.gather(*(visit() for _ in range(300)), return_exceptions=True)
        async with asyncio.timeout(1):
            for _ in range(5):
                await governor.enter(0)
        return peak

    assert asyncio.run(run()) == 5


@pytest.mark.parametrize(
    ("budget", "tokens"), [({"requests_per_minute": 1200}, 0), ({"tokens_per_minute": 12_000}, 10)]
)
def test_a_budget_a_minute_is_kept(budget: dict[str, float], tokens: int) -> None:
    """At 20 a second, beyond the burst that the budget grants, what is asked at once is let in over time."""
    burst = 20 if "requests_per_minute" in budget else 100

    async def run() -> float:
        governor = Governor(limits(concurrency=512, **budget))
        began = time.monotonic()
        await asyncio.gather(*(governor.enter(tokens) for _ in range(burst + 10)))
        return time.monotonic() - began

    assert 0.4 <= asyncio.run(run()) < 3


def test_a_request_beyond_the_whole_budget_is_not_stuck() -> None:
    """One that takes more tokens than a budget holds at once waits for all of it, and not for ever."""

    async def run() -> None:
        governor = Governor(limits(tokens_per_minute=60))
        async with asyncio.timeout(5):
            await governor.enter(1_000_000)

    asyncio.run(run())
