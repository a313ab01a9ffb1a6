"""The Files and Batches endpoints: hopeless faults end the run in one sentence, all others are waited out, once."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from assay.errors import EndpointError
from assay.models.batch_api import LONGEST_S, Batches, Counts
from assay.models.chat import Endpoint
from tests.batches import Service, always, once, serving_batches
from tests.endpoint import DROP, HTML, Reply, as_json, completion, failure, refusing

KEY = "sk-cleo-secret-0123456789"
LINE = b'{"custom_id": "0123456789abcdef", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n'
Found = TypeVar("Found")


def with_batches(url: str, work: Callable[[Batches], Any], *, patience_s: float = 100) -> tuple[Any, list[float]]:
    """Return what the work returns, and how long each wait of it was."""
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    async def done() -> Any:
        endpoint = Endpoint(base_url=url, model="support-2", api_key=KEY)
        batches = Batches(endpoint, poll_s=60, patience_s=patience_s, sleep=sleep)
        try:
            return await work(batches)
        finally:
            await batches.close()

    return asyncio.run(done()), naps


def fault(service: Service, work: Callable[[Batches], Any]) -> str:
    """Return the sentence that the work ends with."""
    with serving_batches(service) as url, pytest.raises(EndpointError) as raised:
        with_batches(url, work)
    return str(raised.value)


def never(_: Counts) -> None:
    """Take no notice."""


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (failure(401, f"wrong: {KEY}"), r"refused the key \(.*\(the key\)"),
        (failure(403), "refused the key"),
        (failure(429, "pay", "insufficient_quota"), "no quota left"),
        (failure(404), "no Files and Batches endpoints .* set `mode: interactive`"),
        (failure(405), "no Files and Batches endpoints"),
        (failure(501), "no Files and Batches endpoints"),
        (failure(400, "billing_hard_limit_reached"), "refused the batch .*billing_hard_limit_reached"),
        (failure(413), "refused the batch"),
    ],
)
@pytest.mark.parametrize("path", ["/files", "/batches"])
def test_what_waiting_cannot_help(path: str, reply: Reply, found: str) -> None:
    """A refused key, an empty account, missing routes and a refused batch end the run at once, and say what to do."""
    service = Service(lambda _: completion(), fault=always("POST", path, reply))
    sentence = fault(service, lambda batches: batches.send("mark", LINE))
    assert service.seen.count(f"POST {path}") == 1
    assert re.search(found, sentence)
    assert KEY not in sentence


def test_nobody_there() -> None:
    """An address at which nobody listens from the first request on ends the run at once."""
    with refusing() as url, pytest.raises(EndpointError, match="cannot be reached .*start it, or correct base_url"):
        with_batches(url, lambda batches: batches.find("mark"))


@pytest.mark.parametrize("reply", [failure(500), failure(429), failure(503), failure(408), HTML, as_json([]), DROP])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/files"), ("POST", "/batches"), ("GET", "/batches/"), ("GET", "/files/")],
)
def test_what_passes_is_waited_out(method: str, path: str, reply: Reply) -> None:
    """A service that is down, busy or behind a broken gateway for a while costs waits, and no second batch."""
    is_file = path == "/files/"
    service = Service(lambda _: completion("yes"), fault=once(method, path, reply, times=3))

    async def work(batches: Batches) -> bytes:
        ended = await batches.ended(await batches.send("mark", LINE), never)
        assert ended
        return await batches.content(ended.output_file_id)

    with serving_batches(service) as url:
        content, naps = with_batches(url, work)
    # A file may hold anything, so only the transport and the status can tell that it is not the one.
    if not (is_file and reply.status == 200 and not reply.is_dropped):
        assert b"yes" in content
        # aiohttp itself asks once more when a GET meets a dropped connection.
        assert naps == ([1] if reply.is_dropped and method == "GET" else [1, 2, 4])
    assert len(service.batches) == 1


def test_a_service_that_stays_down() -> None:
    """Patience ends; the sentence says for how long it was tried and that nothing is lost."""
    service = Service(lambda _: completion(), fault=always("GET", "/batches/", failure(500, "ouch")))
    with serving_batches(service) as url, pytest.raises(EndpointError) as raised:
        with_batches(url, lambda batches: batches.ended("batch_0", never), patience_s=10)
    assert "failed for 7 s on end (Error code: 500" in str(raised.value)
    assert "run again later, nothing is lost" in str(raised.value)


def test_a_batch_whose_birth_was_not_heard_of_is_not_made_twice() -> None:
    """When the reply to its making is lost, the batch is found by its mark instead of being made again."""
    service = Service(lambda _: completion())
    service.fault = lambda method, path: DROP if (method, path) == ("POST", "/batches") and deaf(service) else None
    with serving_batches(service) as url:
        found, _ = with_batches(url, lambda batches: batches.send("mark", LINE))
    assert list(service.batches) == [found]


def deaf(service: Service) -> bool:
    """Make the batch, but do not say so; only once."""
    if service.batches:
        return False
    service.created({"input_file_id": next(iter(service.files)), "metadata": {"assay": "mark"}})
    return True


def test_looks_become_rarer_and_are_told() -> None:
    """Waits double up to the longest one, and each look tells the counts of the batch."""
    service = Service(lambda _: completion(), polls=9)
    told: list[Counts] = []

    async def work(batches: Batches) -> Any:
        return await batches.ended(await batches.send("mark", LINE), told.append)

    with serving_batches(service) as url:
        ended, naps = with_batches(url, work)
    assert ended.status == "completed"
    assert naps == [1, 2, 4, 8, 16, 32, 60, 60]
    assert told[0] == Counts(ended.id, 0, 0, 1)
    assert told[-1] == Counts(ended.id, 1, 0, 1)
    assert len(told) == 9


def test_a_batch_that_does_not_end() -> None:
    """A batch that is open for longer than any may be ends the run."""
    service = Service(lambda _: completion(), polls=10**9)

    async def work(batches: Batches) -> Any:
        return await batches.ended(await batches.send("mark", LINE), never)

    with serving_batches(service) as url, pytest.raises(EndpointError, match=f"in_progress after 9{'[0-9]' * 4} s"):
        with_batches(url, work)
    assert 60 * len(service.seen) > LONGEST_S


def test_a_batch_is_found_on_any_page() -> None:
    """A mark is looked for on all pages; a service that knows but one page ends the search."""
    service = Service(lambda _: completion(), page=2)

    async def work(batches: Batches) -> list[str | None]:
        for number in range(5):
            await batches.send(f"mark-{number}", LINE)
        return [await batches.find(mark) for mark in ("mark-0", "mark-4", "other")]

    with serving_batches(service) as url:
        found, _ = with_batches(url, work)
    assert found == ["batch_1", "batch_9", None]
    endless = as_json({"data": [{"id": "batch_0", "status": "completed"}], "has_more": True})
    service.fault = always("GET", "/batches", endless)
    with serving_batches(service) as url:
        assert with_batches(url, lambda batches: batches.find("mark-0"))[0] is None


@pytest.mark.parametrize("odd", [{"errors": []}, {"request_counts": {"total": None}}, {"metadata": "none"}])
def test_a_dialect_is_understood(odd: dict[str, Any]) -> None:
    """A service that spells what decides nothing in a way of its own is understood nevertheless."""
    batch = {"id": "batch_0", "status": "failed", **odd}
    service = Service(lambda _: completion(), fault=always("GET", "/batches/batch_0", as_json(batch)))
    with serving_batches(service) as url:
        ended, naps = with_batches(url, lambda batches: batches.ended("batch_0", never))
    assert (ended.status, ended.total(), ended.why(), naps) == ("failed", 0, "no reason given", [])


def test_a_file_that_is_gone_has_no_lines() -> None:
    """A result file that expired, and one that never was, are empty."""

    async def work(batches: Batches) -> list[bytes]:
        return [await batches.content("file-gone"), await batches.content(None)]

    with serving_batches(Service(lambda _: completion())) as url:
        assert with_batches(url, work)[0] == [b"", b""]
