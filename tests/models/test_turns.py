"""Turns: a conversation that was cut short goes on where it was, and what was paid for is paid for once."""

import asyncio
from pathlib import Path

import pytest

from assay.errors import CallError, EndpointError
from assay.models.chat import Endpoint
from assay.models.journal import Journal
from assay.models.limits import Limits, Price
from assay.models.modes import way
from assay.models.usage import Meter, metering
from tests.endpoint import Body, Reply, Served, completion, failure, refusing, serving

PRICE = Price(prompt_usd_per_million=1_000, completion_usd_per_million=0)
LIMITS = Limits(concurrency=2, deadline_s=5, max_retries=0, price=PRICE)
PAID_USD = 0.007
"""Seven prompt tokens a scripted answer."""


class CutError(Exception):
    """The run ends here."""


def talk(served: Served, file: Path, says: list[str], *, stop_after: int = 99, key: str = "case-1") -> Meter:
    """Hold a conversation of one message after the other, and break off after some of them."""
    used = Meter(key=key)

    async def talked() -> None:
        endpoint = Endpoint(base_url=served.url, model="support-2", api_key="")
        with Journal(file) as journal, metering(used):
            async with way(journal, print)(endpoint, LIMITS) as chat:
                wire: list[dict[str, str]] = []
                for number, message in enumerate(says):
                    if number == stop_after:
                        raise CutError
                    wire.append({"role": "user", "content": message})
                    reply = await chat.complete(messages=wire)
                    wire.append({"role": "assistant", "content": reply["choices"][0]["message"]["content"]})

    asyncio.run(talked())
    return used


def echo(body: Body) -> Reply:
    """Answer with the number of messages so far."""
    return completion(f"answer to {len(body['messages'])}")


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    """Of four turns, cut short after three, the third is asked again and the fourth anew; the first two are known."""
    with serving(echo) as served:
        with pytest.raises(CutError):
            talk(served, tmp_path / "j", ["a", "b", "c", "d"], stop_after=3)
        assert served.said() == ["a", "b", "c"]
        served.asked.clear()
        used = talk(served, tmp_path / "j", ["a", "b", "c", "d"])
    assert served.said() == ["c", "d"]
    assert used.requests == 2


def test_a_run_that_goes_on_books_what_was_paid(tmp_path: Path) -> None:
    """The calls of a run that was cut short were never booked: the one that goes on books the whole conversation."""
    with serving(echo) as served:
        with pytest.raises(CutError):
            talk(served, tmp_path / "j", ["a", "b", "c"], stop_after=2)
        assert talk(served, tmp_path / "j", ["a", "b", "c"]).cost_usd == pytest.approx(3 * PAID_USD)


def test_another_conversation_shares_nothing(tmp_path: Path) -> None:
    """Another call that says the same, such as the next trial, is asked from its first turn."""
    with serving(echo) as served:
        with pytest.raises(CutError):
            talk(served, tmp_path / "j", ["a", "b", "c"], stop_after=2)
        served.asked.clear()
        talk(served, tmp_path / "j", ["a", "b", "c"], key="case-1 again")
    assert served.said() == ["a", "b", "c"]


def test_a_turn_that_differs_is_asked(tmp_path: Path) -> None:
    """What was kept counts only for the very same request: an edited turn is asked, and so is all after it."""
    with serving(echo) as served:
        with pytest.raises(CutError):
            talk(served, tmp_path / "j", ["a", "b", "c", "d"], stop_after=3)
        served.asked.clear()
        talk(served, tmp_path / "j", ["a", "edited", "c", "d"])
    assert served.said() == ["edited", "c", "d"]


def test_a_call_of_one_request_keeps_nothing(tmp_path: Path) -> None:
    """Its answer is the call's answer, which the engine keeps: nothing stands in the journal twice."""
    with serving(echo) as served:
        talk(served, tmp_path / "j", ["a"])
    with Journal(tmp_path / "j") as journal:
        assert not journal.has_any("turn:")


def test_a_failed_request_is_no_turn(tmp_path: Path) -> None:
    """After a fault the conversation that begins anew finds what was answered before it, and asks the rest."""
    is_down = True

    def script(body: Body) -> Reply:
        return failure(400) if is_down and body["messages"][-1]["content"] == "c" else echo(body)

    with serving(script) as served:
        with pytest.raises(CallError):
            talk(served, tmp_path / "j", ["a", "b", "c"])
        is_down = False
        served.asked.clear()
        talk(served, tmp_path / "j", ["a", "b", "c"])
    assert served.said() == ["c"]


@pytest.mark.parametrize("mode", ["interactive", "batch"])
def test_an_endpoint_that_answered_before_is_waited_for(tmp_path: Path, mode: str) -> None:
    """In either mode an endpoint that is vouched for and silent now is down, and its address not called wrong."""

    async def asked(url: str) -> None:
        limits = Limits(concurrency=2, mode=mode, patience_s=0.3, max_retries=0)
        with Journal(tmp_path / "j") as journal:
            async with way(journal, print)(Endpoint(base_url=url, model="support-2", api_key=""), limits) as chat:
                chat.vouch({"messages": []})
                await chat.complete(messages=[{"role": "user", "content": "Hello"}])

    with refusing() as url, pytest.raises(EndpointError, match="has not answered for"):
        asyncio.run(asked(url))
