"""Wording: the first sentence says what, where and how sure; the machine's numbers say how many."""

import csv
import io
from typing import Any, get_args

import pytest

from assay.gate import Gate, Word
from assay.report import wording
from assay.report.content import Corrected, Judge, Provenance, Report
from assay.report.findings import Accounting, Comparison, Preference, Rate, SliceRow
from tests.cast import AT

TARGET = Accounting(planned=250, passed=200, product_failed=40, judge_failed=4, wire_failed=6, reasons={"wire: x": 6})
REASON = "the reason"


def rate(estimate: float, low: float, high: float, n: int = 240) -> Rate:
    return Rate(estimate=estimate, low=low, high=high, n=n, method="m")


def row(category: str, *, is_worse: bool = False) -> SliceRow:
    return SliceRow(
        category=category,
        n=40,
        target=rate(0.6, 0.44, 0.74, 40),
        baseline=rate(0.9, 0.77, 0.96, 40),
        change=rate(-0.3, -0.45, -0.123456789, 40),
        gained=1,
        lost=13,
        adjusted_p=0.001,
        is_worse=is_worse,
    )


def comparison(*rows: SliceRow, **changes: Any) -> Comparison:
    fields = {
        "scorers": "all",
        "target": rate(0.845, 0.7921, 0.8869),
        "baseline": rate(0.9004, 0.85, 0.93),
        "change": rate(-0.0556, -0.0914, -0.0206),
        "gained": 5,
        "lost": 18,
        "p_value": 0.01,
        "detectable": "240 cases find a change of 5.0 points",
        "slices": list(rows),
    }
    return Comparison.model_validate(fields | changes)


def report(**changes: Any) -> Report:
    """Return a report with every number that can be missing."""
    compared = comparison(row("refunds", is_worse=True), row("negation"))
    fields = {
        "produced": AT,
        "gate": Gate(word="regression", reason="r", next="n", sentence="s"),
        "provenance": Provenance(
            target="t",
            baseline="b",
            evaluation_set="e",
            released="",
            cases=250,
            without_baseline=0,
            epoch="d",
            anchors=1,
            parameters="p",
            assay="0",
        ),
        "target": TARGET,
        "baseline": TARGET,
        "everything": compared,
        "checks": compared,
        "corrected": Corrected(raw=rate(0.8, 0.7, 0.9), rate=rate(0.75, 0.6, 0.85), labels=83, frame="f", note=""),
        "preference": Preference(
            win_rate=rate(0.6, 0.5, 0.7),
            conflict=rate(0.1, 0.05, 0.2),
            wins=5,
            ties=2,
            losses=3,
            unscored=0,
            identical=1,
        ),
        "judges": [Judge(name="correctness", standing="valid", certificate=None, note="")],
        "signals": [],
        "newly_failing": [],
        "fixed": [],
        "unscored": [],
    }
    return Report.model_validate(fields | changes)


@pytest.mark.parametrize("word", get_args(Word))
@pytest.mark.parametrize("basis", [None, comparison(row("refunds", is_worse=True))])
def test_every_word_makes_a_headline(word: Word, basis: Comparison | None) -> None:
    """Whatever the word, the headline opens with it and ends with whose the failures are, each with its count."""
    said = wording.sentence(word, REASON, TARGET, basis)
    assert said.startswith(word.upper())
    assert said.endswith(" Of 250 planned cases the product failed 40, the judge 4, the wire 6.")


def test_a_regression_names_its_category_first() -> None:
    """The first sentence names the category that got worse, with counts and rates, and no other."""
    said = wording.sentence("regression", REASON, TARGET, comparison(row("refunds", is_worse=True), row("negation")))
    assert said.split(". ")[0] == ("REGRESSION in refunds: 13 of 40 cases newly fail, 1 is fixed (90.0 % to 60.0 %)")
    assert "negation" not in said


def test_a_regression_over_all_says_so() -> None:
    """Where no category is to blame the sentence says that the drop is over all cases."""
    said = wording.sentence("regression", REASON, TARGET, comparison(row("refunds")))
    assert said.startswith("REGRESSION over all cases. Overall 84.5 %")


def test_the_level_has_one_decimal_an_interval_and_its_n() -> None:
    """A pass states the rate with interval and n, the baseline and the change in points with its interval."""
    assert wording.sentence("pass", REASON, TARGET, comparison()).startswith(
        "PASS: 84.5 % (79.2 to 88.7) of 240 cases pass, was 90.0 % (change -5.6 points, -9.1 to -2.1). "
    )


def test_checks_alone_are_named() -> None:
    """A level that no judge stands behind says that checks alone gave it."""
    said = wording.sentence("uncalibrated", REASON, TARGET, comparison(scorers="checks"))
    assert said.startswith("UNCALIBRATED: the reason. So far by checks alone, 84.5 %")


def test_nothing_compared_says_what_failed() -> None:
    """Without a comparison the headline has the reason and where the cases were lost."""
    assert wording.sentence("incomplete", REASON, TARGET, None).startswith(
        "INCOMPLETE: the reason. Nothing can be compared. Of 250 planned"
    )


def test_every_rate_of_the_metrics_has_its_interval_and_n() -> None:
    """Each metric that is a rate has estimate, low, high and n, to six digits."""
    found = wording.metrics(report())
    rates = {name: value for name, value in found.items() if isinstance(value, dict) and name != "cases"}
    assert set(rates) == {"pass_rate", "change", "corrected_pass_rate", "win_rate"}
    assert all(set(value) == {"estimate", "low", "high", "n"} for value in rates.values())
    assert found["pass_rate"] == {"estimate": 0.845, "low": 0.7921, "high": 0.8869, "n": 240}
    assert found["cases"] == {"planned": 250, "passed": 200, "product_failed": 40, "judge_failed": 4, "wire_failed": 6}
    assert (found["verdict"], found["calibrated"], found["alerts"]) == ("regression", True, 0)


@pytest.mark.parametrize("judges", [[], [Judge(name="correctness", standing="expired", certificate=None, note="")]])
def test_only_valid_judges_are_calibrated(judges: list[Judge]) -> None:
    """A night without a judge, or with one that may not be believed, is not calibrated in the metrics."""
    assert wording.metrics(report(judges=judges))["calibrated"] is False


def test_what_could_not_be_measured_is_left_out() -> None:
    """A number that does not exist is absent from the metrics, never 0."""
    bare = report(everything=None, corrected=Corrected(raw=rate(1, 1, 1), rate=None, labels=3, frame="", note="n"))
    found = wording.metrics(bare.model_copy(update={"preference": None}))
    assert set(found) == {"verdict", "cases", "calibrated", "alerts"}
    assert wording.slices_csv(bare) == "category,n,baseline,target,change,low,high\n"


def test_slices_are_numbers() -> None:
    """The table for plots has a row a category with six decimals, in the report's order."""
    first, second = csv.DictReader(io.StringIO(wording.slices_csv(report())))
    assert (first["category"], second["category"]) == ("refunds", "negation")
    assert {name: float(value) for name, value in first.items() if name != "category"} == {
        "n": 40,
        "baseline": 0.9,
        "target": 0.6,
        "change": -0.3,
        "low": -0.45,
        "high": -0.123457,
    }
