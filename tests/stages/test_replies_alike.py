"""Replies that all fail alike: the run says so once, after ten, with the cause and the setting to change."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from assay.errors import EndpointError
from assay.judges.advice import ENOUGH
from assay.models.engine import Tally
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.stages import judge, review
from tests.cast import Project, item, response
from tests.cast import case as a_case
from tests.endpoint import Body, Reply, Script, as_json, completion, failure, serving

MANY = 1_000
Judged = Callable[..., Tally]


@pytest.fixture
def judged(project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Judged:
    """Judge so many labelled answers by an endpoint of its own."""
    review.run()
    LABELS.file().unlink()
    BASELINE.file().unlink()
    RESPONSES.write([response(a_case(1), "Yes.")])

    def run(script: Script, count: int = 2 * ENOUGH, **settings: Any) -> Tally:
        ITEMS.write([item(number, f"Gift card {number} never expires.") for number in range(count)])
        project.params("judge", max_retries=0, ask_again=0, **settings)
        with serving(script) as served:
            monkeypatch.setenv("OPENAI_BASE_URL", served.url)
            return judge.run(now)

    return run


def is_probe(body: Body) -> bool:
    """Tell whether a judge is only asked who it is."""
    return "Is this a probe?" in body["messages"][-1]["content"]


def cut(content: str, reason: str) -> Reply:
    """Return a reply that ended for another reason."""
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content}}
    return as_json({"model": "m", "choices": [choice]})


CAUSES: list[tuple[Reply, str]] = [
    (completion("Well, it depends."), "structured: json-object"),
    (completion("<think>Hm, it passes."), "structured: json-object"),
    (cut('{"rationale": "The resp', "length"), "max_tokens"),
    (cut("", "length"), "max_tokens"),
    (completion(None, refusal="I would rather not."), "another model"),
    (failure(400, "This model does not support response_format json_schema."), "structured: json-object"),
    (failure(400, "logprobs is not supported with this model"), "log_probabilities: false"),
    (failure(400, "Unsupported value: 'temperature' does not support 0"), "temperature: null"),
    (failure(400, "Use 'max_completion_tokens' instead."), "max_completion_tokens"),
    (failure(422, "no"), "parameters"),
]


@pytest.mark.parametrize(("reply", "setting"), CAUSES)
def test_ten_that_fail_alike_are_told_once(
    judged: Judged, caplog: pytest.LogCaptureFixture, reply: Reply, setting: str
) -> None:
    """One line on the log and in what the stage returns, with the setting; the other ten are asked all the same."""
    with caplog.at_level(logging.WARNING):
        tally = judged(lambda body: completion('{"verdict": "pass"}') if is_probe(body) else reply)
    (line,) = tally.notes
    assert setting in line
    assert "correctness" in line
    assert line.count("\n") == 0
    assert [record.getMessage() for record in caplog.records if record.name.endswith("judge_clients")] == [line]
    assert sum(one.outcome == "unscored" for one in VERDICTS.read() if one.subject == "anchor") == 2 * ENOUGH


def test_one_that_is_read_is_enough(judged: Judged) -> None:
    """A judge that loses nineteen of twenty, or fails in two ways, has no cause that one setting would take away."""
    seen: list[Body] = []

    def once(body: Body) -> Reply:
        seen.append(body)
        return completion('{"verdict": "pass"}' if len(seen) == 5 else "It depends.")

    assert judged(once).notes == []
    forms = iter(range(10_000))
    assert judged(lambda _: completion(("It depends.", '{"x": 1}')[next(forms) % 2])).notes == []


def test_less_than_ten_are_no_pattern(judged: Judged) -> None:
    """Nine unreadable replies and one response are told by their verdicts alone."""
    assert judged(lambda _: completion("It depends."), ENOUGH - 2).notes == []


def test_an_outage_is_no_fault_of_a_setting(judged: Judged) -> None:
    """What a server cannot do tonight is waited for or told elsewhere."""
    reply = completion('{"verdict": "pass"}')
    assert judged(lambda body: reply if is_probe(body) else failure(500, "logprobs"), ENOUGH + 1).notes == []


def test_a_probe_that_is_refused_names_the_setting(judged: Judged) -> None:
    """Where the first small question is refused, the one sentence that ends the run has the setting too."""
    with pytest.raises(EndpointError, match="log_probabilities: false"):
        judged(lambda _: failure(400, "logprobs is not supported with this model"))


def test_a_judge_that_fences_all_replies_loses_none(judged: Judged) -> None:
    """A thousand replies in fences, with reasons and thoughts: a thousand verdicts, and nothing to tell."""
    texts = (
        '```json\n{"rationale": "It says so.", "verdict": "pass"}\n```',
        '<think>Hm.</think>\n\n```json\n{"rationale": "It says so.", "verdict": "fail"}\n```',
    )
    count = iter(range(10 * MANY))
    tally = judged(lambda _: completion(texts[next(count) % 2]), MANY, concurrency=32)
    anchors = [one for one in VERDICTS.read() if one.subject == "anchor"]
    assert (len(anchors), {one.status for one in anchors}) == (MANY, {"ok"})
    assert {one.rationale for one in anchors} == {"It says so."}
    assert (tally.notes, tally.faults.total()) == ([], 0)
