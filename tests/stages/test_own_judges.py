"""Judges of one's own: made in a minute, without a reference, of another provider; judged, certified, gated."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from assay.cli.main import app
from assay.errors import ConfigError, DataError
from assay.judges import prompt
from assay.project.certificates import read_certificates
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import DRAWS, ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case
from assay.records.label import Draw, Item, Label
from assay.records.response import MadeCall, Message
from assay.records.verdict import Verdict
from assay.stages import calibrate, judge, publish
from assay.stages.night import gather
from assay.stages.publish import report
from tests.cast import Project, case, response
from tests.endpoint import Body, Reply, Served, completion, serving

CASE_COUNT, RUDE = 210, 3
"""Cases, and every how-manieth is answered rudely."""


def open_case(number: int, **changes: Any) -> Case:
    """Return a case that has no truth to compare with."""
    return case(number, "refunds" if number % 2 else "escalation", reference="", expectations=[], **changes)


def text(number: int) -> str:
    """Return what the product says: now and then it blames the customer."""
    return f"That is your own fault, {number}." if number % RUDE == 0 else f"With pleasure, number {number}."


@pytest.fixture
def asked(project: Project) -> Project:
    """The cast's project with cases that have no reference, two equal versions, no labels, and no other judge."""
    for name in ("correctness", "preference"):
        file = project.folder / f"data/judges/{name}/judge.yaml"
        file.write_text(file.read_text() + "applies_to: {tag: [nobody]}\n")
    project.params("calibrate", policy={}, audit_items=0)
    project.params("monitor", signals=[])
    cases = sorted((open_case(number) for number in range(CASE_COUNT)), key=lambda one: one.case_id)
    CASES.write(cases)
    rows = [response(one, text(int(one.case_id[-3:]))) for one in cases]
    RESPONSES.write(rows)
    BASELINE.write([row.model_copy(update={"target": "support@1"}) for row in rows])
    ITEMS.file().unlink()
    LABELS.file().unlink()
    SIGNALS.write([])
    return project


def declare(name: str, rubric: str, **fields: Any) -> None:
    """Make a judge as a person does, and fill in its declaration."""
    done = CliRunner().invoke(app, ["judges", "new", name, "--rubric", rubric])
    assert done.exit_code == 0, done.output
    file = Path(f"data/judges/{name}/judge.yaml")
    floors = {"policy": {"max_flips": None, "max_injected": None}}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | floors | fields))


def draw(name: str, words: dict[str, str] | None = None) -> None:
    """Let two people label every second answer for a judge's question, each item drawn with one chance."""
    labels = words or {"pass": "", "fail": ""}
    items, rows, draws = [], [], []
    for one in CASES.read():
        number = int(one.case_id[-3:])
        if number % 4 > 1 and prompt.load(name).declared.applies_to.fits(one):
            outcome = "fail" if number % RUDE == 0 else "pass"
            item = Item(
                item_id=f"natural.{one.case_id}",
                question="pass-fail",
                case_id=one.case_id,
                category=one.category,
                slice="natural",
                turns=one.turns,
                reference="",
                response_a=text(number),
                response_b="",
            )
            common = {"item_id": item.item_id, "judge": name, "inclusion_probability": 0.5, "stratum": "all"}
            items.append(item)
            draws.append(Draw(frame="tonight", **common))
            rows += [
                Label(
                    annotator=who,
                    outcome=outcome,
                    label=labels[outcome],
                    split="heldout",
                    sampling_frame="tonight",
                    rubric_version=prompt.load(name).rubric_version,
                    labelled_at=datetime(2026, 11, 1, tzinfo=UTC),
                    **common,
                )
                for who in ("ann", "ben")
            ]
    known = {row.item_id: row for row in ITEMS.read(may_be_absent=True)}
    ITEMS.write(sorted((known | {row.item_id: row for row in items}).values(), key=lambda row: row.item_id))
    before = [*LABELS.read(may_be_absent=True), *rows]
    LABELS.write(sorted(before, key=lambda row: (row.item_id, row.annotator, row.judge)))
    DRAWS.write(sorted([*DRAWS.read(may_be_absent=True), *draws], key=lambda row: (row.item_id, row.judge)))


def polite(body: Body, good: Any = "pass", bad: Any = "fail", model: str = "tone-1") -> Reply:
    """Answer as a judge of manners does, with why, in a fence as some models do."""
    is_rude = "your own fault" in body["messages"][-1]["content"]
    said = {"rationale": "It blames." if is_rude else "It is kind.", "verdict": bad if is_rude else good}
    return completion(f"```json\n{json.dumps(said)}\n```", model=model)


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The common provider, which never hears of the other one."""
    with serving(lambda _: completion('{"verdict": "pass"}', model="common-1")) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-common")
        yield served


def said_by(name: str, subject: str = "target") -> list[Verdict]:
    """Return what a judge said."""
    return [row for row in VERDICTS.read() if (row.scorer, row.subject) == (name, subject)]


def test_a_judge_without_a_reference_gates_a_night(
    asked: Project, common: Served, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five lines of rubric, one category, another provider and key: judged, labelled, certified, gated, reported."""
    monkeypatch.setenv("TONE_KEY", "sk-tone")
    with serving(polite) as other:
        model = {"hosted": "tone-1", "base_url": other.url, "api_key_env": "TONE_KEY", "log_probabilities": False}
        policy = {"preset": "pilot", "max_flips": None, "max_injected": None}
        where = {"applies_to": {"category": ["refunds"]}, "policy": policy}
        declare("tone", "It is courteous and never blames.", model=model, **where)
        draw("tone")
        judge.run(now)
        calibrate.run(now)
        gate = publish.run(now)[0]
    refunds = [one.case_id for one in CASES.read() if one.category == "refunds"]
    rows = said_by("tone")
    assert sorted(row.item_id for row in rows) == refunds
    assert {(row.outcome, row.rationale) for row in rows} == {("pass", "It is kind."), ("fail", "It blames.")}
    assert ["Is this a probe?" in said for said in common.said()] == [True]
    assert {body["model"] for body in other.asked} == {"tone-1"}
    held = read_certificates()["tone"]
    assert (held.is_met, held.version, held.annotators) == (True, prompt.load("tone").version, ["ann", "ben"])
    assert (held.policy, "Tone is certified by the pilot policy." in gate.sentence) == ("pilot", True)
    found = report(gather(), publish.read_params("publish", publish.Settings), now)
    (told,) = [one for one in found.judges if one.name == "tone"]
    assert (told.standing, told.unasked) == ("valid", 0)
    assert told.corrected
    assert told.corrected.rate
    # What nothing scores are the cases of the other category: half of them, so the run is no whole one.
    assert (gate.word, found.target.unscorable) == ("incomplete", CASE_COUNT // 2)
    assert asked.folder.is_dir()


def test_where_every_case_has_a_judge_the_gate_can_pass(asked: Project, now: datetime) -> None:
    """With a certified judge of one's own for every case, an unchanged version passes; the page tells who judged."""
    with serving(polite) as other:
        declare("tone", "It is courteous.", model={"hosted": "tone-1", "base_url": other.url})
        draw("tone")
        judge.run(now)
        calibrate.run(now)
        gate = publish.run(now)[0]
    assert (gate.word, gate.reason) == ("pass", "no worse than the baseline within the tolerated drop")
    page = (asked.folder / "data/reports/report.html").read_text()
    assert prompt.load("tone").version in page
    assert "It blames." in page


def test_without_a_certificate_it_is_uncalibrated(asked: Project, now: datetime) -> None:
    """A new judge's numbers pass no gate; once it is charted only, the gate does not wait for it."""
    with serving(polite) as other:
        declare("tone", "It is courteous.", model={"hosted": "tone-1", "base_url": other.url})
        judge.run(now)
        calibrate.run(now)
        assert publish.run(now)[0].word == "uncalibrated"
        file = asked.folder / "data/judges/tone/judge.yaml"
        file.write_text(file.read_text().replace("blocks: true", "") + "blocks: false\n")
        judge.run(now)
        assert "nothing scores" in publish.run(now)[0].reason


def test_a_judge_that_is_asked_of_nothing_holds_no_gate(asked: Project, now: datetime) -> None:
    """Where no case has what a judge that blocks requires, its lack of a certificate stops nobody; it is counted."""
    file = asked.folder / "data/judges/correctness/judge.yaml"
    file.write_text(file.read_text().replace("applies_to: {tag: [nobody]}\n", ""))
    with serving(polite) as other:
        declare("tone", "It is courteous.", model={"hosted": "tone-1", "base_url": other.url})
        draw("tone")
        judge.run(now)
        calibrate.run(now)
        assert publish.run(now)[0].word == "pass"
    found = report(gather(), publish.read_params("publish", publish.Settings), now)
    assert [(one.name, one.spoke, one.unasked) for one in found.judges if one.name != "tone"] == [
        ("correctness", False, CASE_COUNT)
    ]


def test_a_certificate_is_for_the_cases_that_it_was_issued_for(asked: Project, now: datetime) -> None:
    """A judge that applies to other cases than those that were labelled is another one, until it is certified anew."""
    with serving(polite) as other:
        declare("tone", "It is courteous.", model={"hosted": "tone-1", "base_url": other.url})
        draw("tone")
        judge.run(now)
        calibrate.run(now)
        file = asked.folder / "data/judges/tone/judge.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"applies_to": {"category": ["refunds"]}}))
        judge.run(now + timedelta(minutes=1))
        gate = publish.run(now)[0]
    assert gate.word in ("judge-changed", "incomplete")
    assert "is certified by" not in gate.sentence


def test_a_baseline_of_other_cases_stops_no_night(asked: Project, now: datetime) -> None:
    """After every case was exchanged the accepted answers are to none of them: nothing is compared, and it is said."""
    BASELINE.write([response(case(900), "An answer to a question of before.")])
    with serving(polite) as other:
        declare("tone", "It is courteous.", model={"hosted": "tone-1", "base_url": other.url})
        judge.run(now)
        assert publish.run(now)[0].word in ("uncalibrated", "set-changed")
    assert asked.folder.is_dir()


def test_a_case_may_rest_on_a_judge_alone(asked: Project) -> None:
    """A case without reference and expectation is taken in where a judge that blocks applies to it, and only there."""
    declare("tone", "It is courteous.", applies_to={"category": ["refunds"]})
    rows = [
        {"case_id": f"{name}-900", "layer": "unit", "category": name, "turns": ["Well?"]}
        for name in ("refunds", "escalation")
    ]
    for row, code in zip(rows, (0, 2), strict=True):
        file = asked.folder / f"{row['category']}.yaml"
        file.write_text(yaml.safe_dump([row]))
        done = CliRunner().invoke(app, ["import", str(file), "--reviewer", "ada"])
        assert (done.exit_code, "nothing can fail" in done.output) == (code, code == 2), done.output


def test_a_judge_is_never_overwritten(asked: Project) -> None:
    """A folder that is there is refused, and stays as it is; so is a name that is none."""
    declare("tone", "It is courteous.")
    before = (asked.folder / "data/judges/tone/rubric.md").read_bytes()
    for name, said in (("tone", "exists already"), ("../tone", "no name"), ("Tone", "no name")):
        done = CliRunner().invoke(app, ["judges", "new", name])
        assert (done.exit_code, said in done.output) == (2, True)
    assert (asked.folder / "data/judges/tone/rubric.md").read_bytes() == before


def test_examples_are_shown_and_a_held_out_one_stops_the_calibration(asked: Project, now: datetime) -> None:
    """A file of examples beside the rubric is part of the prompt and of the version; a held-out item in it is named."""
    with serving(polite) as other:
        declare("tone", "It is courteous.", model={"hosted": "tone-1", "base_url": other.url})
        draw("tone")
        before = prompt.load("tone").version
        held = next(item for item in ITEMS.read() if len(item.response_a) > 24)
        row = {"question": held.turns, "response": held.response_a, "label": "pass", "why": "It is kind."}
        (asked.folder / "data/judges/tone/examples.jsonl").write_text(json.dumps(row) + "\n")
        assert held.response_a in prompt.load("tone").system
        assert prompt.load("tone").version != before
        judge.run(now)
        with pytest.raises(DataError, match=held.item_id):
            calibrate.run(now, ["tone"], renew=True)


SCALES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "labels": ({"labels": ["kind", "curt", "rude"], "passing_labels": ["kind"]}, "kind", "rude"),
    "score": ({"range": [1, 5], "pass_threshold": 4}, 5, 2),
}


@pytest.mark.parametrize("question", SCALES)
def test_labels_and_scores_are_judged_in_their_own_words(asked: Project, now: datetime, question: str) -> None:
    """Such a judge's word is kept as it is; whether it passes decides, and its scale has a kappa in the certificate."""
    fields, good, bad = SCALES[question]
    with serving(lambda body: polite(body, good, bad)) as other:
        model = {"hosted": "tone-1", "base_url": other.url}
        declare("manners", "How kind is it?", question=question, model=model, **fields)
        draw("manners", {"pass": str(good), "fail": str(bad)})
        judge.run(now)
        calibrate.run(now)
        assert publish.run(now)[0].word == "pass"
    assert {(row.outcome, row.label) for row in said_by("manners")} == {("pass", str(good)), ("fail", str(bad))}
    held = read_certificates()["manners"]
    scale = {one.name: one.estimate for one in held.figures}
    assert (held.question, scale["kappa-scale"]) == (question, 1)
    assert [scale[name] for name in {"labels": ["macro-f1"], "score": ["spearman"]}[question]] == [1]
    assert [one.name for one in held.by_class] == ([good, bad] if question == "labels" else [])
    assert [one.kappa for one in held.by_annotator] == [1] * len(held.annotators)
    assert held.epsilon == 0.1
    found = report(gather(), publish.read_params("publish", publish.Settings), now)
    assert found.judges[0].said == {str(good): 140, str(bad): 70}
    assert asked.folder.is_dir()


def test_a_judge_of_the_trajectory_sees_what_the_last_sentence_hides(asked: Project, now: datetime) -> None:
    """The right last sentence after a refund to the wrong order fails by the one judge that is shown the calls."""
    cases = [open_case(1), open_case(3)]
    CASES.write(cases)
    good, bad = (MadeCall(name="refund", arguments=json.dumps({"order": order})) for order in ("A-17", "B-99"))
    talk = [
        Message(role="user", content="Refund A-17."),
        Message(role="assistant", content="Your refund is on its way."),
    ]
    told = {"text": "Your refund is on its way.", "messages": talk}
    RESPONSES.write([response(one, tool_calls=[call], **told) for one, call in zip(cases, (good, bad), strict=True)])
    BASELINE.file().unlink()

    def script(body: Body) -> Reply:
        shown = body["messages"][-1]["content"]
        assert "user: Refund A-17." in shown or "Is this a probe?" in shown
        return completion(json.dumps({"rationale": "r", "verdict": "fail" if "B-99" in shown else "pass"}))

    with serving(script) as other:
        inputs = ["conversation", "tool_calls", "response"]
        declare("trajectory", "Right order.", input=inputs, model={"hosted": "t", "base_url": other.url})
        judge.run(now)
    assert [row.outcome for row in said_by("trajectory")] == ["pass", "fail"]
    assert asked.folder.is_dir()


def test_what_a_judge_requires_and_lacks_is_counted(asked: Project, now: datetime) -> None:
    """Cases without the text that a judge requires are not asked about, and the report says how many those are."""
    cases = sorted(
        (open_case(number, rubric={"tone": f"Say {number}."} if number % 3 else {}) for number in range(30)),
        key=lambda one: one.case_id,
    )
    CASES.write(cases)
    RESPONSES.write([response(one) for one in cases])
    BASELINE.file().unlink()
    with serving(polite) as other:
        model = {"hosted": "tone-1", "base_url": other.url}
        declare("tone", "As the case says.", input=["response", "rubric"], requires=["rubric"], model=model)
        judge.run(now)
        shown = [body["messages"][-1]["content"] for body in other.asked[1:]]
    assert (len(shown), all("<case_rubric>\nSay " in one for one in shown)) == (20, True)
    found = report(gather(), publish.read_params("publish", publish.Settings), now)
    assert [(one.name, one.unasked) for one in found.judges if one.name == "tone"] == [("tone", 10)]
    assert asked.folder.is_dir()


def test_an_edited_rubric_is_another_judge(asked: Project, now: datetime) -> None:
    """After a change of the rubric the certificate holds no more, and the version is another; a description is none."""
    with serving(polite) as other:
        declare("tone", "It is courteous.", model={"hosted": "tone-1", "base_url": other.url})
        draw("tone")
        judge.run(now)
        calibrate.run(now)
        before = prompt.load("tone").version
        file = asked.folder / "data/judges/tone/judge.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"description": "Manners."}))
        assert prompt.load("tone").version == before
        (asked.folder / "data/judges/tone/rubric.md").write_text("It is very courteous.\n")
        assert prompt.load("tone").version != before
        judge.run(now + timedelta(minutes=1))
        assert publish.run(now)[0].word == "judge-changed"


def test_a_missing_key_is_refused_before_anybody_is_asked(asked: Project, common: Served, now: datetime) -> None:
    """The variable that a judge's endpoint needs is named, and no endpoint has heard of the run."""
    with serving(polite) as other:
        model = {"hosted": "tone-1", "base_url": other.url, "api_key_env": "NO_SUCH_KEY"}
        declare("tone", "It is courteous.", model=model)
        with pytest.raises(ConfigError, match="NO_SUCH_KEY"):
            judge.greet(now)
        assert (other.asked, common.asked) == ([], [])
    assert asked.folder.is_dir()
