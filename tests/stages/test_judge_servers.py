"""Servers that differ: each judge may ask another provider, in its manner, with its key and nobody else's."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.errors import ConfigError, EndpointError
from assay.judges.prompt import load, load_all
from assay.models.chat import Endpoint
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.verdict import Verdict
from assay.stages import judge, judge_clients, review
from tests.cast import Project, case, item, response
from tests.endpoint import DROP, Body, Reply, Served, as_json, completion, failure, serving

KEYS = {"OPENAI_API_KEY": "sk-common-0123456789abcdef", "OWN_KEY": "sk-own-abcdef0123456789"}
OTHER_KEY = "sk-other-9876543210abcdef"
Judged = Callable[..., list[Verdict]]


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The common endpoint, which the judges without one of their own are asked of."""
    with serving(lambda _: says()) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        yield served


@pytest.fixture
def judged(project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch, common: Served) -> Judged:
    """Judge one labelled answer by the judge correctness, whose declaration says this of its model."""
    review.run()
    LABELS.file().unlink()
    BASELINE.file().unlink()
    ITEMS.write([item(1, "Gift cards never expire.")])
    RESPONSES.write([response(case(1), "Yes.")])
    project.params("judge", max_retries=0, ask_again=0)

    def run(model: dict[str, Any], environ: dict[str, str] | None = None, **declared: Any) -> list[Verdict]:
        for name, value in (KEYS if environ is None else environ).items():
            monkeypatch.setenv(name, value)
        declare(model, **declared)
        judge.run(now)
        return [one for one in VERDICTS.read() if one.scorer == "correctness"]

    return run


def declare(model: dict[str, Any], name: str = "correctness", **declared: Any) -> None:
    """Change the declaration of a judge."""
    file = Path("data/judges") / name / "judge.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"model": model} | declared))


def says(verdict: str = "pass", **more: Any) -> Reply:
    """Return a legal reply with a reason."""
    return completion(json.dumps({"rationale": "It says so.", "verdict": verdict}), **more)


def kept() -> bytes:
    """Return all bytes that the project keeps."""
    files = [file for file in Path().rglob("*") if file.is_file()]
    return b"".join(file.read_bytes() for file in files)


def sent(served: Served) -> str:
    """Return all that a server was sent."""
    return json.dumps([served.heads, served.asked])


def test_a_missing_variable_refuses_before_the_first_request(judged: Judged) -> None:
    """One sentence that names file and variable, and nobody is asked anything."""
    with serving(lambda _: says()) as own, pytest.raises(ConfigError, match="correctness/judge.yaml.*NOBODY_SET_THIS"):
        judged({"base_url": own.url, "api_key_env": "NOBODY_SET_THIS"})
    assert own.asked == []
    with serving(lambda _: says()) as own, pytest.raises(ConfigError, match="NOBODY_SET_THAT"):
        judged({"base_url": own.url, "headers": {"api-key": "$NOBODY_SET_THAT"}})
    assert own.asked == []


@pytest.mark.parametrize(
    "model",
    [
        {"api_key_env": "KEY"},
        {"headers": {"a": "b"}},
        {"query": {"a": "b"}},
        {"api": "decision"},
        {"base_url": "ftp://x"},
        {"base_url": "https://x/v1?api-version=1"},
        {"base_url": "https://x/v1", "headers": {"a\nb": "c"}},
        {"base_url": "https://x/v1", "api": "talk"},
        {"parameters": {"messages": []}},
        {"parameters": {"logprobs": True}},
        {"temperature": 3},
        {"structured": "xml"},
    ],
)
def test_a_model_that_cannot_be_asked_is_refused(project: Project, model: dict[str, Any]) -> None:
    """Settings without an endpoint, an address with a query and parameters of the request itself are no declaration."""
    declare(model)
    with pytest.raises(ConfigError, match="correctness/judge.yaml"):
        load("correctness")


def test_azure(judged: Judged) -> None:
    """The deployment in the address, `api-version` in the query, the key in its header and no bearer."""
    model = {
        "base_url": "",
        "hosted": "gpt-4.1",
        "query": {"api-version": "2024-10-21"},
        "headers": {"api-key": "$OWN_KEY"},
    }
    with serving(lambda _: says(model="gpt-4.1-2025-04-14")) as azure:
        found = judged(model | {"base_url": azure.url.replace("/v1", "/openai/deployments/judge-eu")})
    assert {one.status for one in found} == {"ok"}
    assert {path for path, _ in azure.heads} == {"/openai/deployments/judge-eu/chat/completions?api-version=2024-10-21"}
    assert all(head["api-key"] == KEYS["OWN_KEY"] and "authorization" not in head for _, head in azure.heads)
    assert KEYS["OPENAI_API_KEY"] not in sent(azure)


def vllm(body: Body) -> Reply:
    """Answer as vLLM does: no `refusal`, a `stop_reason`, errors at the top; guided decoding and no `json_schema`."""
    if body.get("response_format", {}).get("type") == "json_schema":
        text = "response_format json_schema is not available"
        return as_json({"object": "error", "message": text, "type": "BadRequestError", "param": None, "code": 400}, 400)
    message = {"role": "assistant", "content": '{"rationale": "So.", "verdict": "fail"}', "reasoning_content": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
    return as_json({"id": "c", "model": "qwen", "choices": [choice], "usage": {"prompt_tokens": 1}})


def test_vllm(judged: Judged) -> None:
    """A refused form of reply names the setting; with it and guided decoding as a parameter the server judges."""
    with serving(vllm) as served:
        with pytest.raises(EndpointError, match="structured: json-object"):
            judged({"base_url": served.url, "hosted": "qwen"})
        guided = {"guided_json": {"type": "object"}, "max_tokens": 300}
        found = judged({"base_url": served.url, "hosted": "qwen", "structured": "json-object", "parameters": guided})
    assert {(one.status, one.outcome, one.rationale) for one in found} == {("ok", "fail", "So.")}
    assert served.asked[-1]["guided_json"] == {"type": "object"}
    assert served.asked[-1]["response_format"] == {"type": "json_object"}
    assert served.heads[-1][1]["authorization"] == "Bearer none"


def test_anthropic(judged: Judged) -> None:
    """No log-probabilities, no form of reply, an end by another name, a header of its own: verdicts all the same."""
    text = 'Here is my verdict:\n```json\n{"rationale": "On 2023-06-01 it said so.", "verdict": "pass"}\n```'

    def script(_: Body) -> Reply:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "end_turn"}
        return as_json({"model": "claude", "choices": [choice], "usage": None})

    with serving(script) as served:
        model = {"base_url": served.url, "api_key_env": "OWN_KEY", "headers": {"anthropic-version": "2023-06-01"}}
        found = judged(model)
    assert {(one.status, one.rationale, one.score) for one in found} == {("ok", "On 2023-06-01 it said so.", None)}
    assert served.heads[-1][1]["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize(
    ("word", "setting", "absent"),
    [
        ("response_format", {"structured": "none"}, "response_format"),
        ("logprobs", {"log_probabilities": False}, "top_logprobs"),
        ("temperature", {"temperature": None}, "temperature"),
    ],
)
def test_a_server_that_can_do_less(judged: Judged, word: str, setting: dict[str, Any], absent: str) -> None:
    """What a server refuses is left out by one setting of the judge, which the refusal names."""

    def script(body: Body) -> Reply:
        return failure(400, f"unknown parameter {word}") if word in body else says()

    with serving(script) as served:
        with pytest.raises(EndpointError, match=next(iter(setting))):
            judged({"base_url": served.url})
        usual = judged({"base_url": served.url} | setting)
    assert {one.status for one in usual} == {"ok"}
    assert absent not in served.asked[-1]


def test_parameters_make_another_judge(judged: Judged) -> None:
    """Another parameter, temperature or form of reply is another fingerprint, and asks anew."""
    with serving(lambda _: says()) as served:
        settings: list[dict[str, Any]] = [
            {},
            {"parameters": {"max_tokens": 300}},
            {"parameters": {"max_tokens": 400}},
            {"temperature": 1},
            {"structured": "none"},
            {"log_probabilities": False},
        ]
        counts, prints = [], []
        for one in [*settings, {}]:
            before = len(served.asked)
            prints.append({verdict.fingerprint for verdict in judged({"base_url": served.url} | one)})
            counts.append(len(served.asked) - before)
    assert len({str(found) for found in prints}) == len(settings)
    assert prints[0] == prints[-1]
    assert counts[-1] == 0
    assert min(counts[1:-1]) >= 2


def test_a_judge_elsewhere_is_asked_elsewhere(judged: Judged) -> None:
    """The same model at another address, or by another query, is asked again."""
    with serving(lambda _: says()) as first, serving(lambda _: says()) as second:
        judged({"base_url": first.url, "hosted": "m"})
        judged({"base_url": second.url, "hosted": "m"})
        asked = len(second.asked)
        judged({"base_url": second.url, "hosted": "m", "query": {"deployment": "b"}})
    assert len(first.asked) == asked
    assert len(second.asked) > asked


def copies(name: str, model: dict[str, Any]) -> None:
    """Make a second judge of the same rubric, by another model."""
    folder = Path("data/judges") / name
    folder.mkdir()
    for file in ("rubric.md", "judge.yaml"):
        (folder / file).write_text((Path("data/judges/correctness") / file).read_text())
    declare(model, name)


def test_neither_server_sees_the_others_key(
    judged: Judged, common: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two judges, two servers and the common one: each gets its own key, and no file, message or log has any."""
    monkeypatch.setenv("OTHER_KEY", OTHER_KEY)
    echo = f"The key is {OTHER_KEY}."
    with (
        serving(lambda _: says(note=KEYS["OWN_KEY"])) as own,
        serving(lambda _: failure(400, echo)) as other,
        caplog.at_level(logging.DEBUG),
    ):
        copies("tone", {"base_url": other.url, "api_key_env": "OTHER_KEY"})
        with pytest.raises(EndpointError) as raised:
            judged({"base_url": own.url, "api_key_env": "OWN_KEY"})
        Path("data/judges/tone/judge.yaml").unlink()
        found = judged({"base_url": own.url, "api_key_env": "OWN_KEY"})
    assert {one.status for one in found} == {"ok"}
    seen = {"own": sent(own), "other": sent(other), "common": sent(common)}
    keys = {"own": KEYS["OWN_KEY"], "other": OTHER_KEY, "common": KEYS["OPENAI_API_KEY"]}
    for server, text in seen.items():
        assert [name for name, key in keys.items() if key in text] in ([server], [])
    assert keys["own"] in seen["own"]
    assert keys["other"] in seen["other"]
    told = f"{raised.value} {caplog.text}".encode() + kept()
    assert [name for name, key in keys.items() if key.encode() in told] == []


def test_a_member_of_a_panel_has_a_server_of_its_own(judged: Judged) -> None:
    """A panel may sit at two providers; the majority counts as ever."""
    with serving(lambda _: says()) as first, serving(lambda _: says("fail")) as second:
        panel = [{"base_url": second.url, "api_key_env": "OWN_KEY", "hosted": name} for name in ("x", "y")]
        found = judged({"base_url": first.url, "hosted": "m"}, panel=panel)
    assert {tuple(one.votes) for one in found} == {("pass", "fail", "fail")}
    assert KEYS["OWN_KEY"] not in sent(first)


def decided(answer: dict[str, Any]) -> Callable[[Body], Reply]:
    """Answer every question of a decision with this."""
    return lambda body: as_json({"model": "jev-1.13", "answers": dict.fromkeys(body["questions"], answer)})


def test_a_decision_model_judges(judged: Judged) -> None:
    """Pass or fail by probability: a verdict with a score and no reason, kept like any, asked once."""
    with serving(decided({"type": "noul", "noul": 0.2})) as served:
        model = {"base_url": served.url, "api": "decision", "hosted": "jev-1", "api_key_env": "OWN_KEY"}
        found = judged(model)
        asked = len(served.asked)
        assert judged(model) == found
    assert {(one.outcome, one.rationale, one.status) for one in found} == {("fail", "", "ok")}
    assert [one.score for one in found] == pytest.approx([0.2] * len(found))
    assert len(served.asked) == asked
    question = served.asked[-1]["questions"]["verdict"]
    assert load("correctness").rubric in question["instructions"]
    assert "<response>\n" in served.asked[-1]["state"]
    assert {path for path, _ in served.heads} == {"/v1/systemone"}


def test_a_decision_model_that_drops_the_last_calls_ends_no_night(project: Project, judged: Judged) -> None:
    """A night that goes on asks what the decision model answered before whether it is there, in the model's own way."""

    def script(body: Body) -> Reply:
        return decided({"type": "noul", "noul": 1.0})(body) if "Is this a probe?" in str(body) else DROP

    project.params("judge", patience_s=8)
    with serving(script) as served:
        model = {"base_url": served.url, "api": "decision", "hosted": "jev-1"}
        judged(model)
        served.asked.clear()
        found = judged(model)
    assert {(one.outcome, one.status) for one in found} == {("unscored", "error")}
    assert any("Is this a probe?" in str(body) for body in served.asked)


@pytest.mark.parametrize(
    ("declared", "answer", "label", "outcome"),
    [
        (
            {"question": "labels", "labels": ["rude", "kind"], "passing_labels": ["kind"]},
            {"type": "choice", "choice": "kind", "probabilities": {"rude": 0.1, "kind": 0.9}},
            "kind",
            "pass",
        ),
        (
            {"question": "score", "range": [1, 5], "pass_threshold": 4},
            {"type": "score", "probabilities": {"0": 0.0, "1": 0.1, "2": 0.6, "3": 0.2, "4": 0.1}},
            "3",
            "fail",
        ),
    ],
)
def test_a_decision_model_gives_labels_and_scores(
    judged: Judged, declared: dict[str, Any], answer: dict[str, Any], label: str, outcome: str
) -> None:
    """A choice among labels, a level of a scale: the likeliest is the verdict on the judge's own scale."""

    def script(body: Body) -> Reply:
        is_probe = body["questions"]["verdict"]["type"] == "noul"
        return decided({"type": "noul", "noul": 1.0} if is_probe else answer)(body)

    with serving(script) as served:
        ITEMS.file().unlink()
        found = judged({"base_url": served.url, "api": "decision", "hosted": "jev-1"}, **declared)
    assert {(one.label, one.outcome) for one in found} == {(label, outcome)}


def test_a_decision_model_compares_pairs(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch, common: Served
) -> None:
    """Both orders are asked, and the probability is P(A) with half of a tie, over both."""
    review.run()
    LABELS.file().unlink()
    ITEMS.file().unlink()
    BASELINE.write([response(case(1), "No, never.", target="support@1")])
    RESPONSES.write([response(case(1), "Yes.")])
    monkeypatch.setenv("OPENAI_API_KEY", KEYS["OPENAI_API_KEY"])

    def script(body: Body) -> Reply:
        if body["questions"]["verdict"]["type"] == "noul":
            return decided({"type": "noul", "noul": 1.0})(body)
        is_first = body["state"].index("Yes.") < body["state"].index("No, never.")
        masses = {"A": 0.8, "B": 0.1, "tie": 0.1} if is_first else {"A": 0.2, "B": 0.6, "tie": 0.2}
        return decided({"type": "choice", "probabilities": masses})(body)

    with serving(script) as served:
        declare({"base_url": served.url, "api": "decision", "hosted": "jev-1"}, "preference")
        judge.run(now)
    assert "jev-1" not in sent(common)
    (pair,) = [one for one in VERDICTS.read() if one.subject == "pair"]
    assert (pair.outcome, pair.as_is, pair.swapped) == ("a", "a", "a")
    assert pair.score == pytest.approx((0.85 + 1 - 0.3) / 2)


@pytest.mark.parametrize(
    "declared",
    [
        {"examples": "examples.jsonl"},
        {"question": "score", "range": [0, 10], "pass_threshold": 7},
    ],
)
def test_what_a_decision_model_cannot_do_is_refused(project: Project, declared: dict[str, Any]) -> None:
    """Examples it would not be shown, and more levels than it tells apart, are no declaration."""
    declare({"base_url": "https://x/v1", "api": "decision"}, **declared)
    with pytest.raises(ConfigError, match="decision model"):
        load("correctness")


def test_the_common_settings_hold_where_a_judge_says_nothing(project: Project) -> None:
    """A judge without a model of its own is asked of the common endpoint, with the common key."""
    common = Endpoint(base_url="https://common/v1", model="m", api_key="key")
    members: Sequence[Any] = judge_clients.members(judge_clients.Settings(), load_all()[0], common, os.environ)
    assert [(endpoint.base_url, endpoint.api_key, asked.base_url) for endpoint, asked in members] == [
        ("https://common/v1", "key", "")
    ]
