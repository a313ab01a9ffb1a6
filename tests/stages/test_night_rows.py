"""What a night leaves for the next ones, and what its gate counts: by those scorers alone that may be believed."""

from collections import Counter
from datetime import datetime

import pytest

from assay.project import files
from assay.project.certificates import read_certificates, write_certificates
from assay.project.tables.history import HISTORY
from assay.report.findings import CaseOutcome, Outcomes
from assay.stages import gating, publish
from assay.stages.night import gather
from assay.stages.publish_settings import Settings
from tests.nights import EVERY_CASE, Night

REFUNDS = [f"refunds-{at:03}" for at in range(3)]
ESCALATION = [f"escalation-{at:03}" for at in range(2)]
BOTH = ESCALATION + REFUNDS


def test_a_row_is_by_those_who_may_be_believed(night: Night, now: datetime) -> None:
    """A certified judge's fails are in the row, with its fingerprint; without a certificate checks alone are."""
    night.lose(3)
    night.lose(2, "escalation", by="check")
    night.publish(now)
    (row,) = HISTORY.read()
    assert (row.failed, row.differing, row.unscored, row.passed, row.of) == (BOTH, BOTH, [], 195, 200)
    assert row.judge == read_certificates()["correctness"].fingerprint
    assert (row.shown_failed, row.shown_unscored) == (None, None)
    assert row.revisions == {one.case_id: one.revision() for one in EVERY_CASE}
    night.publish(now, is_certified=False)
    (row,) = HISTORY.read()
    assert (row.failed, row.differing, row.passed, row.of) == (ESCALATION, ESCALATION, 198, 200)
    assert (row.judge, row.shown_failed, row.shown_unscored) == ("", BOTH, [])


def test_what_may_not_be_believed_is_shown_by_name() -> None:
    """Failed cases are those that the report lists; without an outcome are all the others but those that pass."""
    words: dict[str, CaseOutcome] = {
        "c": "fail",
        "b": "pass",
        "a": "fail",
        "f": "judge",
        "e": "wire",
        "d": "unscorable",
    }
    shown = gating._shown_outcomes(Outcomes(words, Counter()))
    assert shown == {"shown_failed": ["a", "c"], "shown_unscored": ["d", "e", "f"]}


def test_a_case_without_an_outcome_is_neither_failed_nor_passed(night: Night, now: datetime) -> None:
    """What the judge said nothing of is in the row as such, and in none of its counts; nor is it apart from before."""
    night.outcomes |= {("target", name): "unscored" for name in REFUNDS}
    night.outcomes |= {("baseline", name): "fail" for name in [*REFUNDS, *ESCALATION]}
    night.publish(now)
    (row,) = HISTORY.read()
    assert (row.unscored, row.failed, row.passed, row.of) == (REFUNDS, [], 197, 197)
    assert row.differing == ESCALATION


@pytest.mark.parametrize(("count", "word"), [(4, "pass"), (5, "incomplete")])
@pytest.mark.parametrize("subject", ["target", "baseline"])
def test_what_the_judge_does_not_say_of_either_version_is_an_error(
    night: Night, now: datetime, subject: str, count: int, word: str
) -> None:
    """Of 200 cases four without a verdict are within the declared 2 %, of whichever version; five are not."""
    night.outcomes |= {(subject, f"refunds-{at:03}"): "unscored" for at in range(count)}
    assert night.publish(now).word == word


@pytest.mark.parametrize(("policy", "is_told"), [("default", False), ("pilot", True)])
def test_a_policy_that_is_not_the_default_is_told(night: Night, now: datetime, policy: str, *, is_told: bool) -> None:
    """The first sentence names the policy by which a judge that the gate rests on is certified, if it is another."""
    night.publish(now)
    held = read_certificates()
    write_certificates(held | {"correctness": held["correctness"].model_copy(update={"policy": policy})}, {})
    sentence = publish.run(now)[0].sentence
    assert ("certified by" in sentence) == is_told
    assert sentence.endswith("Correctness is certified by the pilot policy.") == is_told


def test_a_history_is_there_whatever_was_lost(night: Night, now: datetime) -> None:
    """The file that DVC expects is written empty where tonight has no row, and never over rows that are there."""
    night.publish(now)
    rows = HISTORY.read()
    read = gather()
    found = publish.report(read, Settings(), now).model_copy(update={"row": None})
    publish.file_results(read, found)
    assert HISTORY.read() == rows
    files.path(HISTORY.path).unlink()
    publish.file_results(read, found)
    assert HISTORY.exists()
    assert HISTORY.read() == []


@pytest.mark.parametrize("worse", ["refunds", "escalation"])
def test_the_category_that_got_worse_is_told_first(night: Night, now: datetime, worse: str) -> None:
    """Whichever category the judge finds worse beyond chance leads the failing cases, though checks find nothing."""
    other = {"refunds": "escalation", "escalation": "refunds"}[worse]
    night.lose(9, worse)
    night.lose(1, other)
    night.publish(now)
    failing = [one.category for one in publish.reported(gather(), Settings()) if one.outcome == "fail"]
    assert failing == [worse] * 9 + [other]


def test_where_it_may_be_worse_is_told_once_and_by_name(night: Night) -> None:
    """Whatever order the comparison has, places stand by the alphabet, each once; where one is proved none is."""
    night.write()
    read = gather()
    compared = gating.comparisons(read, Settings(), [], None)
    assert compared.checks
    checks = compared.checks.model_copy(update={"suspected": [*"fbdbcae"]})
    found = gating.decide(read, Settings(), [], compared._replace(checks=checks)).gate
    assert found.word == "inconclusive"
    assert found.reason.startswith("it may be worse in a, b, c, d, e, f, ")
