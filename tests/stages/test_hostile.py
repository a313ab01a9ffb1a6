"""Whatever a case, a product or a judge holds or does: bounded in time, one typed row, and the others have answers."""

import gzip
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from assay.commands import exchange
from assay.errors import AssayError
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case, Expectation, ToolCall
from assay.stages import execute, judge, review
from tests.cast import Project, case, decision
from tests.endpoint import completion, tool_call
from tests.targets.raw_product import Asked, Says, listening, says

MEGABYTE = "x" * 1_000_000
HALF = "half \ud83d"
DEEP = "[" * 100_000
BOMB = gzip.compress(b" " * 100_000_000)
RAW_HALF = b"half \xed\xa0\xbd"
CATASTROPHE = "^(a+)+$"
"""A backtracking matcher takes longer than the universe for an answer of forty a and one b."""
BOUND_S = 90
EXPECTATIONS = [
    Expectation(check="regex", values=[CATASTROPHE]),
    Expectation(check="json-schema", values=[json.dumps({"type": "string", "pattern": CATASTROPHE})]),
    Expectation(check="not-is-json"),
    Expectation(check="icontains-any", values=["14 days"]),
    Expectation(check="tool-call", calls=[ToolCall(name="refund", arguments='{"order": 1}')]),
]
LATE = {"too-long", "timeout"}
"""Which bound is met first depends on the machine."""
Expected = Mapping[str, set[str]]
"""What a case that begins with this word may come to: kinds of errors, empty for an answer."""


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Let a run that hangs fail its test."""

    def hang(*_: object) -> None:
        raise TimeoutError(f"the run is not over after {BOUND_S} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(BOUND_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def said(content: Any, **message: Any) -> Says:
    """Return a chat completion."""
    return Says([completion(content, **message).body])


GOOD = said("Yes, within 14 days.")
PASS = said('{"verdict": "pass"}')
CHAT: dict[str, Says] = {
    "plain": GOOD,
    "megabyte": said(MEGABYTE),
    "half": said(HALF),
    "raw-half": Says([b'{"choices": [{"message": {"content": "%s"}}]}' % RAW_HALF]),
    "half-refusal": says({"error": {"message": HALF}}, 400),
    "raw-half-refusal": Says([b'{"error": {"message": "%s"}}' % RAW_HALF], 500),
    "nul": said("a\x00\u202e b"),
    "deep": said(DEEP),
    "deep-body": Says([DEEP.encode()]),
    "deep-arguments": said("", tool_calls=[tool_call("refund", '{"order": ' + DEEP)]),
    "half-arguments": said("", tool_calls=[tool_call(HALF, HALF)]),
    "catastrophe": said("a" * 40 + "b"),
    "catastrophe-json": said(json.dumps("a" * 40 + "b")),
    "endless": Says([b" " * 65536], is_endless=True),
    "drip": Says([b" "], pause_s=0.05, is_endless=True),
    "silent": Says([b" "], pause_s=60),
    "bomb": Says([BOMB], headers={"Content-Encoding": "gzip", "Content-Length": str(len(BOMB))}),
    "announced": Says([b"{}"], headers={"Content-Length": "99999999999"}),
    "digits": Says([b'{"choices": [{"message": {"content": "hi"}}], "created": ' + b"9" * 5000 + b"}"]),
    "tokens": says(json.loads(completion("hi").body) | {"usage": {"prompt_tokens": 10**30}}),
    "forever": says({}, 429, **{"Retry-After": "1000000000"}),
}
CHAT_ENDS_AS: Expected = {
    "half-refusal": {"refused-request"},
    "raw-half-refusal": {"server"},
    "raw-half": {"", "malformed"},
    "deep-body": {"malformed"},
    "deep-arguments": {"", "crash"},
    "half-arguments": {"", "crash"},
    "endless": LATE,
    "bomb": LATE,
    "drip": {"timeout"},
    "silent": {"timeout"},
    "announced": {"too-long"},
    "digits": {"malformed"},
    "tokens": {"malformed"},
    "forever": {"rate-limit"},
}


def cases(names: list[str]) -> list[Case]:
    """Return one case for each word, its turn a megabyte long, and a plain one beside each."""
    words = [word for name in names for word in (name, "plain")]
    turns = [f"{word} {MEGABYTE if word == 'plain' else 'question'}" for word in words]
    return [case(number, turns=[turn], expectations=EXPECTATIONS) for number, turn in enumerate(turns)]


def first_word(text: str) -> str:
    """Return the word that says what a case is about."""
    return text.partition(" ")[0]


def chat(asked: Asked) -> Says:
    """Answer as the turn says, or as a fair judge; after a tool's result, well."""
    if b'"response_format"' in asked.body:
        return PASS
    last = asked.json()["messages"][-1]
    return CHAT[first_word(last["content"])] if last["role"] == "user" else GOOD


@pytest.fixture
def nightly(project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run execute and judge on hostile cases against a target, and look whether each came to what it may come to."""
    LABELS.file().unlink()
    ITEMS.file().unlink()
    BASELINE.file().unlink()

    def run(names: list[str], target: dict[str, Any], judge_url: str, ends_as: Expected) -> None:
        written = cases(names)
        CASES.write(written)
        bounds = {"concurrency": 8, "deadline_s": 3, "max_retries": 1}
        project.params("execute", target=target, **bounds)
        project.params("judge", **bounds)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{judge_url}/v1")
        execute.run(now)
        judge.run(now)
        agree(written, ends_as)

    return run


def agree(written: list[Case], ends_as: Expected) -> None:
    """Hold the tables against what each case may come to."""
    rows = RESPONSES.read()
    assert [row.case_id for row in rows] == [one.case_id for one in written]
    ended = [(first_word(one.turns[0]), row.error_kind) for one, row in zip(written, rows, strict=True)]
    assert [(word, kind) for word, kind in ended if kind not in ends_as.get(word, {""})] == []
    verdicts = VERDICTS.read()
    answered = {row.case_id for row in rows if row.status == "ok"}
    judged = {one.item_id for one in verdicts if one.scorer == "correctness" and one.outcome == "pass"}
    assert judged == answered
    assert len(verdicts) == len(written) * len(EXPECTATIONS) + len(answered)
    assert all(len(one.detail) <= 1000 for one in verdicts)
    lost = {one.item_id for one in verdicts if one.outcome == "unscored" and one.detail.startswith("no response")}
    assert lost == {row.case_id for row in rows} - answered


def test_a_chat_product_may_say_anything(nightly: Callable[..., None]) -> None:
    """A megabyte, half characters, deep JSON, endless bodies, bombs and absurd counts are one row each."""
    with listening(chat) as url:
        target = {"name": "s", "model": "m", "base_url": f"{url}/v1", "environment": "examples.support.environment"}
        nightly(list(CHAT), target, url, CHAT_ENDS_AS)


HTTP: dict[str, Says] = {
    "plain": Says([b'data: {"text": "Yes, "}\n\n', b'data: {"text": "within 14 days."}\n\n']),
    "megabyte": Says([b'data: {"text": "%s"}\n\n' % MEGABYTE.encode()]),
    "half": Says([b'data: {"text": "half \\ud83d"}\n\n']),
    "raw-half": Says([b'data: {"text": "%s"}\n\n' % RAW_HALF]),
    "half-refusal": Says([RAW_HALF], 400),
    "deep": Says([b'data: {"text": "%s"}\n\n' % DEEP.encode()]),
    "deep-event": Says([b"data: %s\n\n" % DEEP.encode()]),
    "deep-arguments": Says(
        [b'data: {"text": "", "calls": [{"name": "refund", "arguments": "%s"}]}\n\n' % DEEP.encode()]
    ),
    "catastrophe": Says([b'data: {"text": "%sb"}\n\n' % (b"a" * 40)]),
    "endless": Says([b'data: {"text": "on and on"}\n\n' * 1000], is_endless=True),
    "endless-line": Says([b"data: " + b"x" * 65536], is_endless=True),
    "drip": Says([b": ping\n\n"], pause_s=0.05, is_endless=True),
    "tokens": Says([b'data: {"text": "hi", "used": 1%s}\n\n' % (b"0" * 30)]),
}
HTTP_ENDS_AS: Expected = {
    "raw-half": {"malformed"},
    "half-refusal": {"refused-request"},
    "deep-event": {"malformed"},
    "endless": LATE,
    "endless-line": LATE,
    "drip": {"timeout"},
    "tokens": {"malformed"},
}


def stream(asked: Asked) -> Says:
    """Answer as the turn says, or as a fair judge."""
    return PASS if b'"response_format"' in asked.body else HTTP[first_word(asked.json()["q"])]


def test_a_stream_may_go_on_for_ever(nightly: Callable[..., None]) -> None:
    """A product of its own shape may stream anything, for ever or drop by drop: each case is one row."""
    answer = {"text": "$.text", "tool_calls": "$.calls[*]", "prompt_tokens": "$.used"}
    asked = {"body": {"q": "{{turn}}"}, "stream": "sse", "answer": answer, "max_bytes": 2_000_000}
    with listening(stream) as url:
        nightly(list(HTTP), {"kind": "http", "name": "s", "url": f"{url}/ask", **asked}, url, HTTP_ENDS_AS)


FUNCTION = """
import os, signal, sys, time

def answer(messages):
    word = messages[-1]["content"].partition(" ")[0]
    return ACTIONS[word]()

def deep():
    found = []
    for _ in range(100_000):
        found = [found]
    return {"text": "hi", "final_state": found}

def recurse():
    return recurse()

def fail(text):
    raise ValueError(text)

ACTIONS = {
    "plain": lambda: "Yes, within 14 days.",
    "megabyte": lambda: "x" * 1_000_000,
    "half": lambda: "half \\ud83d",
    "half-error": lambda: fail("half \\ud83d"),
    "deep": lambda: "[" * 100_000,
    "deep-state": deep,
    "deep-arguments": lambda: {"tool_calls": [{"name": "refund", "arguments": "[" * 100_000}]},
    "recursion": recurse,
    "block": lambda: time.sleep(600),
    "exit": lambda: os._exit(3),
    "system-exit": lambda: sys.exit(4),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "tokens": lambda: {"text": "hi", "usage": {"prompt_tokens": 10**30}},
    "endless": lambda: "x" * 3_000_000,
}
"""
PYTHON_ENDS_AS: Expected = {
    "half-error": {"crash"},
    "recursion": {"crash"},
    "exit": {"crash"},
    "system-exit": {"crash"},
    "kill": {"crash"},
    "deep-state": {"malformed"},
    "tokens": {"malformed"},
    "block": {"timeout"},
    "endless": {"too-long"},
}


def test_a_function_may_block_or_end_its_process(
    nightly: Callable[..., None], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A callable that blocks, exits, kills itself, raises or returns garbage costs its own case alone."""
    (project.folder / "hostile_product.py").write_text(FUNCTION)
    monkeypatch.setenv("PYTHONPATH", str(project.folder))
    names = ["megabyte", "half", "deep", "deep-arguments", *PYTHON_ENDS_AS]
    target = {"kind": "python", "name": "s", "function": "hostile_product:answer", "max_bytes": 2_000_000}
    with listening(chat) as url:
        nightly(names, target, url, PYTHON_ENDS_AS)


RECORDED = {"megabyte": MEGABYTE, "half": HALF, "deep": DEEP, "catastrophe": "a" * 40 + "b", "nul": "a\x00"}


def test_recorded_answers_may_hold_anything(nightly: Callable[..., None], project: Project) -> None:
    """Recorded texts of any kind are answers; a case without one is a row."""
    names = [*RECORDED, "missing"]
    texts = {one.case_id: first_word(one.turns[0]) for one in cases(names)}
    known = RECORDED | {"plain": "Yes, within 14 days."}
    lines = [json.dumps({"case_id": name, "text": known[word]}) for name, word in texts.items() if word in known]
    (project.folder / "answers.jsonl").write_text("\n".join(lines))
    with listening(chat) as url:
        target = {"kind": "recorded", "name": "s", "path": "answers.jsonl"}
        nightly(names, target, url, {"missing": {"empty"}})


def test_a_judge_may_say_anything(project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a judge says that is no verdict leaves that answer unscored, and the others are judged."""
    names = [name for name in CHAT if name != "plain"]
    written = [case(number, turns=[f"{word} turn"]) for number, word in enumerate([*names, "fair"])]
    LABELS.file().unlink()
    ITEMS.file().unlink()
    BASELINE.file().unlink()
    CASES.write(written)
    answers = [{"case_id": one.case_id, "text": f"<<{first_word(one.turns[0])}>> 14 days"} for one in written]
    (project.folder / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))

    def script(asked: Asked) -> Says:
        shown = asked.json()["messages"][-1]["content"]
        return CHAT[shown.partition("<<")[2].partition(">>")[0]] if "<<" in shown and "<<fair" not in shown else PASS

    project.params("execute", target={"kind": "recorded", "name": "s", "path": "answers.jsonl"})
    project.params("judge", concurrency=8, deadline_s=3, max_retries=1)
    with listening(script) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        execute.run(now)
        judge.run(now)
    found = {one.item_id: one for one in VERDICTS.read() if one.scorer == "correctness"}
    assert len(found) == len(written)
    for one in written:
        verdict = found[one.case_id]
        assert verdict.outcome == ("pass" if "fair" in one.turns[0] else "unscored")
        assert verdict.outcome == "pass" or 0 < len(verdict.detail) < 1000


@pytest.mark.parametrize("field", ["turns", "reference"])
def test_half_a_character_is_in_no_case(project: Project, now: datetime, field: str) -> None:
    """A case with a lone surrogate is refused where it comes in, in a sentence that can be printed."""
    fields = case(9).model_dump(mode="json")
    fields[field] = [HALF] if field == "turns" else HALF
    written = project.folder / "cases.yaml"
    written.write_text(json.dumps([fields]))
    before = project.files()
    with pytest.raises(AssayError) as refused:
        exchange.take(written, exchange.WRITTEN, exchange.filling("", "unit", ""), "ada", now)
    assert b"cases.yaml" in str(refused.value).encode()
    assert "cases.yaml" in str(refused.value)
    assert project.files() == before
    log = DECISIONS.file()
    row = decision(case(9)).model_dump(mode="json") | {"case": fields}
    log.write_text(log.read_text() + json.dumps(row) + "\n")
    with pytest.raises(AssayError, match="row 7") as refused:
        review.run()
    assert str(refused.value).encode()


@pytest.mark.parametrize(
    ("check", "value"),
    [
        ("regex", "(?:a{1000}){1000}"),
        ("regex", r"(a)\1"),
        ("regex", "("),
        ("regex", HALF.encode("utf-8", "replace").decode() + "("),
        ("json-schema", '{"pattern": "(?:a{1000}){1000}"}'),
        ("json-schema", DEEP),
        ("json-schema", '{"$ref": "http://127.0.0.1:9/schema"}'),
    ],
)
def test_a_check_without_bounds_is_refused(project: Project, now: datetime, check: str, value: str) -> None:
    """A pattern or schema that would take for ever, or lead elsewhere, is admitted by nobody."""
    fields = case(9, expectations=[Expectation(check=check, values=[value])]).model_dump(mode="json")
    written = project.folder / "cases.yaml"
    written.write_text(json.dumps([fields]))
    before = project.files()
    with pytest.raises(AssayError, match=check):
        exchange.take(written, exchange.WRITTEN, exchange.filling("", "unit", ""), "ada", now)
    assert project.files() == before
