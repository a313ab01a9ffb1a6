"""BatchChat: the answers of a direct conversation, whatever the service makes of a batch."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.errors import BudgetError, CallError, EndpointError
from assay.models.batch_api import Counts
from assay.models.batch_chat import BatchChat
from assay.models.chat import Chat, Endpoint
from assay.models.journal import Journal
from assay.models.limits import Price
from assay.models.usage import Meter, Purse, metering
from tests.batch_runs import KEY, LIMITS, Naps, Said, echo, run, talk, why
from tests.batches import Service, serving_batches
from tests.endpoint import Reply, completion, failure


def test_a_refused_batch_ends_the_run_and_holds_up_no_other(tmp_path: Path) -> None:
    """A batch that fails validation is an error in one sentence; the next run sends it anew."""
    faults = [{"code": "invalid_json_line", "message": f"line 1 {KEY}", "line": 1}]
    service = Service(echo, end="failed", errors=faults)
    raised = why(service, tmp_path)
    assert isinstance(raised, EndpointError)
    assert "refused batch batch_1 (invalid_json_line: line 1 (the key))" in str(raised)
    service.end = "completed"
    assert run(service, tmp_path, {"a": ["Hello"]}) == {"a": ["Hello/1"]}
    assert len(service.batches) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (failure(400, "too long"), "refused-request"),
        (failure(429, "slow down"), "rate-limit"),
        (failure(500), "server"),
        (Reply(body=b'{"choices": []}'), "malformed"),
        (Reply(body=b"[]"), "malformed"),
        (completion(""), "empty"),
    ],
)
def test_a_failed_request_is_a_failed_call(tmp_path: Path, reply: Reply, kind: str) -> None:
    """What one request failed with is its CallError, as if asked directly; the others have their answers."""
    service = Service(lambda body: reply if body["messages"][-1]["content"] == "bad" else echo(body))
    said = run(service, tmp_path, {"a": ["good"], "b": ["bad"]})
    assert said["a"] == ["good/1"]
    assert isinstance(said["b"], CallError)
    assert said["b"].kind == kind
    service.script = echo
    assert run(service, tmp_path, {"a": ["good"], "b": ["bad"]})["b"] == ["bad/1"]
    assert [line["body"]["messages"][-1]["content"] for line in service.requests()] == ["good", "bad", "bad"]


@pytest.mark.parametrize(("code", "status"), [("insufficient_quota", 429), ("model_not_found", 404), ("", 401)])
def test_a_failed_request_that_speaks_for_all(tmp_path: Path, code: str, status: int) -> None:
    """An account without quota, an unknown model and a refused key end the run, wherever a batch says so."""
    assert isinstance(why(Service(lambda _: failure(status, "no", code)), tmp_path), EndpointError)


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_what_was_not_executed_is_asked_directly(tmp_path: Path, end: Any) -> None:
    """Requests whose turn did not come are asked at once and directly; what was executed is not paid for again."""
    calls = {str(number): [f"q{number}"] for number in range(40)}
    is_early = lambda body: body["messages"][0]["content"] < "q2"  # noqa: E731
    service = Service(echo, end=end, is_executed=is_early)
    assert run(service, tmp_path, calls) == {number: [f"q{number}/1"] for number in calls}
    assert len(service.direct) == sum(f"q{number}" >= "q2" for number in range(40))
    again = Service(echo)
    assert run(again, tmp_path, calls) == {number: [f"q{number}/1"] for number in calls}
    assert again.seen == []


class CountedChat(Chat):
    """A chat that remembers how many were asking at once."""

    now = peak = 0

    async def complete(self, **request: Any) -> dict[str, Any]:
        """Ask, and be counted."""
        type(self).now += 1
        type(self).peak = max(self.peak, self.now)
        try:
            return await super().complete(**request)
        finally:
            type(self).now -= 1


def test_a_whole_batch_that_expires_does_not_become_a_flood(tmp_path: Path) -> None:
    """No more than the allowed number of requests is asked directly at once."""
    calls = {str(number): ["Hello"] for number in range(20)}
    said = run(Service(echo, end="expired", output=lambda _: b""), tmp_path, calls, fallback=CountedChat, concurrency=3)
    assert said == {key: ["Hello/1"] for key in calls}
    assert CountedChat.peak == 3


def test_an_expired_batch_that_names_nobody(tmp_path: Path) -> None:
    """Of a batch that expired, what no line names is asked directly, too."""
    service = Service(echo, end="expired", output=lambda _: b"")
    assert run(service, tmp_path, {"a": ["Hello"]}) == {"a": ["Hello/1"]}
    assert len(service.direct) == 1


def spoilt(lines: list[bytes]) -> bytes:
    """Return a file in which every kind of line but the first two is wrong, and the last is cut."""
    fine = json.loads(lines[0])
    wrong = [
        b"",
        b"null",
        b"[" * 200_000,
        b"\xff\xfe",
        json.dumps(fine | {"custom_id": "../../etc/passwd"}).encode(),
        json.dumps(fine | {"custom_id": "0123456789abcdef"}).encode(),
        json.dumps(fine | {"custom_id": "\ud800"}).encode(),
        json.dumps(fine | {"custom_id": ["a"]}).encode(),
        json.dumps(fine | {"response": {"status_code": "200"}}).encode(),
        json.dumps(fine | {"response": {"status_code": 200, "body": completion("other").body.decode()}}).encode(),
    ]
    return b"\n".join([*reversed(lines[:-1]), *wrong, lines[-1][:-20]])


def test_a_broken_line_harms_only_itself(tmp_path: Path) -> None:
    """Lines that are no JSON, have no sound or no known id, or come twice change nothing for any other request."""
    said = run(Service(echo, output=spoilt), tmp_path, {key: [key] for key in "abc"})
    assert said == {"a": ["a/1"], "b": ["b/1"], "c": said["c"]}
    assert isinstance(said["c"], CallError)
    assert said["c"].kind == "malformed"


def test_a_batch_answers_only_its_own_requests(tmp_path: Path) -> None:
    """A result that answers a request of another batch is not believed."""
    service = Service(echo, polls=10**9)

    def release(_: Counts) -> None:
        service.polls = 1 if len(service.batches) > 1 else service.polls

    def meddling(lines: list[bytes]) -> bytes:
        fine = json.loads(lines[0])
        everybody = [line["custom_id"] for line in service.requests()]
        return b"\n".join([*lines, *(json.dumps(fine | {"custom_id": name}).encode() for name in everybody)])

    service.output = meddling
    calls = {"a": ["a"], "b": ["b"]}
    assert run(service, tmp_path, calls, max_requests=1, progress=release) == {"a": ["a/1"], "b": ["b/1"]}
    assert run(service, tmp_path, calls) == {"a": ["a/1"], "b": ["b/1"]}


def test_the_first_of_two_answers_counts(tmp_path: Path) -> None:
    """An id that comes twice has the answer that came first, and an answer counts more than an error before it."""

    def doubled(lines: list[bytes]) -> bytes:
        first = json.loads(lines[0])
        other = json.dumps(first | {"response": {"status_code": 200, "body": json.loads(completion("late").body)}})
        error = json.dumps(first | {"response": None, "error": {"code": "server_error", "message": "no"}})
        return b"\n".join([error.encode(), lines[0], other.encode(), error.encode()])

    assert run(Service(echo, output=doubled), tmp_path, {"a": ["Hello"]}) == {"a": ["Hello/1"]}


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_files_that_come_later_than_the_end(tmp_path: Path, end: Any) -> None:
    """A batch that has ended before its files are there is looked at once more, and nothing is asked directly."""
    service = Service(echo, end=end, late_looks=1)
    assert run(service, tmp_path, {"a": ["Hello"]}) == {"a": ["Hello/1"]}
    assert service.direct == []


def test_a_file_that_is_cut_at_first(tmp_path: Path) -> None:
    """A result file that breaks off is read once more."""
    service = Service(echo)
    whole = service.answer

    def cut(method: str, path: str, *rest: Any, **named: Any) -> Reply:
        found = whole(method, path, *rest, **named)
        is_first = path.endswith("/content") and service.seen.count(f"{method} {path}") == 1
        return Reply(200, found.body[:-9]) if is_first else found

    service.answer = cut  # type: ignore[method-assign]
    assert run(service, tmp_path, {"a": ["Hello"], "b": ["Bye"]}) == {"a": ["Hello/1"], "b": ["Bye/1"]}
    assert len(service.batches) == 1


def test_a_batch_too_many_waits_for_another(tmp_path: Path) -> None:
    """A batch that is over the limit of what may wait is sent again when another has ended."""
    service = Service(echo, polls=10**9, room=1)

    looks = 0

    def release(_: Counts) -> None:
        nonlocal looks
        looks += len(service.batches) > 1
        service.polls = 1 if looks > 50 else service.polls

    calls = {key: [key] for key in "abcd"}
    said = run(service, tmp_path, calls, max_requests=2, progress=release)
    assert said == {key: [f"{key}/1"] for key in "abcd"}
    assert [batch["status"] for batch in service.batches.values()] == ["completed", "failed", "completed"]


def test_a_single_batch_over_the_limit(tmp_path: Path) -> None:
    """A batch that is over the limit all by itself ends the run."""
    assert isinstance(why(Service(echo, room=0), tmp_path), EndpointError)


@pytest.mark.parametrize("limit", [{"max_requests": 50}, {"max_bytes": 9_000}])
def test_more_than_a_batch_holds(tmp_path: Path, limit: dict[str, Any]) -> None:
    """What exceeds the requests or the bytes of one batch goes into two, and none is lost."""
    calls = {str(number): [f"question {number}"] for number in range(60)}
    service = Service(echo)
    assert run(service, tmp_path, calls, **limit) == {key: [f"question {key}/1"] for key in calls}
    sizes = [len(service.files[batch["input_file_id"]].splitlines()) for batch in service.batches.values()]
    assert (len(sizes), sum(sizes)) == (2, 60)
    assert max(sizes) <= limit.get("max_requests", 60)


def test_a_request_that_no_batch_holds(tmp_path: Path) -> None:
    """A request larger than a batch may be is refused by itself."""
    raised = why(Service(echo), tmp_path, max_bytes=50)
    assert isinstance(raised, CallError)
    assert raised.kind == "refused-request"


@pytest.mark.parametrize(
    "text",
    ["two\nlines\r\n\u2028\u2029\x85", '"}{%s{0}\\', "half \ud83d", "\U0001f600\0", "x" * 500_000],
    ids=["lines", "quotes", "surrogate", "emoji", "long"],
)
def test_hostile_text_is_the_same_as_directly(tmp_path: Path, text: str) -> None:
    """Whatever users and models write, requests and answers are those of a direct conversation."""
    service = Service(lambda body: completion(f"{text} and {body['messages'][-1]['content'][-20:]}"))
    question = text if "\ud83d" not in text else "fine"
    said = run(service, tmp_path, {"a": [question, "go on"]})

    async def direct(url: str) -> Said:
        async with Chat(Endpoint(base_url=url, model="support-2", api_key=KEY), LIMITS) as chat:
            return await talk(chat, "a", [question, "go on"])

    with serving_batches(service) as url:
        assert said == {"a": asyncio.run(direct(url))}
    assert [line["body"] for line in service.requests()] == service.direct


def test_what_cannot_be_sent_is_a_failed_call(tmp_path: Path) -> None:
    """A question that UTF-8 cannot hold is refused as it is directly, and nothing is sent."""
    service = Service(echo)
    raised = run(service, tmp_path, {"a": ["\ud800"]})["a"]
    assert isinstance(raised, CallError)
    assert raised.kind == "refused-request"
    assert service.seen == []


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An open journal."""
    with Journal(tmp_path / "journal.sqlite") as found:
        yield found


def test_one_who_gives_up_does_not_take_the_batch_along(journal: Journal) -> None:
    """A call that is cancelled leaves the others of its batch their answers."""
    service = Service(echo)

    async def held(url: str) -> list[str]:
        settings: dict[str, Any] = {"gather_s": 0.1, "poll_s": 1, "progress": lambda _: None, "sleep": Naps()}
        endpoint = Endpoint(base_url=url, model="m", api_key="")
        async with Chat(endpoint, LIMITS) as direct, BatchChat(direct, journal, **settings) as chat:
            first, second = (asyncio.create_task(talk(chat, key, ["Hello"])) for key in "ab")
            await asyncio.sleep(0.02)
            first.cancel()
            return await second

    with serving_batches(service) as url:
        assert asyncio.run(held(url)) == ["Hello/1"]


def test_outside_of_a_call_it_is_asked_directly(tmp_path: Path) -> None:
    """A probe, which belongs to no call, is answered at once and kept nowhere."""
    service = Service(echo)
    assert run(service, tmp_path, {"": ["Who are you?"]}) == {"": ["Who are you?/1"]}
    assert service.seen == ["POST /chat/completions"]


def test_what_a_reply_cost_is_counted_when_it_is_handed_out(journal: Journal) -> None:
    """Each reply counts its tokens at the batch's price, also after a restart; an empty purse asks nothing more."""
    service, price = Service(echo), Price(prompt_usd_per_million=1e6, completion_usd_per_million=2e6)

    async def asked(url: str, used: Meter) -> None:
        settings: dict[str, Any] = {"gather_s": 0.01, "poll_s": 1, "progress": lambda _: None, "sleep": Naps()}
        endpoint = Endpoint(base_url=url, model="m", api_key="")
        async with Chat(endpoint, LIMITS) as direct, BatchChat(direct, journal, price=price, **settings) as chat:
            with metering(used):
                await chat.complete(messages=[{"role": "user", "content": "Hello"}])

    known = 0
    with serving_batches(service) as url:
        for _ in range(2):
            used = Meter(key="a")
            asyncio.run(asked(url, used))
            assert (used.prompt_tokens, used.completion_tokens, used.cost_usd) == (7, 3, 13)
            assert used.requests == len(service.requests()) - known
            known = 1
        with pytest.raises(BudgetError):
            asyncio.run(asked(url, Meter(key="b", purse=Purse(cap_usd=1, spent_usd=1))))
    assert len(service.requests()) == 1
