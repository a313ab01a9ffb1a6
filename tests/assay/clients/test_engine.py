"""The engine: each call at most once, none lost, never more in flight than was allowed."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.clients.chat import Chat, Endpoint
from assay.clients.engine import Answer, Call, Tally, answer_all
from assay.clients.journal import Journal
from assay.errors import EndpointError
from tests.endpoint import failure, serving


class Asked:
    """Makes calls and remembers which were made, and how many at once."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.steps = 0
        self.peak = 0
        self._in_flight = 0

    def call(self, key: str, value: Any = "yes", *, is_final: bool = True) -> Call:
        """Return a call that takes a moment, then gives or raises the value."""

        async def ask() -> Answer:
            self.keys.append(key)
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
            await asyncio.sleep(0.001)
            self._in_flight -= 1
            if isinstance(value, Exception):
                raise value
            return Answer(value, is_final)

        return Call(key, ask)

    def step(self) -> None:
        """Count progress."""
        self.steps += 1

    def run(self, calls: Sequence[Call], journal: Journal, concurrency: int = 4) -> tuple[dict[str, Any], Tally]:
        """Make the calls."""
        return asyncio.run(answer_all(calls, journal, concurrency=concurrency, progress=self.step))


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
    assert asked.run([], journal) == ({}, Tally(asked=0, known=0))


def test_equal_keys_are_asked_once(asked: Asked, journal: Journal) -> None:
    """Two calls with one key are one call, and both have its answer."""
    answers, tally = asked.run([asked.call("a"), asked.call("b"), asked.call("a")], journal)
    assert sorted(asked.keys) == ["a", "b"]
    assert answers == {"a": "yes", "b": "yes"}
    assert tally == Tally(asked=2, known=0)


def test_known_answers_are_not_asked(asked: Asked, journal: Journal) -> None:
    """A second run asks only what is new, and its progress still reaches the end."""
    asked.run([asked.call("a", "first")], journal)
    again = Asked()
    answers, tally = again.run([again.call("a", "second"), again.call("b")], journal)
    assert again.keys == ["b"]
    assert answers == {"a": "first", "b": "yes"}
    assert tally == Tally(asked=1, known=1)
    assert again.steps == 2


def test_failures_are_not_kept(asked: Asked, journal: Journal) -> None:
    """A failed call has its answer in this run, and is asked again by the next one."""
    answers, _ = asked.run([asked.call("a", "failed", is_final=False)], journal)
    assert answers == {"a": "failed"}
    assert asked.run([asked.call("a", "mended")], journal) == ({"a": "mended"}, Tally(asked=1, known=0))


@pytest.mark.parametrize("concurrency", [1, 3, 64])
def test_concurrency_is_never_exceeded(asked: Asked, journal: Journal, concurrency: int) -> None:
    """As many calls are in flight as allowed, and never one more."""
    asked.run([asked.call(str(number)) for number in range(100)], journal, concurrency)
    assert asked.peak == concurrency


def test_an_endpoint_error_ends_the_run_as_itself(asked: Asked, journal: Journal) -> None:
    """It comes out bare, not in a group, whatever others meet meanwhile; what had finished before it is kept."""
    first = [asked.call(f"ok-{number}") for number in range(8)]
    rest = [asked.call(f"bad-{number}", EndpointError("wrong key")) for number in range(5000)]
    with pytest.raises(EndpointError, match="^wrong key$"):
        asked.run([*first, *rest], journal)
    assert len(asked.keys) <= 8 + 4
    assert all(journal.get(f"ok-{number}") == "yes" for number in range(8))


def test_a_wrong_key_costs_no_more_calls_than_are_in_flight(journal: Journal) -> None:
    """5,000 calls with a wrong key make at most `concurrency` calls over the wire."""

    async def run(url: str) -> None:
        async with Chat(Endpoint(base_url=url, model="m", api_key="wrong"), deadline_s=30) as chat:

            def call(number: int) -> Call:
                async def ask() -> Answer:
                    return Answer(await chat.complete(messages=[{"role": "user", "content": str(number)}]), True)

                return Call(str(number), ask)

            calls = [call(number) for number in range(5000)]
            await answer_all(calls, journal, concurrency=16, progress=lambda: None)

    with serving(lambda _: failure(401)) as served:
        with pytest.raises(EndpointError, match="refused the key"):
            asyncio.run(run(served.url))
        assert 1 <= len(served.asked) <= 16


def test_a_bug_is_not_hidden(asked: Asked, journal: Journal) -> None:
    """An exception that is not ours is never taken for an answer."""
    with pytest.raises(ExceptionGroup) as raised:
        asked.run([asked.call("a", ZeroDivisionError("bug")), asked.call("b")], journal)
    assert raised.group_contains(ZeroDivisionError)
