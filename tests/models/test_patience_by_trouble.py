"""Patience by kind of trouble: limits, outages and stray refusals cost time, and no call; in seconds that cost nothing.

Each endpoint here is a fake with a clock of the loop's own: a night of ten minutes takes a tenth of a second.
"""

import asyncio
import math
import random
from collections.abc import Callable

import pytest

from assay.errors import AccessError, AssayError, CallError, EndpointError, OverloadError
from assay.models.limits import Limits
from assay.models.retry import Patience
from assay.models.usage import Meter, metering
from tests.virtual_time import run

COUNT = 1000
LATENCY_S, QUICK_S = 0.05, 0.003
Fault = Callable[[int, float], BaseException | None]
"""Why a question is not answered at a time; None where it is."""


class Endpoint:
    """Answers after its latency, or refuses at once."""

    def __init__(self, fault: Fault, latency_s: float = LATENCY_S) -> None:
        self._fault, self._latency_s, self._rng = fault, latency_s, random.Random(1)
        self.requests = self.last_s = 0

    async def answer(self, question: int) -> int:
        """Answer one question."""
        self.requests += 1
        await asyncio.sleep(QUICK_S)
        if fault := self._fault(question, asyncio.get_running_loop().time()):
            raise fault
        await asyncio.sleep(self._latency_s * self._rng.uniform(0.5, 1.5))
        return question


class Asked:
    """What became of the questions of one run."""

    def __init__(self) -> None:
        self.failed: dict[int, AssayError] = {}
        self.told: list[str] = []
        self.seconds = 0.0


def ask(
    endpoint: Endpoint, count: int = COUNT, *, is_harmless: bool = True, known: int | None = None, **limits: float
) -> Asked:
    """Ask as many questions as an engine would, and return what became of them; `known` was answered before."""
    random.seed(1)  # of the waits that spread requests in time
    found, settings = Asked(), Limits.model_validate({"concurrency": 64} | limits)
    left = iter(range(count))

    async def begin(patience: Patience) -> None:
        for question in left:
            with metering(Meter(tell=found.told.append)):
                try:
                    said = await patience.ask(lambda: endpoint.answer(question), is_harmless=is_harmless)  # noqa: B023
                    assert said == question
                except CallError as error:
                    found.failed[question] = error

    async def all_of_them() -> None:
        patience = Patience(settings, "the judge")
        if known is not None:
            patience.vouch(lambda: endpoint.answer(known))
        async with asyncio.TaskGroup() as group:
            for _ in range(settings.conversations):
                group.create_task(begin(patience))
        found.seconds = asyncio.get_running_loop().time()

    try:
        run(all_of_them())
    except* EndpointError as errors:
        raise errors.exceptions[0] from None
    return found


class Bucket:
    """So many requests a minute, those of `burst_s` seconds at once; it says when the next may come."""

    def __init__(self, per_minute: float, burst_s: float, say: Callable[[float], float | None]) -> None:
        self.rate, self.size, self._say = per_minute / 60, max(1.0, per_minute / 60 * burst_s), say
        self._tokens, self._at = self.size, 0.0

    def __call__(self, _: int, now: float) -> OverloadError | None:
        """Refuse what is too much."""
        self._tokens, self._at = min(self.size, self._tokens + (now - self._at) * self.rate), now
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        wait_s = self._say((1 - self._tokens) / self.rate)
        return OverloadError("rate-limit", "slow down", again="always", wait_s=wait_s)

    def least_s(self, count: int) -> float:
        """Return how long so many requests take at least."""
        return max(0.0, count - self.size) / self.rate


class Window:
    """So many requests in each minute of the clock."""

    def __init__(self, per_minute: int) -> None:
        self.size, self._minute, self._count = per_minute, -1, 0

    def __call__(self, _: int, now: float) -> OverloadError | None:
        """Refuse what is too much for this minute."""
        if int(now // 60) != self._minute:
            self._minute, self._count = int(now // 60), 0
        self._count += 1
        return (
            None
            if self._count <= self.size
            else OverloadError("rate-limit", "slow down", again="always", wait_s=math.ceil(60 - now % 60))
        )


SAYINGS: dict[str, Callable[[float], float | None]] = {
    "whole seconds": lambda wait_s: max(1.0, math.ceil(wait_s)),
    "exactly": lambda wait_s: wait_s,
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("says", SAYINGS)
@pytest.mark.parametrize("at_once", [64, 16])
@pytest.mark.parametrize("per_minute", [3000, 1200, 500])
def test_a_limit_of_requests_costs_no_call(per_minute: int, at_once: int, says: str) -> None:
    """Of a thousand questions none is lost, though nothing is declared nor may be repeated, in 1.2 times the ideal."""
    bucket = Bucket(per_minute, 1.0, SAYINGS[says])
    found = ask(Endpoint(bucket), concurrency=at_once, max_retries=0)
    assert found.failed == {}
    assert found.seconds <= 1.2 * max(bucket.least_s(COUNT), COUNT * LATENCY_S / at_once) + 1


@pytest.mark.parametrize("says", SAYINGS)
@pytest.mark.parametrize("at_once", [64, 4])
@pytest.mark.parametrize("per_minute", [3, 10, 30])
def test_the_smallest_limits_cost_no_call(per_minute: int, at_once: int, says: str) -> None:
    """Of a free tier's few requests a minute each is used, however long all the others have to wait."""
    bucket = Bucket(per_minute, 60.0, SAYINGS[says])
    found = ask(Endpoint(bucket), 20 * per_minute, concurrency=at_once, max_retries=0)
    assert found.failed == {}
    assert found.seconds <= 1.2 * bucket.least_s(20 * per_minute)


@pytest.mark.parametrize("at_once", [64, 16])
def test_a_quota_a_minute_is_used_when_the_minute_begins(at_once: int) -> None:
    """Where the endpoint counts by the minute, the second half is asked as soon as the second minute begins."""
    found = ask(Endpoint(Window(500)), concurrency=at_once, max_retries=0)
    assert found.failed == {}
    assert 60 <= found.seconds <= 66


def test_stray_refusals_hold_nobody_back() -> None:
    """One refusal in fifty, at random, is no limit: whoever meets it comes again, and the others go on."""
    rng = random.Random(3)
    stray = OverloadError("rate-limit", "busy", again="always", wait_s=1.0)
    found = ask(Endpoint(lambda *_: stray if rng.random() < 0.02 else None), max_retries=0)
    assert found.failed == {}
    assert found.seconds < 4


@pytest.mark.parametrize("lasts_s", [30, 300])
@pytest.mark.parametrize(
    "fault",
    [
        CallError("connection", "connection refused", again="always"),
        CallError("server", "bad gateway"),
        OverloadError("server", "no upstream"),
        CallError("malformed", "the reply is not JSON: <html>"),
    ],
    ids=["gone", "500", "503", "a page"],
)
@pytest.mark.parametrize("at_once", [64, 1])
def test_an_outage_costs_no_call(at_once: int, fault: CallError, lasts_s: float) -> None:
    """An endpoint that is down for half a minute, or for five, is waited for, looked after, and asked on."""
    endpoint = Endpoint(lambda _, now: fault if 0.1 < now < 0.1 + lasts_s else None)
    found = ask(endpoint, 200, concurrency=at_once)
    assert found.failed == {}
    assert lasts_s < found.seconds < lasts_s + 45
    assert endpoint.requests < 200 + 64 * 6 * 4
    assert [*dict.fromkeys(told.partition(" (")[0] for told in found.told)] == ["waiting for the judge", ""]
    assert not found.told[-1]


def test_a_minute_of_refusals_without_a_word_costs_no_call() -> None:
    """Refusals to all for a minute, that do not say how long, are waited for."""
    busy = OverloadError("rate-limit", "busy", again="always")
    found = ask(Endpoint(lambda _, now: busy if 0.3 < now < 60.3 else None))
    assert found.failed == {}
    assert found.seconds < 90


@pytest.mark.parametrize("status", [401, 403])
def test_a_stray_refusal_of_the_key_ends_nothing(status: int) -> None:
    """A key that was good a moment ago is tried again: three refusals among a thousand answers cost no call."""
    refused = {100, 400, 999}

    def fault(question: int, _: float) -> AccessError | None:
        if question not in refused:
            return None
        refused.remove(question)
        return AccessError(f"HTTP {status}: refused the key")

    assert ask(Endpoint(fault), max_retries=1).failed == {}


def test_a_revoked_key_ends_the_run() -> None:
    """A key that stays refused ends the run within two minutes, with the endpoint's word for it."""
    endpoint = Endpoint(lambda _, now: AccessError("HTTP 401: revoked") if now > 0.3 else None)
    with pytest.raises(EndpointError, match="revoked"):
        ask(endpoint)


def test_a_wrong_key_ends_the_run_at_once() -> None:
    """A key that was never good is not tried again."""
    endpoint = Endpoint(lambda *_: AccessError("HTTP 401: wrong"))
    with pytest.raises(AccessError, match="wrong"):
        ask(endpoint)
    assert endpoint.requests <= 64


def test_what_nothing_can_help_ends_the_run() -> None:
    """After all patience the run ends with the cause and what to do, and no call became a failed row."""
    endpoint = Endpoint(lambda _, now: CallError("server", "bad gateway") if now > 0.3 else None)
    with pytest.raises(EndpointError, match=r"the judge has not answered .*bad gateway.*patience_s is 120.*run again"):
        ask(endpoint, patience_s=120)


def test_a_day_s_quota_ends_the_run() -> None:
    """An endpoint that wants more quiet than anybody waits is not asked a thousand times."""
    empty = OverloadError("rate-limit", "daily quota", again="always", wait_s=7200.0)
    endpoint = Endpoint(lambda _, now: empty if now > 0.3 else None)
    with pytest.raises(EndpointError, match=r"asks for 7,200 s of quiet"):
        ask(endpoint)
    assert endpoint.requests < COUNT


POISON = [
    CallError("server", "the template broke"),
    CallError("connection", "reset"),
    CallError("timeout", "late"),
    CallError("malformed", "half a reply"),
    OverloadError("rate-limit", "too many tokens", again="always"),
    OverloadError("rate-limit", "too many tokens", again="always", wait_s=1.0),
    AccessError("HTTP 403: the filter"),
]


@pytest.mark.parametrize("fault", POISON, ids=str)
@pytest.mark.parametrize("where", [0.5, 1.0])
def test_a_question_that_breaks_an_endpoint_is_a_row(where: float, fault: AssayError) -> None:
    """Three questions that always fail, in the middle or the last of all, are three failed calls and no outage."""
    poison = {int(where * (COUNT - 3)) + number for number in range(3)}
    found = ask(Endpoint(lambda question, _: fault if question in poison else None))
    assert set(found.failed) == poison
    assert found.seconds < 60


@pytest.mark.parametrize("fault", POISON, ids=str)
@pytest.mark.parametrize("left", [1, 3])
def test_a_run_that_goes_on_is_ended_by_none_of_its_last_questions(left: int, fault: AssayError) -> None:
    """Where all that is left to ask breaks the endpoint, what it answered before shows that it is there: no outage."""
    endpoint = Endpoint(lambda question, _: fault if question < left else None)
    found = ask(endpoint, left, known=COUNT)
    assert set(found.failed) == set(range(left))
    assert found.seconds < 60


def test_a_run_that_goes_on_waits_for_an_endpoint_that_is_down() -> None:
    """An endpoint that answered before is waited for from the first question on, and none of them is lost."""
    gone = CallError("connection", "connection refused", again="always")
    found = ask(Endpoint(lambda _, now: gone if now < 30 else None), 3, known=COUNT)
    assert found.failed == {}
    assert 30 < found.seconds < 75


def test_an_order_is_never_sent_again_to_find_out() -> None:
    """What may do harm is asked once, down or not, but for what was certainly not processed."""
    gone = CallError("connection", "connection refused", again="always")
    endpoint = Endpoint(lambda _, now: gone if 0.3 < now < 30 else None)
    found = ask(endpoint, 300, is_harmless=False)
    assert found.failed == {}
    broken = Endpoint(lambda question, _: CallError("server", "broke") if question == 7 else None)
    assert set(ask(broken, 20, is_harmless=False).failed) == {7}
    assert broken.requests == 20


def test_an_outage_costs_few_orders() -> None:
    """An endpoint that is down is sent no more orders than were in flight, and a few that find out; none twice."""
    reset = CallError("connection", "reset")
    endpoint = Endpoint(lambda _, now: reset if 0.3 < now < 30 else None)
    found = ask(endpoint, 300, concurrency=16, is_harmless=False)
    assert 0 < len(found.failed) <= 16 + 8
    assert endpoint.requests == 300
