"""What a figure of the report rests on, in words: checks or judges, certified or not, corrected by which labels."""

import pytest
import sample_report as sample

from assay.calibration.certificate import Standing
from assay.records.optional import Failure
from assay.records.parts import PARTS
from assay.report import basis
from assay.report.content import Corrected, Judge
from assay.report.grounds import Grounds
from assay.report.judged import Change


def judge(standing: Standing = "valid", *, blocks: bool = True) -> Judge:
    return Judge(name="tone", standing=standing, blocks=blocks, certificate=None, note="")


@pytest.mark.parametrize(
    ("judges", "has_comparison", "scorers", "said"),
    [
        ([], True, ["all", "checks"], "checks alone"),
        ([judge(blocks=False)], True, ["all"], "checks alone"),
        ([judge()], True, [], "raw, checks and judges, certified"),
        ([judge()], False, ["all", "checks"], "raw, checks and judges, certified"),
        ([judge()], False, ["all"], "raw, judges alone, certified"),
        ([judge("expired")], False, [], "raw, judges alone, uncalibrated"),
    ],
)
def test_outcomes_rest_on_those_who_decided(
    judges: list[Judge], scorers: list[str], said: str, *, has_comparison: bool
) -> None:
    """Checks count where they decided any case, compared or rated; a judge that decides nothing is not named."""
    checks = sample.comparison("checks") if has_comparison else None
    found = sample.report(judges=judges, checks=checks, rates=[sample.rates(name) for name in scorers])
    assert basis.of_cases(found) == said
    assert basis.by_scorers(found) == {"all": said, "checks": "checks alone"}


def test_judges_that_could_not_be_read_are_not_certified() -> None:
    """Where the judges' part of the report is lost nobody says that checks alone decided."""
    lost = Failure(part=PARTS["judges"], note="could not be read")
    assert basis.of_cases(sample.report(judges=[], failures=[lost])) == "raw, checks and judges, uncalibrated"


def test_what_one_judge_says_rests_on_it_and_on_labels() -> None:
    """A judge's own word is raw, with what it is worth; a corrected rate names its labels."""
    assert basis.of_judge(judge()) == "raw, judge alone, certified"
    assert basis.of_judge(judge("failed")) == "raw, judge alone, uncalibrated"
    rate = sample.rate(0.5, 0.4, 0.6)
    corrected = Corrected(raw=rate, rate=rate, frame="", note="", labels=7, split=0)
    assert basis.of_corrected(corrected) == "corrected by 7 human labels"


@pytest.mark.parametrize(
    ("rated", "labels", "said"),
    [
        (True, 0, "wilson"),
        (True, 9, "corrected by 9 cases that people labelled in both versions"),
        (False, 0, "corrected by 0 cases that people labelled in both versions"),
    ],
)
def test_a_change_without_a_label_says_how_it_is_known(labels: int, said: str, *, rated: bool) -> None:
    """Where nobody labelled anything and the change is known all the same, its method is the basis."""
    rate = sample.rate(0.0, -0.1, 0.1) if rated else None
    assert basis.of_change(Change(raw=0, judged=9, changed=9, rate=rate, labels=labels, note="")) == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("labelled", "corrected by labels on both versions' answers"),
        ("assumed", "corrected by the certificate's TPR and TNR, assumed to hold on this version"),
        ("tested", "corrected by the certificate's TPR and TNR, tested to hold on this version"),
    ],
)
def test_what_the_gate_takes_from_judges_names_its_ground(kind: str, said: str) -> None:
    """Labels on both versions, or the certificate's rates with how it is known that they hold."""
    grounds = Grounds.model_validate({"kind": kind, "worse": [], "change": None, "sentence": ""})
    assert basis.of_grounds(grounds) == said
