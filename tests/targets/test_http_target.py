"""The product behind an HTTP endpoint of its own shape: declared request, mapped answer, every fault a bounded row."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from raw_product import Asked, Says, Script, says, serving

from assay.errors import ConfigError, EndpointError
from assay.models.limits import Limits, Price
from assay.models.usage import Meter, metering
from assay.records.case import Case
from assay.records.response import Response
from assay.storage import attachments
from assay.targets.open import opened
from assay.targets.settings import HttpSettings
from tests.attached import PNG
from tests.cast import case

LIMITS = Limits(concurrency=8, deadline_s=2, max_retries=2, patience_s=1)
ANSWER = {"text": "$.answer"}


def play(
    script: Script,
    of: Case | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    meter: Meter | None = None,
    **settings: Any,
) -> Response:
    """Play a case against a scripted product."""

    async def played() -> Response:
        async with serving(script) as address:
            fields = {"url": f"{address}/ask", "body": {"messages": "{{messages}}"}, "answer": ANSWER} | settings
            fields["url"] = fields["url"].replace("ADDRESS", address)
            target = HttpSettings.model_validate({"kind": "http", "name": "support"} | fields)
            async with opened(target, environ or {}, limits=limits) as found:
                with metering(meter or Meter(clock=lambda: 7.0)):
                    return await found.respond(of or case(1), 0, "2026-11-02")

    return asyncio.run(played())


def test_the_request_is_the_declared_one() -> None:
    """Method, path, headers and body are as declared, with the turn as a value, whatever it holds."""
    asked: list[Asked] = []
    hostile = 'ä&?/#"}{{turn}}\r\nX-Evil: 1'
    found = play(
        lambda one: asked.append(one) or says({"answer": "hi"}),  # type: ignore[func-returns-value]
        case(1, turns=[hostile]),
        environ={"SUPPORT_KEY": "sk-cleo", "OTHER": "no"},
        method="PUT",
        url="ADDRESS/ask/{{conversation_id}}?q={{turn}}",
        headers={"Authorization": "Bearer ${SUPPORT_KEY}", "X-Price": "$OTHER", "X-Session": "{{conversation_id}}"},
        body={"q": "{{turn}}", "all": "{{turns}}", "before": "{{history}}", "n": 1},
    )
    assert (found.status, found.text) == ("ok", "hi")
    (one,) = asked
    session = one.headers["x-session"]
    method, path, _ = one.line.split(" ")
    assert (method, urlsplit(path).path, parse_qs(urlsplit(path).query)) == ("PUT", f"/ask/{session}", {"q": [hostile]})
    assert (one.headers["authorization"], one.headers["x-price"]) == ("Bearer sk-cleo", "$OTHER")
    assert "x-evil" not in one.headers
    assert one.json() == {"q": hostile, "all": [hostile], "before": [], "n": 1}


def test_named_values_reach_the_body_and_the_query() -> None:
    """A value keeps its type in the body, is text inside a longer one, and is escaped in the address."""
    asked: list[Asked] = []
    hostile = "de&q=x/../{{turn}}"
    play(
        lambda one: asked.append(one) or says({"answer": "hi"}),  # type: ignore[func-returns-value]
        case(1, turns=["Hi"], inputs={"language": hostile, "limit": 3, "tags": ["a"]}, contexts=["x", "y"]),
        url="ADDRESS/ask?lang={{inputs.language}}&n={{inputs.limit}}",
        body={"q": "{{turn}}", "limit": "{{inputs.limit}}", "text": "to {{inputs.tags}}", "all": "{{ inputs }}"}
        | {"documents": "{{contexts}}"},
    )
    (one,) = asked
    path = urlsplit(one.line.split(" ")[1])
    assert (path.path, parse_qs(path.query)) == ("/ask", {"lang": [hostile], "n": ["3"]})
    values = {"language": hostile, "limit": 3, "tags": ["a"]}
    assert one.json() == {"q": "Hi", "limit": 3, "text": 'to ["a"]', "all": values, "documents": ["x", "y"]}


def test_files_stand_where_the_body_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file has name, type, data URL and Base64; the first stands alone, and of none there is nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(PNG)
    one = attachments.identify(tmp_path / "a.png", "here")
    attachments.keep({one: tmp_path / "a.png"})
    asked: list[Asked] = []
    body = {"q": "{{turn}}", "image": "{{attachment_url}}", "data": "{{attachment_data}}", "all": "{{attachments}}"}
    for given in ([one], []):
        play(
            lambda one: asked.append(one) or says({"answer": "hi"}),  # type: ignore[func-returns-value]
            case(1, turns=["Hi"], attachments=given),
            body=body,
        )
    data = b64encode(PNG).decode()
    url = f"data:image/png;base64,{data}"
    assert asked[0].json() == {
        "q": "Hi",
        "image": url,
        "data": data,
        "all": [{"name": "a.png", "type": "image/png", "data": data, "url": url}],
    }
    assert asked[1].json() == {"q": "Hi", "image": None, "data": None, "all": []}


def test_a_conversation_keeps_its_identifier_and_its_history() -> None:
    """Every turn carries what was said before it under one identifier, and another conversation has another."""
    asked: list[Any] = []
    body = {"q": "{{turn}}", "before": "{{history}}", "all": "{{turns}}", "id": "{{conversation_id}}"}
    of = case(1, turns=["one", "two"])
    for _ in range(2):
        play(lambda one: asked.append(one.json()) or says({"answer": "hi"}), of, body=body)  # type: ignore[func-returns-value]
    assert asked[1]["before"] == [{"role": "user", "content": "one"}, {"role": "assistant", "content": "hi"}]
    assert (asked[1]["q"], asked[1]["all"]) == ("two", ["one", "two"])
    assert asked[0]["id"] == asked[1]["id"] != asked[2]["id"]


def test_a_product_that_cannot_remember_is_refused() -> None:
    """A case with several turns needs a request that tells what was said; the run says which placeholder is missing."""
    with pytest.raises(ConfigError, match="holds none of conversation_id, history, messages, turns"):
        play(lambda _: says({"answer": "hi"}), case(1, turns=["one", "two"]), body={"q": "{{turn}}"})


def test_everything_is_mapped() -> None:
    """Text, tool calls, contexts, usage, reason, version and state come from where the parameters say."""
    answer = {
        "text": "$.parts[*].text",
        "tool_calls": "$.calls",
        "contexts": "$.sources[*].text",
        "prompt_tokens": "$.usage.in",
        "completion_tokens": "$.usage.out",
        "finish_reason": "$.why",
        "final_state": "$.world",
    }
    body = {
        "parts": [{"text": "Hel"}, {"image": 1}, {"text": "lo"}],
        "calls": [{"name": "refund", "arguments": {"order": "x"}}],
        "sources": [{"text": "one"}, {"text": "two"}],
        "usage": {"in": 7, "out": 3},
        "why": "stop",
        "world": {"refunds": 1},
    }
    found = play(lambda _: says(body), answer=answer)
    assert (found.text, found.contexts, found.finish_reason) == ("Hello", ["one", "two"], "stop")
    assert [(one.name, one.arguments) for one in found.tool_calls] == [("refund", '{"order": "x"}')]
    assert (found.prompt_tokens, found.completion_tokens) == (7, 3)
    assert (found.final_state, found.latency_s) == ('{"refunds": 1}', 0)


SSE = [
    b': comment\r\n\r\nevent: delta\r\ndata: {"delta": "Hel", "so',
    b'urces": ["one"]}\r\n\r\ndata:{"delta":\r\ndata: "lo"}\n\nid: 7\n\n',
    b'data: {"delta": null, "usage": {"in": 7}}\n\ndata: [DONE]\n\ndata: not JSON\n\n',
]


@pytest.mark.parametrize(
    ("stream", "pieces"),
    [
        ("sse", SSE),
        ("sse", [bytes([byte]) for byte in b"".join(SSE)]),
        ("sse", [b'data: {"delta": "Hello", "sources": ["one"], "usage": {"in": 7}}']),
        ("jsonl", [b'{"delta": "Hel", "sources": ["one"]}\n\n{"delta": "lo"}\n{"usage": {"in"', b": 7}}"]),
        ("jsonl", [b'{"delta": "Hello", "sources": ["one"], "usage": {"in": 7}}\r\n[DONE]\nnot JSON']),
    ],
)
def test_a_stream_is_joined(stream: str, pieces: list[bytes]) -> None:
    """Events come together whatever way they are cut, and nothing is read after the one that ends them."""
    answer = {"text": "$.delta", "contexts": "$.sources", "prompt_tokens": "$.usage.in"}
    found = play(lambda _: Says(pieces), stream=stream, answer=answer)
    assert (found.error, found.text, found.contexts, found.prompt_tokens) == ("", "Hello", ["one"], 7)


DEEP = b'{"answer": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
FAULTS = [
    (Says([b"<html>"]), "none", "malformed"),
    (Says([b""]), "none", "malformed"),
    (Says([DEEP]), "none", "malformed"),
    (Says([b'{"answer": NaN}']), "none", "malformed"),
    (Says([b'{"answer": 7}']), "none", "malformed"),
    (Says([b'{"other": "hi"}']), "none", "malformed"),
    (Says([b"data: not JSON\n\n"]), "sse", "malformed"),
    (Says([b"no event at all\n\n"]), "sse", "malformed"),
    (Says([b'data: {"answer": "x"}\n\n' * 5000], is_endless=True), "sse", "too-long"),
    (Says([b"{}\n" * 5000], is_endless=True), "jsonl", "too-long"),
    (Says([b"x" * 65536], is_endless=True), "none", "too-long"),
    (Says([b": ping\n\n"], is_endless=True, pause_s=0.05), "sse", "timeout"),
    (Says([b" "], pause_s=30), "none", "timeout"),
    (Says([b'{"ans'], headers={"Content-Length": "100"}), "none", "connection"),
    (says({}, 500), "none", "server"),
    (says({}, 503), "none", "server"),
    (says({}, 429, **{"x-should-retry": "false"}), "none", "rate-limit"),
    (says({}, 400), "none", "refused-request"),
    (says({}, 302, Location="http://127.0.0.1:9/"), "none", "refused-request"),
]


@pytest.mark.parametrize(("reply", "stream", "kind"), FAULTS)
def test_a_fault_is_a_row(reply: Says, stream: str, kind: str) -> None:
    """Whatever the product sends, or never stops sending, ends in time as one typed row."""
    limits = LIMITS.model_copy(update={"deadline_s": 0.5 if kind == "timeout" else 10, "max_retries": 0})
    found = play(lambda _: reply, stream=stream, max_bytes=1_000_000, limits=limits)
    assert (found.status, found.error_kind) == ("error", kind)
    assert 0 < len(found.error) < 600
    assert found.error.encode()


@pytest.mark.parametrize("body", [b'{"answer": ""}', b'{"answer": null}'])
def test_an_empty_text_is_an_answer(body: bytes) -> None:
    """A product that says nothing where its answer is looked for has answered nothing; elsewhere nobody knows."""
    found = play(lambda _: Says([body]))
    assert (found.status, found.error_kind, found.text, found.is_silent) == ("ok", "", "", True)


def test_hostile_texts_can_be_written() -> None:
    """A megabyte, control characters and half characters come through, and what no file can hold is replaced."""
    text = "\x00 {0} %s <b>" + "x" * 1_000_000
    body = json.dumps({"answer": text}).encode()[:-2] + b' \\ud83d"}'
    found = play(lambda _: Says([body]), case(1, turns=["y" * 1_000_000]))
    assert found.text == f"{text} \ufffd"
    assert found.model_dump_json().encode()


@pytest.mark.parametrize(("status", "repeatable", "asked"), [(500, False, 1), (500, True, 3), (429, False, 4)])
def test_a_request_is_repeated_only_where_that_is_harmless(status: int, repeatable: bool, asked: int) -> None:  # noqa: FBT001 - the table's column
    """A refund for real is asked once; what was certainly not processed, or is declared harmless, again."""
    seen: list[Asked] = []

    def script(one: Asked) -> Says:
        seen.append(one)
        return says({}, status, **{"Retry-After": "0"}) if len(seen) < 4 else says({"answer": "done"})

    found = play(script, repeatable=repeatable)
    assert found.status == ("ok" if asked == 4 else "error")
    assert len(seen) == asked


@pytest.mark.parametrize(("status", "text"), [(401, "refused the request"), (403, "refused"), (404, "does not know")])
def test_what_fails_alike_for_every_case_ends_the_run(status: int, text: str) -> None:
    """A wrong key or address is told once, without the key, instead of in every row."""
    with pytest.raises(EndpointError, match=text) as caught:
        play(
            lambda one: says({"you sent": one.headers["x-key"]}, status),
            environ={"SUPPORT_KEY": "sk-cleo"},
            headers={"X-Key": "${SUPPORT_KEY}"},
        )
    assert "sk-cleo" not in str(caught.value)


def test_nobody_there_ends_the_run() -> None:
    """An address at which nobody listens is told at the first case."""
    with pytest.raises(EndpointError, match="cannot be reached"):
        play(lambda _: says({}), url="http://127.0.0.1:9/ask")


@pytest.mark.parametrize("environ", [{}, {"SUPPORT_KEY": ""}, {"SUPPORT_KEY": "a\r\nX: y"}])
def test_a_secret_that_cannot_be_sent_is_refused(environ: dict[str, str]) -> None:
    """A variable that is unset, or holds what would become another header, is named before anything is asked."""
    with pytest.raises(ConfigError, match="SUPPORT_KEY"):
        play(lambda _: says({"answer": "hi"}), environ=environ, headers={"X-Key": "${SUPPORT_KEY}"})


def versioned(version: Says) -> Script:
    """Return a script that answers the probe with this reply, and any question."""
    return lambda asked: version if asked.line.startswith("GET /version ") else says({"answer": "hi"})


def test_the_version_is_asked_for() -> None:
    """The product's own word for its version is in the fingerprint, and another version is another target."""
    first, second = (
        play(versioned(says({"build": {"id": name}})), version={"path": "/version", "find": "$.build.id"})
        for name in ("2.1", "2.2")
    )
    assert first.target.startswith("support@2.1-")
    assert second.target.startswith("support@2.2-")
    assert first.target[-8:] != second.target[-8:]
    plain = play(versioned(Says([b" 2.1\n"])), version={"path": "/version", "find": ""})
    assert plain.target.startswith("support@2.1-")


@pytest.mark.parametrize(
    "reply",
    [
        says({}, 404),
        says({}),
        says({"version": ""}),
        says({"version": {"a": 1}}),
        says({"version": "x" * 99}),
        Says([b"<"]),
    ],
)
def test_a_version_that_is_not_told_ends_the_run(reply: Says) -> None:
    """Without the version that was asked for nobody could say what was evaluated."""
    with pytest.raises(EndpointError, match="told no version"):
        play(versioned(reply), version={"path": "/version"}, limits=LIMITS.model_copy(update={"max_retries": 0}))


def test_secrets_and_ports_are_in_no_fingerprint() -> None:
    """The same product on another port, asked with another key, is the same target; another request is another."""
    settings: dict[str, Any] = {"headers": {"X-Key": "${SUPPORT_KEY}"}}
    script: Script = lambda _: says({"answer": "hi"})  # noqa: E731 - one word for three plays
    one = play(script, environ={"SUPPORT_KEY": "a"}, **settings).target
    assert play(script, environ={"SUPPORT_KEY": "a"}, body={"q": "{{turn}}"}, **settings).target != one


def test_tokens_are_paid_for() -> None:
    """What the product says it used counts on the call's meter, at the declared price."""
    meter = Meter()
    limits = LIMITS.model_copy(update={"price": Price(prompt_usd_per_million=1.0, completion_usd_per_million=2.0)})
    found = play(
        lambda _: says({"answer": "hi", "in": 1_000_000, "out": 500_000}),
        limits=limits,
        meter=meter,
        answer={**ANSWER, "prompt_tokens": "$.in", "completion_tokens": "$.out"},
    )
    assert found.cost_usd == 2.0
    assert (meter.requests, meter.cost_usd) == (1, 2.0)
