"""Publish: from tables to the gate's word, end to end, and nothing written where a table is at fault."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assay.calibration.certificate import AnchorNight
from assay.commands.accept import accept
from assay.models.journal import Journal
from assay.models.usage import Meter
from assay.project import entrypoint, files
from assay.project.certificates import read_certificates
from assay.project.params import read_params
from assay.project.results import GATE, METRICS, REPORT, SLICES
from assay.project.tables.anchors import NIGHTS
from assay.project.tables.history import HISTORY
from assay.project.tables.labels import LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.stages import calibrate, publish
from assay.stages.night import gather
from assay.stages.publish import Settings, report
from tests.cast import Project, broken, case, response, verdict
from tests.nights import EVERY_CASE, Night

HOSTILE = "<script>alert(1)</script> {{7*7}} %s\u202e"
STAGES = ("execute", "judge")


def settings() -> Settings:
    return read_params("publish", Settings)


def results() -> dict[str, bytes]:
    return {name: files.path(name).read_bytes() for name in (REPORT, GATE, METRICS, SLICES)}


def book(run: str, stage: str, calls: int, *, cost_usd: float = 0.0) -> None:
    """Let the journal's ledger say that a stage made so many calls."""
    with Journal(files.private("journal.sqlite")) as journal:

        async def finish() -> None:
            for number in range(calls):
                used = Meter(requests=1, prompt_tokens=10, completion_tokens=2, cost_usd=cost_usd / calls)
                await journal.finish(f"{run} {stage} {number}", "{}", is_final=True, run=run, stage=stage, used=used)

        asyncio.run(finish())


def test_a_good_night_passes(night: Night, project: Project, now: datetime) -> None:
    """Nothing fails, both judges are certified: the word is pass, and the four results are on file and agree."""
    found = night.publish(now)
    assert found.word == "pass", found
    assert found.sentence.startswith("PASS: 100.0 % (98.1 to 100.0) of 200 cases pass")
    assert json.loads(files.path(GATE).read_bytes()) == found.model_dump()
    metrics = json.loads(files.path(METRICS).read_bytes())
    assert (metrics["verdict"], metrics["calibrated"], metrics["pass_rate"]["n"]) == ("pass", True, 200)
    assert files.path(SLICES).read_text().count("\n") == 3
    assert found.sentence.split(":")[0] in files.path(REPORT).read_text()


def test_equal_tables_give_equal_bytes(night: Night, now: datetime) -> None:
    """Published again from the same tables at the same moment, every file is byte for byte the same."""
    night.lose(12)
    night.publish(now)
    first = results()
    publish.run(now)
    assert results() == first


def test_a_planted_drop_is_a_regression_of_its_category(night: Night, now: datetime) -> None:
    """Twelve of a hundred cases newly fail by the judge: the first sentence names the category and no other."""
    night.lose(12)
    found = night.publish(now)
    assert found.word == "regression"
    assert found.sentence.startswith("REGRESSION in refunds: 12 of 100 cases newly fail")
    assert "escalation" not in found.sentence
    assert len(report(gather(), settings(), now).newly_failing) == 12


@pytest.mark.parametrize(("by", "word"), [("check", "regression"), ("judge", "uncalibrated")])
def test_an_uncalibrated_judge_leaves_the_word_to_the_checks(night: Night, now: datetime, by: str, word: str) -> None:
    """Without a certificate a drop that checks prove is a regression, and one that only the judge saw is not."""
    night.lose(12, by=by)
    found = night.publish(now, is_certified=False)
    assert found.word == word
    assert "by checks alone" in found.sentence


def test_a_judge_of_pairs_that_expired_hides_no_regression(night: Night, now: datetime) -> None:
    """The judge of single answers is certified: its regression stands whatever the pairwise judge is worth."""
    night.lose(12)
    night.write()
    shutil.rmtree("data/calibration")
    (kept,) = calibrate.run(now, ["correctness"])
    assert kept.is_met
    assert publish.run(now)[0].word == "regression"
    assert report(gather(), settings(), kept.expires).gate.word == "uncalibrated"


def test_a_judge_that_says_nothing_of_its_anchors_passes_nothing(night: Night, now: datetime) -> None:
    """Certified, and tonight without a verdict on a tenth of the anchors: nobody can tell whether it has changed."""
    assert night.publish(now).word == "pass"
    lost = {"outcome": "unscored", "status": "unparsed"}
    judged = [number for number, row in enumerate(night.anchors) if row.scorer == "correctness"]
    for number in judged[: len(judged) // 10]:
        night.anchors[number] = night.anchors[number].model_copy(update=lost)
    night.write()
    found = publish.run(now)[0]
    assert found.word == "incomplete"
    assert f"no verdict on {len(judged) // 10} of {len(judged)} anchors" in found.reason


@pytest.mark.parametrize("which", ["anchor", "target", "pair"])
def test_one_verdict_of_another_judge_is_a_changed_judge(night: Night, now: datetime, which: str) -> None:
    """A single verdict under another fingerprint, of whatever it speaks, makes the judge a changed one."""
    night.publish(now)
    rows = list(night.verdicts())
    if which == "pair":
        declared = Path("data/judges/preference/judge.yaml")
        declared.write_text(declared.read_text().replace("blocks: false", "blocks: true"))
        one = {"scorer": "preference", "as_is": "a", "swapped": "a", "fingerprint": "judge-2"}
        VERDICTS.write([*rows, verdict(EVERY_CASE[0].case_id, "a", subject="pair", **one)])
    else:
        at = next(at for at, row in enumerate(rows) if row.subject == which and row.scorer == "correctness")
        rows[at] = rows[at].model_copy(update={"fingerprint": "judge-2"})
        VERDICTS.write(rows)
    assert publish.run(now)[0].word == "judge-changed"


def test_a_failed_call_and_an_identical_pair_change_no_judge(night: Night, now: datetime) -> None:
    """What nobody answered, or nobody was asked, bears a fingerprint of its own and is no other judge's verdict."""
    night.publish(now)
    lost = night.anchors[119].model_copy(update={"outcome": "unscored", "status": "error", "fingerprint": "nobody"})
    night.anchors[119] = lost
    same = {"scorer": "preference", "as_is": "tie", "swapped": "tie", "fingerprint": "identical"}
    night.more = [verdict(EVERY_CASE[0].case_id, "tie", subject="pair", **same)]
    night.write()
    assert publish.run(now)[0].word == "pass"


@pytest.mark.parametrize(("lost", "word"), [(4, "pass"), (5, "incomplete")])
@pytest.mark.parametrize("where", ["wire", "target", "baseline"])
def test_beyond_the_declared_share_of_errors_the_run_is_incomplete(
    night: Night, now: datetime, where: str, lost: int, word: str
) -> None:
    """Four of 200 cases lost are 2 %, five are more, be it on the wire or at the judge, in either version."""
    for number in range(lost):
        if where == "wire":
            night.responses[number] = broken(EVERY_CASE[number])
        else:
            night.outcomes[where, EVERY_CASE[number].case_id] = "unscored"
    assert night.publish(now).word == word


def test_a_new_case_is_a_changed_set(night: Night, now: datetime) -> None:
    """A case that was changed since its answer was accepted has no baseline, and the word says so."""
    edited = case(0, turns=["Cleo asks something new. Within 14 days?"])
    night.cases[0], night.responses[0] = edited, response(edited)
    found = night.publish(now)
    assert (found.word, found.next) == ("set-changed", "run `assay accept` when tonight is good")


def test_before_the_first_baseline_the_night_is_published(night: Night, now: datetime) -> None:
    """Where nothing was accepted yet nothing is compared: the word asks for a baseline and the report is written."""
    night.publish(now)
    BASELINE.file().unlink()
    rows = [row for row in night.verdicts() if row.subject != "baseline"]
    VERDICTS.write(rows)
    found = publish.run(now)[0]
    assert (found.word, found.next) == ("set-changed", "run `assay accept` when tonight is good")
    assert found.sentence.startswith("SET-CHANGED: there is no baseline yet; no case fails. Of 200 planned cases")
    assert "SET-CHANGED" in files.path(REPORT).read_text(encoding="utf8")


def test_an_accepted_answer_keeps_its_verdicts(night: Night, now: datetime) -> None:
    """Published again right after `assay accept`, both versions are the same answers: no change, nothing lost."""
    night.lose(12)
    pair = {"scorer": "preference", "as_is": "a", "swapped": "a", "subject": "pair"}
    night.more = [verdict(one.case_id, "a", **pair) for one in EVERY_CASE]
    assert night.publish(now).word == "regression"
    accept(now)
    gate, shown = publish.run(now)
    found = report(gather(), settings(), now)
    assert (gate.word, shown.newly_failing, len(found.standing)) == ("pass", [], 12)
    assert found.everything
    assert (found.everything.target, found.everything.gained, found.everything.lost) == (
        found.everything.baseline,
        0,
        0,
    )
    assert [judge.pairs for judge in found.judges if judge.question == "pairwise"] == [None]


def test_a_first_night_s_table_names_what_fails(night: Night, now: datetime) -> None:
    """Before the first baseline the table for a control room has every failing case."""
    night.lose(12)
    night.publish(now)
    BASELINE.file().unlink()
    VERDICTS.write([row for row in night.verdicts() if row.subject not in ("baseline", "pair")])
    assert len(publish.run(now)[1].newly_failing) == 12


def test_what_cannot_be_excluded_is_inconclusive(night: Night, project: Project, now: datetime) -> None:
    """With 200 cases and nothing lost a drop of 2 % cannot be excluded: a tighter policy is inconclusive."""
    project.params("publish", max_drop=0.005)
    assert night.publish(now).word == "inconclusive"


def test_a_format_fault_is_named_in_the_reason_and_counted(night: Night, now: datetime) -> None:
    """Of six cases that newly fail two could only not be read: the reasons say so and the parts add up."""
    night.lose(4)
    for number in (4, 5):
        night.checks["target", EVERY_CASE[number].case_id] = "fail"
    night.misshapen = {EVERY_CASE[4].case_id, EVERY_CASE[5].case_id}
    night.publish(now)
    found = report(gather(), settings(), now)
    assert (found.target.answer_failed, found.target.format_failed, found.target.passed) == (4, 2, 194)
    reasons = {row.case_id: row.why for row in found.newly_failing}
    assert reasons["refunds-004"] == ["check:1-icontains-any: fail. format: it is no JSON"]
    assert reasons["refunds-000"] == ["correctness: fail."]
    assert "the product failed 6 (4 by a wrong answer, 2 by format alone)" in found.gate.sentence
    metrics = json.loads(files.path(METRICS).read_bytes())
    assert metrics["product_failed"] == {"answer": 4, "format": 2}


def test_what_was_used_is_that_of_the_run_that_asked(night: Night, now: datetime) -> None:
    """The ledger of the responses' run stands in page, metrics and artifact; another night's calls are not in it."""
    book("2026-11-01", "execute", 999)
    book("2026-11-02", "execute", 200)
    book("2026-11-02", "judge", 400, cost_usd=1.5)
    night.write()
    _, shown = publish.run(now)
    used = json.loads(files.path(METRICS).read_bytes())["used"]
    assert {name: row["calls"] for name, row in used.items()} == {"execute": 200, "judge": 400, "all": 600}
    assert (used["all"]["cost_usd"], "cost_usd" in used["execute"]) == (1.5, False)
    assert "What run 2026-11-02 used" in files.path(REPORT).read_text(encoding="utf8")
    assert [row["what"] for row in shown.coverage[6:]] == [f"used by {name} of run 2026-11-02" for name in STAGES]


def test_a_missing_journal_is_no_error(night: Night, now: datetime) -> None:
    """Where no journal was kept the page says that there is no ledger; none is created."""
    night.publish(now)
    assert "There is no ledger of this run" in files.path(REPORT).read_text(encoding="utf8")
    assert "used" not in json.loads(files.path(METRICS).read_bytes())
    assert not files.private("journal.sqlite").exists()


def test_the_ledger_moves_only_what_it_adds(night: Night, now: datetime) -> None:
    """A resumed run whose ledger grew gives the same gate and plot; report and metrics differ in the ledger alone."""
    book("2026-11-02", "execute", 200)
    night.publish(now)
    first = results()
    book("2026-11-02", "execute", 7)
    publish.run(now)
    second = results()
    changed = {name.rsplit("/", 1)[1] for name in first if first[name] != second[name]}
    assert changed == {"report.html", "metrics.json"}
    before, after = (json.loads(files[METRICS]) for files in (first, second))
    assert {name for name in before if before[name] != after[name]} == {"used"}


def test_answers_that_are_all_longer_alike_lose_no_night(night: Night, now: datetime) -> None:
    """A disclaimer in every new answer leaves the verdict and says why there is no rate at equal lengths."""
    spread = [5 * (number % 3) for number in range(200)]
    night.responses = [
        response(one, "Yes, within 14 days." + " No advice." * 90 + "!" * more)
        for one, more in zip(EVERY_CASE, spread, strict=True)
    ]
    sides = ("a", "b", "tie")
    pairs = [(one.case_id, sides[number % 3]) for number, one in enumerate(EVERY_CASE)]
    night.more = [
        verdict(name, won, subject="pair", scorer="preference", as_is=won, swapped=won) for name, won in pairs
    ]
    gate = night.publish(now)
    assert gate.word == "pass"
    assert "differ in length by about the same amount" in files.path(REPORT).read_text(encoding="utf8")


NO_NUMBER = re.compile(r"\b(nan|[-+]?inf(inity)?)\b", re.IGNORECASE)


def one_case(night: Night) -> None:
    """Leave one case of all."""
    night.cases, night.responses, night.baseline = EVERY_CASE[:1], night.responses[:1], night.baseline[:1]
    night.outcomes = {key: said for key, said in night.outcomes.items() if key[1] == EVERY_CASE[0].case_id}


def nothing_answered(night: Night) -> None:
    """Lose every call."""
    night.responses = [broken(one) for one in EVERY_CASE]


def everything_fails(night: Night) -> None:
    """Let every case newly fail, in two trials."""
    night.responses += [response(one, trial=1) for one in EVERY_CASE]
    night.lose(100)
    night.lose(100, "escalation")


def nobody_judged(night: Night) -> None:
    """Let the judge be silent on everything."""
    night.outcomes = dict.fromkeys(night.outcomes, "unscored")


@pytest.mark.parametrize("change", [one_case, nothing_answered, everything_fails, nobody_judged])
def test_no_published_figure_is_no_number(night: Night, now: datetime, change: Callable[[Night], None]) -> None:
    """In the poorest nights neither page nor metrics, gate, plot and history hold NaN or infinity."""
    change(night)
    book("2026-11-02", "execute", 1)
    night.publish(now)
    page = re.sub(r"<style>.*?</style>", "", files.path(REPORT).read_text(encoding="utf8"), flags=re.DOTALL)
    others = [files.path(name).read_text(encoding="utf8") for name in (GATE, METRICS, SLICES, HISTORY.path)]
    assert [found[0] for text in (page, *others) if (found := NO_NUMBER.search(text))] == []


def test_trials_are_counted_only_where_no_trial_was_lost(night: Night, now: datetime) -> None:
    """With two trials a case the report has pass^1, pass^2 and pass@2; a case with a lost trial is left out of them."""
    again = [response(one, trial=1) for one in EVERY_CASE]
    again[0] = broken(EVERY_CASE[0]).model_copy(update={"trial": 1})
    night.responses += again
    for one in EVERY_CASE:
        said = "fail" if one.case_id == EVERY_CASE[1].case_id else "unscored" if one is EVERY_CASE[0] else "pass"
        night.more.append(verdict(one.case_id, said, trial=1))
        night.more.append(verdict(one.case_id, "pass", trial=1, scorer="check:1-icontains-any"))
    night.publish(now)
    found = json.loads(files.path(METRICS).read_bytes())
    assert found["trials"] == {"k": 2, "cases": 199, "left_out": 1, "always": 198, "sometimes": 1, "never": 0}
    assert found["pass_hat_1"]["estimate"] == pytest.approx(397 / 398, abs=1e-6)
    assert found["pass_hat_2"]["estimate"] == pytest.approx(198 / 199, abs=1e-6)
    assert (found["pass_at_2"]["estimate"], found["pass_at_2"]["n"]) == (1, 199)
    assert found["pass_rate"]["n"] == 199


def test_hostile_text_is_recorded_and_escaped(night: Night, now: datetime) -> None:
    """Markup, templates and hidden characters stay as they are in the record, and none is markup on the page."""
    night.lose(12)
    night.responses[0] = response(EVERY_CASE[0], HOSTILE)
    night.publish(now)
    shown = {row.case_id: row.target_text for row in report(gather(), settings(), now).newly_failing}
    assert shown[EVERY_CASE[0].case_id] == HOSTILE
    page = files.path(REPORT).read_text(encoding="utf8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}} %s" in page
    assert "\u202e" not in page


def test_the_trial_that_failed_is_the_one_shown(night: Night, now: datetime) -> None:
    """Of several trials the reader sees the one that did not pass, with its reason."""
    trials = [response(EVERY_CASE[0], f"Answer {trial}.", trial=trial) for trial in range(3)]
    night.responses[:1] = trials
    for trial in (1, 2):
        said = "fail" if trial == 1 else "pass"
        night.more.append(verdict(EVERY_CASE[0].case_id, said, trial=trial, detail="wrong number"))
        night.more.append(verdict(EVERY_CASE[0].case_id, "pass", trial=trial, scorer="check:1-icontains-any"))
    night.write()
    (found,) = report(gather(), settings(), now).newly_failing
    assert (found.target_text, found.why) == ("Answer 1.", ["trial 2, correctness: fail. wrong number"])


def test_the_most_severe_category_comes_first(night: Night, project: Project, now: datetime) -> None:
    """Newly failing cases are ordered by severity before anything else."""
    file = project.folder / "data/taxonomy/refunds.yaml"
    file.write_text(file.read_text().replace("severity: high", "severity: critical"))
    night.lose(2, "escalation")
    night.lose(1, "refunds")
    night.write()
    found = report(gather(), settings(), now).newly_failing
    assert [row.case_id for row in found] == ["refunds-000", "escalation-000", "escalation-001"]


def cut_off() -> None:
    VERDICTS.file().write_bytes(VERDICTS.file().read_bytes()[:-300])


def no_responses() -> None:
    RESPONSES.file().unlink()


def no_certificate_at_all() -> None:
    files.path("data/calibration/correctness.json").write_text('{"judge": "correctness"}')


def rewritten_label() -> None:
    file = LABELS.file()
    file.write_text(file.read_text().replace('"outcome":"pass"', '"outcome":"great"', 1))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_off, "verdicts.parquet cannot be read"),
        (no_responses, "data/responses/responses.parquet is missing"),
        (no_certificate_at_all, "correctness.json, row 1: question is missing"),
        (rewritten_label, "outcome is 'great'"),
    ],
)
def test_the_door_refuses_damage(
    night: Night,
    project: Project,
    now: datetime,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[], None],
    said: str,
) -> None:
    """A damaged input ends the command with exit code 2 and a sentence that names it; last night's results stay."""
    night.publish(now)
    damage()
    before = project.files()
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(lambda: publish.run(now + timedelta(days=1)))
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert project.files() == before


def test_a_judge_that_moves_on_the_anchors_may_not_decide(night: Night, now: datetime) -> None:
    """Whatever its fingerprint says: when the anchors alarm the gate says so, and the report names the judge."""
    assert night.publish(now).word == "pass"
    issued = read_certificates()["correctness"]
    common = {"judge": "correctness", "issued": issued.issued, "baseline": "support@1", "judged": 100, "passed": 90}
    nights = [
        AnchorNight(night=f"{now - timedelta(days=20 - at):%Y-%m-%d}", anchors=120, flips=at // 17 * 60, **common)
        for at in range(20)
    ]
    NIGHTS.write(nights)
    gate, _ = publish.run(now)
    assert gate.word == "judge-changed"
    assert "the judge has changed: since" in files.path(REPORT).read_text(encoding="utf8")
