"""The engine: each call at most once, none lost, never more in flight than was allowed."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import BudgetError, EndpointError
from assay.models.cached_reply import said
from assay.models.chat import Chat, Endpoint
from assay.models.engine import Answer, Call, Done, Tally, Work, answer_all
from assay.models.journal import Journal
from assay.models.limits import Limits, Price
from assay.models.usage import Purse
from assay.records.ledger import Spent
from tests.endpoint import Body, Reply, Served, completion, failure, serving


class Asked:
    """Makes calls and remembers which were made, and how many at once."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.steps = 0
        self.peak = 0
        self._in_flight = 0

    def call(self, key: str, value: str | Exception = "yes", *, fault: str = "") -> Call:
        """Return a call that takes a moment, then gives or raises the value."""

        async def ask() -> Answer:
            self.keys.append(key)
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
            await asyncio.sleep(0.001)
            self._in_flight -= 1
            if isinstance(value, Exception):
                raise value
            return Answer(value, fault)

        return Call(key, ask)

    def step(self, _: Done) -> None:
        """Count progress."""
        self.steps += 1

    def run(self, calls: Iterable[Call], journal: Journal, concurrency: int = 4) -> tuple[int, int]:
        """Make the calls; return how many were asked, and how many known before."""
        work = Work(run="2026-11-02", stage="execute", conversations=concurrency, purse=Purse())
        tally = asyncio.run(answer_all(calls, journal, work, progress=self.step))
        return tally.asked, tally.known


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    with Journal(tmp_path / "j.sqlite") as found:
        yield found


@pytest.fixture
def asked() -> Asked:
    """Nothing asked yet."""
    return Asked()


def test_nothing_to_ask(asked: Asked, journal: Journal) -> None:
    """No calls give no answers and no error."""
    assert asked.run([], journal) == (0, 0)


def test_equal_keys_are_asked_once(asked: Asked, journal: Journal) -> None:
    """Two calls with one key are one call."""
    assert asked.run([asked.call("a"), asked.call("b"), asked.call("a")], journal) == (2, 0)
    assert sorted(asked.keys) == ["a", "b"]
    assert (journal.get("a"), journal.get("b")) == ("yes", "yes")


def test_known_answers_are_not_asked(asked: Asked, journal: Journal) -> None:
    """A second run asks only what is new, and its progress still reaches the end."""
    asked.run([asked.call("a", "first")], journal)
    again = Asked()
    assert again.run([again.call("a", "second"), again.call("b")], journal) == (1, 1)
    assert again.keys == ["b"]
    assert (journal.get("a"), journal.get("b")) == ("first", "yes")
    assert again.steps == 2


def test_failures_are_asked_again(asked: Asked, journal: Journal) -> None:
    """A failed call has its outcome in this run, and is asked again by the next one."""
    asked.run([asked.call("a", "failed", fault="timeout")], journal)
    assert (journal.outcome("a").answer, journal.get("a")) == ("failed", None)
    assert asked.run([asked.call("a", "mended")], journal) == (1, 0)
    assert journal.get("a") == "mended"


def test_calls_are_taken_as_there_is_room(asked: Asked, journal: Journal) -> None:
    """Calls are not collected: of endless ones only those are taken that are begun when the run ends."""

    def endless() -> Iterator[Call]:
        for number in range(10**9):
            yield asked.call(str(number), EndpointError("over") if number == 500 else "yes")

    with pytest.raises(EndpointError):
        asked.run(endless(), journal, concurrency=4)
    assert len(asked.keys) <= 501 + 4


def test_an_endpoint_error_ends_the_run_as_itself(asked: Asked, journal: Journal) -> None:
    """It comes out bare, not in a group, whatever others meet meanwhile; what had finished before it is kept."""
    first = [asked.call(f"ok-{number}") for number in range(8)]
    rest = [asked.call(f"bad-{number}", EndpointError("wrong key")) for number in range(5000)]
    with pytest.raises(EndpointError, match="^wrong key$"):
        asked.run([*first, *rest], journal, concurrency=1)
    assert len(asked.keys) <= 8 + 1
    assert all(journal.get(f"ok-{number}") == "yes" for number in range(8))


def wired(served: Served, journal: Journal, count: int, limits: Limits, purse: Purse | None = None) -> Tally:
    """Ask a scripted endpoint `count` questions through the engine."""

    async def run() -> Tally:
        async with Chat(Endpoint(base_url=served.url, model="m", api_key="key"), limits) as chat:

            def call(number: int) -> Call:
                return Call(str(number), lambda: said(chat, messages=[{"role": "user", "content": str(number)}]))

            work = Work(run="n", stage="judge", conversations=limits.conversations, purse=purse or Purse())
            return await answer_all(map(call, range(count)), journal, work, progress=lambda _: None)

    return asyncio.run(run())


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_concurrency_is_never_exceeded(journal: Journal, concurrency: int) -> None:
    """As many requests are in flight as allowed, and never one more."""
    with serving(lambda _: replace(completion("yes"), delay_s=0.02)) as served:
        wired(served, journal, 60, Limits(concurrency=concurrency, deadline_s=5))
    assert served.peak == concurrency


def test_a_wrong_key_costs_no_more_calls_than_are_in_flight(journal: Journal) -> None:
    """5,000 calls with a wrong key make at most `concurrency` calls over the wire."""
    with serving(lambda _: failure(401)) as served:
        with pytest.raises(EndpointError, match="refused the key"):
            wired(served, journal, 5000, Limits(concurrency=16, deadline_s=30))
        assert 1 <= len(served.asked) <= 16


PRICE = Price(prompt_usd_per_million=1_000, completion_usd_per_million=1_000)
"""Ten tokens a scripted answer: a cent each."""


def test_what_was_used_is_counted_and_booked(journal: Journal) -> None:
    """Requests with their repeats, tokens and dollars are in the tally and in the ledger, of failed calls too."""
    limits = Limits(concurrency=4, deadline_s=5, max_retries=2, price=PRICE)
    tries: Counter[str] = Counter()

    def script(body: Body) -> Reply:
        number = body["messages"][-1]["content"]
        tries[number] += 1
        is_down = number == "0" or (number == "1" and tries[number] == 1)
        return failure(500, retry_after_ms="1") if is_down else completion("yes")

    with serving(script) as served:
        found = wired(served, journal, 5, limits)
    assert (found.asked, found.requests, found.prompt_tokens, found.completion_tokens) == (5, 8, 28, 12)
    assert found.faults == {"server": 1}
    assert found.cost_usd == pytest.approx(0.04)
    assert journal.ledger() == [Spent("n", "judge", 5, 1, 8, 28, 12, pytest.approx(0.04))]


def test_a_run_stops_at_its_budget(journal: Journal) -> None:
    """It ends within the requests in flight when the last cent is spent, keeps what it paid for, and goes on."""
    limits = Limits(concurrency=4, deadline_s=5, price=PRICE)
    with serving(lambda _: completion("yes")) as served:
        with pytest.raises(BudgetError, match=r"has cost \$0\.\d+ of \$0\.20 allowed.*goes on from there"):
            wired(served, journal, 1000, limits, Purse(cap_usd=0.2))
        assert 20 <= len(served.asked) <= 20 + 4
        paid = len(journal.known([str(number) for number in range(1000)]))
        assert paid + 4 >= 20
        assert wired(served, journal, 30, limits, Purse(cap_usd=1.0)).known == min(paid, 30)


def test_a_bug_is_not_hidden(asked: Asked, journal: Journal) -> None:
    """An exception that is not ours is never taken for an answer."""
    with pytest.raises(ExceptionGroup) as raised:
        asked.run([asked.call("a", ZeroDivisionError("bug")), asked.call("b")], journal)
    assert raised.group_contains(ZeroDivisionError)
