"""Gating: one budget for all looks at a version, and what the judges' word on it rests on."""

import json
from datetime import datetime, timedelta

import pytest

from assay.project import files
from assay.project.certificates import read_certificates, write_certificates
from assay.project.results import METRICS
from assay.project.tables.history import HISTORY
from assay.report.gate import Gate
from assay.stages import publish
from assay.stages.night import gather
from assay.stages.publish_settings import Settings
from tests.cast import Project, case, response
from tests.nights import EVERY_CASE, Night


def again(night: Night, now: datetime, day: int, **changes: str) -> Gate:
    """Publish a night of a later date that asked everything anew."""
    date = f"2026-11-{2 + day:02}"
    night.responses = [response(one, epoch=date, **changes) for one in night.cases]
    return night.publish(now + timedelta(days=day))


def test_the_same_drop_needs_more_proof_at_a_later_look(night: Night, now: datetime) -> None:
    """Seven of a hundred are lost (2 x 2^-7): a regression at the first look of a version, no pass at a later one."""
    night.lose(7)
    assert again(night, now, 0).word == "regression"
    night.outcomes |= {("target", one.case_id): "pass" for one in EVERY_CASE}
    assert again(night, now, 1).word == "pass"
    night.lose(7)
    found = again(night, now, 2)
    assert found.word == "inconclusive"
    assert "it may be worse in " in found.reason
    assert "after 3 looks" in found.reason
    # Another version is looked at for the first time.
    assert again(night, now, 3, target="support@3").word == "regression"


def test_what_was_proved_stands_the_next_night(night: Night, now: datetime) -> None:
    """The second night loses five of the seven: proof of nothing alone, and no contradiction."""
    night.lose(7)
    assert again(night, now, 0).word == "regression"
    night.outcomes |= {("target", f"refunds-{at:03}"): "pass" for at in (5, 6)}
    found = again(night, now, 1)
    assert found.word == "regression"
    assert "it stands since an earlier look" in found.sentence
    night.outcomes |= {("target", f"refunds-{at:03}"): "pass" for at in range(5)}
    assert again(night, now, 2).word == "pass"


def test_the_history_says_what_was_compared(night: Night, now: datetime) -> None:
    """Of each run: which answers were accepted, how many were asked, its passes by trial, and where it was worse."""
    night.lose(8)
    again(night, now, 0)
    (row,) = HISTORY.read()
    assert (row.asked, row.kept, row.passed, row.of, row.worse) == (200, 0, 192, 200, ["refunds"])
    assert row.accepted == "support@1"


def test_a_certified_judge_says_what_its_word_assumes(night: Night, now: datetime) -> None:
    """By default the judge is assumed to err alike on both versions, and the first sentence says until where."""
    found = night.publish(now)
    assert found.word == "pass"
    assert "This assumes that correctness errs on this version as on the labelled answers" in found.sentence
    assert "points laxer here." in found.sentence


@pytest.mark.parametrize(("transfer", "said"), [("tested", "label answers of both"), ("labelled", "correctness: ")])
def test_without_labels_on_both_versions_nothing_passes(
    night: Night, project: Project, now: datetime, transfer: str, said: str
) -> None:
    """Who wants the transfer tested, or the change labelled, gets no pass before people have labelled."""
    project.params("publish", judge_transfer=transfer)
    found = night.publish(now)
    assert found.word == "inconclusive"
    assert said in found.reason


def test_labelled_a_judge_s_own_alarm_is_no_regression(night: Night, project: Project, now: datetime) -> None:
    """Twelve newly fail by the judge alone: people's labels say that, or nobody does."""
    project.params("publish", judge_transfer="labelled")
    night.lose(12)
    assert night.publish(now).word == "inconclusive"
    night.lose(12, by="check")
    assert night.publish(now).word == "regression"


def test_an_uncertified_judge_leaves_nothing_to_assume(night: Night, now: datetime) -> None:
    """Where checks decide, the sentence says nothing of a judge's errors."""
    assert "This assumes" not in night.publish(now, is_certified=False).sentence


def test_paraphrases_are_one_chance(night: Night, now: datetime) -> None:
    """Twelve cases newly fail, four each of three parents: that may be luck (2 x 1/8), and twelve of their own not."""
    night.lose(12)
    assert night.publish(now).word == "regression"
    of = [
        case(number, "refunds").model_copy(update={"parent": f"trace-{number // 4}"} if number < 12 else {})
        for number in range(100)
    ]
    night.cases = [*of, *night.cases[100:]]
    assert night.publish(now).word != "regression"


def test_metrics_say_what_the_word_rests_on(night: Night, now: datetime) -> None:
    """The kind, the change as people would have it, and until where it holds, for a machine."""
    night.publish(now)
    found = json.loads(files.path(METRICS).read_bytes())["judge_transfer"]
    assert found["basis"] == "assumed"
    assert found["change"]["low"] < 0 < found["laxer"]


def test_a_certificate_with_an_exception_decides_the_rest(night: Night, now: datetime) -> None:
    """A judge that is surely wrong on refunds decides escalation alone; the first sentence says so, and it passes."""
    night.lose(12)
    night.publish(now)
    held = read_certificates()
    certified = held["correctness"].model_copy(update={"excepted": ["refunds"]})
    write_certificates(held | {"correctness": certified}, {})
    gate, _ = publish.run(now)
    assert gate.word == "pass"
    assert "correctness is certified except for refunds; there its word does not count." in gate.sentence
    assert json.loads(files.path(METRICS).read_bytes())["judges"]["correctness"]["excepted"] == ["refunds"]


def test_nights_together_find_what_no_night_proves(night: Night, now: datetime) -> None:
    """Eight more of 200 fail tonight, which 20 looks cannot prove; with the five nights before it they are a drop."""
    for subject in ("target", "baseline"):
        night.outcomes |= {(subject, f"escalation-{at:03}"): "fail" for at in range(10)}
    assert again(night, now, 0, target="support@1").word == "pass"
    (first,) = HISTORY.read()
    passes = [190] * 14 + [165] * 5
    HISTORY.write(
        [first.model_copy(update={"night": f"2026-10-{1 + at:02}", "passed": count}) for at, count in enumerate(passes)]
    )
    night.lose(4)
    night.outcomes |= {("target", f"escalation-{at:03}"): "fail" for at in range(10, 14)}
    found = again(night, now, 1, target="support@1")
    assert found.word == "regression"
    assert "has left that of the 14 nights on which it was accepted" in found.sentence
    told = publish.report(gather(), Settings(), now + timedelta(days=1))
    assert told.everything
    assert told.checks
    assert (bool(told.everything.over_nights), told.checks.over_nights) == (True, "")
    HISTORY.write(HISTORY.read()[:14])
    assert again(night, now, 2, target="support@1").word == "inconclusive"
