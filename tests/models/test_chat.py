"""Chat: every fault of an endpoint has its own word, none escapes as something else, and the key is never repeated."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from assay.errors import AssayError, CallError, EndpointError
from assay.models.chat import Chat, Endpoint
from assay.models.limits import Limits
from tests.endpoint import DROP, HTML, Reply, as_json, completion, failure, refusing, serving

KEY = "sk-cleo-secret-0123456789"
LIMITS: dict[str, Any] = {"concurrency": 8, "patience_s": 0.5}
HELLO = [{"role": "user", "content": "Hello"}]


def ask(url: str, *, deadline_s: float = 5, max_retries: int = 0, key: str = KEY) -> dict[str, Any]:
    """Ask one question; return the reply."""

    async def asked() -> dict[str, Any]:
        endpoint = Endpoint(base_url=url, model="support-2", api_key=key)
        async with Chat(endpoint, Limits(**LIMITS, deadline_s=deadline_s, max_retries=max_retries)) as chat:
            return await chat.complete(messages=HELLO)

    return asyncio.run(asked())


def fault(reply: Reply, **options: Any) -> AssayError:
    """Return what becomes of a reply that is no answer."""
    with serving(lambda _: reply) as served, pytest.raises(AssayError) as raised:
        ask(served.url, **options)
    return raised.value


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (failure(401, f"Incorrect API key provided: {KEY}"), "refused the key"),
        (failure(403, "not for you"), "refused the key"),
        (failure(404, "the model does not exist", "model_not_found"), "does not know this model"),
        (failure(429, "pay first", "insufficient_quota"), "no quota left"),
    ],
)
def test_what_fails_alike_for_all_ends_the_run(reply: Reply, found: str) -> None:
    """A wrong key, a forbidden or unknown model and an empty account are errors of the endpoint, not of one call."""
    raised = fault(reply)
    assert isinstance(raised, EndpointError)
    assert found in str(raised)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (failure(400, "too long"), "refused-request"),
        (failure(409), "refused-request"),
        (failure(413), "refused-request"),
        (failure(422), "refused-request"),
        (failure(429, x_should_retry="false"), "rate-limit"),
        (failure(500), "server"),
        (failure(503), "server"),
        (Reply(500, b"<html>", {"Content-Type": "text/html"}), "server"),
        (DROP, "connection"),
        (Reply(body=b'{"choices"', headers={"Content-Length": "500"}, is_dropped=True), "connection"),
        (Reply(headers={"Content-Encoding": "gzip"}, body=b"no gzip"), "connection"),
        (HTML, "malformed"),
        (Reply(body=b""), "malformed"),
        (Reply(body=b'{"choices": [{"mess'), "malformed"),
        (Reply(body=b"\xff\xfe\x00"), "malformed"),
        (Reply(body=b"[" * 200_000), "malformed"),
        (Reply(body=b'{"choices": ' + b"[" * 200_000), "malformed"),
        (as_json({"error": {"message": "overloaded"}}), "malformed"),
        (as_json({"choices": []}), "malformed"),
        (as_json({"choices": None}), "malformed"),
        (as_json({"choices": "none"}), "malformed"),
        (as_json({"choices": [None]}), "malformed"),
        (as_json({"choices": [{"message": None}]}), "malformed"),
        (as_json({"choices": [{"message": "hi"}]}), "malformed"),
        (as_json({"choices": [{"message": {"content": "hi"}, "finish_reason": 7}]}), "malformed"),
        (completion([7]), "malformed"),
        (completion([{"type": "image_url"}]), "empty"),
        (completion("hi", model=5), "malformed"),
        (as_json([]), "malformed"),
        (as_json("hi"), "malformed"),
        (as_json(None), "malformed"),
    ],
)
def test_each_fault_has_its_kind(reply: Reply, kind: str) -> None:
    """Each fault of one call is a CallError of its kind with a short text, never an exception of another library."""
    raised = fault(reply)
    assert isinstance(raised, CallError)
    assert raised.kind == kind
    assert 0 < len(str(raised)) < 600


@pytest.mark.parametrize(
    ("reply", "content"),
    [
        (completion([{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]), "hi"),
        (
            completion(
                [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "hi"}]
            ),
            "hi",
        ),
        (as_json({"choices": [{"message": {"content": "hi"}, "logprobs": "none"}]}), "hi"),
        (as_json({"choices": [{"message": {"content": "hi"}, "stop_reason": 106, "finish_reason": None}]}), "hi"),
        (completion("hi", reasoning_content="hm", refusal=None), "hi"),
    ],
)
def test_servers_that_differ_are_understood(reply: Reply, content: str) -> None:
    """A message in parts, keys that others lack and odd log-probabilities lose no answer."""
    with serving(lambda _: reply) as served:
        assert ask(served.url)["choices"][0]["message"]["content"] == content


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "no logprobs", "code": 400}},
        {"object": "error", "message": "no logprobs", "type": "BadRequestError", "param": None, "code": 400},
        {"type": "error", "error": {"type": "invalid_request_error", "message": "no logprobs"}},
        {"error": "no logprobs"},
        {"detail": "no logprobs"},
        {"detail": [{"loc": ["body", "logprobs"], "msg": "no logprobs"}]},
        "no logprobs",
    ],
)
def test_errors_in_other_shapes_are_quoted(body: Any) -> None:
    """What a server says is wrong stands in the message, whichever shape it says it in."""
    assert "no logprobs" in str(fault(as_json(body, 400)))


def test_a_program_that_speaks_no_http() -> None:
    """A port at which something else speaks gives `malformed`, not an error of the transport."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        writer.close()

    async def asked() -> None:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with (
            server,
            Chat(Endpoint(base_url=url, model="m", api_key=KEY), Limits(**LIMITS, deadline_s=5, max_retries=0)) as chat,
        ):
            await chat.complete(messages=HELLO)

    with pytest.raises(CallError, match="the reply is not HTTP") as raised:
        asyncio.run(asked())
    assert raised.value.kind == "malformed"


def test_a_silent_endpoint_is_given_up() -> None:
    """An endpoint that hangs costs the deadline and no more, retries included."""
    raised = fault(Reply(delay_s=30), deadline_s=0.2, max_retries=2)
    assert isinstance(raised, CallError)
    assert raised.kind == "timeout"
    assert str(raised) == "no answer within 0.2 s"


def test_nobody_there_is_an_error_of_the_endpoint() -> None:
    """An address at which nobody listens from the first call on ends the run."""
    with refusing() as url, pytest.raises(EndpointError, match="cannot be reached .*start it, or correct base_url"):
        ask(url)


def test_gone_after_an_answer_is_waited_for() -> None:
    """An endpoint that answered before and is gone may come back: only after all patience does that end the run."""

    async def asked() -> None:
        # Closed after the answer, so that the next call has to connect anew.
        last = replace(completion("hi"), is_dropped=True, headers={"Connection": "close"})
        with serving(lambda _: last) as served:
            chat = Chat(
                Endpoint(base_url=served.url, model="m", api_key=""), Limits(**LIMITS, deadline_s=5, max_retries=0)
            )
            await chat.complete(messages=HELLO)
        async with chat:
            await chat.complete(messages=HELLO)

    with pytest.raises(EndpointError, match=r"has not answered .*Connect call failed.*patience_s is 0\.5"):
        asyncio.run(asked())


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://x/v1", "http://", "http://[bad/v1", "http://127.0.0.1:99999/v1"]
)
def test_an_address_that_is_none(url: str) -> None:
    """What is no address is refused before anything is sent."""
    with pytest.raises(EndpointError, match="base_url is .*expected an address"):
        ask(url)


@pytest.mark.parametrize("key", ["sk-two\nlines", "sk-schl\u00fcssel", "sk-\ud800"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    """A key with a line break or beyond ASCII is refused, and not repeated."""
    with refusing() as url, pytest.raises(EndpointError, match="the key for .* holds a character") as raised:
        ask(url, key=key)
    assert "sk-" not in str(raised.value)


@pytest.mark.parametrize("reply", [failure(401, f"no: {KEY}"), failure(500, KEY), as_json({"error": KEY})])
def test_the_key_is_never_repeated(reply: Reply) -> None:
    """An endpoint that echoes the key does not get it into our sentence; no repr holds it either."""
    raised = fault(reply)
    assert "(the key)" in str(raised)
    assert KEY not in f"{raised!r} {raised}"
    endpoint = Endpoint(base_url="http://127.0.0.1/v1", model="m", api_key=KEY)
    assert KEY not in f"{endpoint} {endpoint!r} {[endpoint]} {list(endpoint.__repr_args__())}"


def test_retry_after_is_honoured() -> None:
    """A rate limit is waited for as long as the endpoint says, then asked again; that costs no retry."""
    script = iter([failure(429, retry_after_ms="50"), failure(429, retry_after_ms="50"), completion("at last")])
    before = time.monotonic()
    with serving(lambda _: next(script)) as served:
        assert ask(served.url, max_retries=0)["choices"][0]["message"]["content"] == "at last"
    waited = time.monotonic() - before
    assert 0.1 <= waited < 0.6
    assert len(served.asked) == 3


def test_an_answer_has_all_that_callers_rely_on() -> None:
    """A terse endpoint's answer has every field that a caller reads, as None; what else it sent is kept."""
    with serving(lambda _: as_json({"choices": [{"message": {"content": "hi", "contexts": ["a"]}}]})) as served:
        reply = ask(served.url)
    choice = reply["choices"][0]
    assert choice == {
        "message": {"content": "hi", "refusal": None, "tool_calls": None, "contexts": ["a"]},
        "finish_reason": None,
        "logprobs": None,
    }
    assert reply["model"] is None


def test_lone_surrogates_are_replaced() -> None:
    """Half a character becomes U+FFFD, whole ones stay, so that the answer can be written to any file."""
    with serving(lambda _: completion("half \ud83d and whole \U0001f600")) as served:
        found = ask(served.url)["choices"][0]["message"]["content"]
    assert found == "half \ufffd and whole \U0001f600"
    json.dumps(found, ensure_ascii=False).encode()


def test_what_cannot_be_sent_is_a_failed_call() -> None:
    """A question that UTF-8 cannot hold is a refused request."""

    async def asked(url: str) -> None:
        async with Chat(Endpoint(base_url=url, model="m", api_key=""), Limits(**LIMITS, deadline_s=5)) as chat:
            await chat.complete(messages=[{"role": "user", "content": "\ud800"}])

    with serving(lambda _: completion("hi")) as served, pytest.raises(CallError) as raised:
        asyncio.run(asked(served.url))
    assert raised.value.kind == "refused-request"


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment, as in many companies, does not stand between us and a product on loopback."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(lambda _: completion("hi")) as served:
        assert ask(served.url)["choices"][0]["message"]["content"] == "hi"
