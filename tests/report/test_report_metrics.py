"""The machine's numbers: every rate with its interval and n, every count a count, and nothing in place of nothing."""

import csv
import io
from typing import Any

import pytest
import sample_report as sample

from assay.records.optional import Failure
from assay.records.parts import PARTS
from assay.report.content import Judge
from assay.report.grounds import Grounds
from assay.report.joint import Joint
from assay.report.judged import Change
from assay.report.metrics import metrics, slices_csv

NO_RATE = {"cases", "judges", "product_failed", "trials", "latency_s", "endings", "used"}


def test_every_rate_of_the_metrics_has_its_interval_and_n() -> None:
    """Each metric that is a rate has estimate, low, high and n, to six digits, and what it rests on."""
    found = metrics(sample.report(steadiness=sample.steadiness()))
    rates = {name: value for name, value in found.items() if isinstance(value, dict) and name not in NO_RATE}
    assert set(rates) == {
        *("pass_rate", "change", "answered_pass_rate"),
        *("pass_hat_1", "pass_hat_2", "pass_hat_3", "pass_at_3"),
    }
    judges = found["judges"]
    rates |= {"corrected": judges["correctness"]["corrected_pass_rate"], "win_rate": judges["preference"]["win_rate"]}
    assert all(set(value) == {"estimate", "low", "high", "n", "basis"} for value in rates.values())
    assert judges["correctness"]["corrected_pass_rate"] == {
        "estimate": 0.841,
        "low": 0.782,
        "high": 0.894,
        "n": 251,
        "basis": "corrected by 100 human labels",
    }
    assert found["basis"] == found["pass_rate"]["basis"] == "raw, checks and judges, certified"
    assert all(value["estimate"] == round(value["estimate"], 6) for value in rates.values())
    assert (found["verdict"], found["calibrated"], found["alerts"]) == ("regression", True, 1)


def test_figures_have_six_digits() -> None:
    """More would be noise in a diff of two commits, fewer would hide a change."""
    thirds = sample.rate(2 / 3, 1 / 3, 8 / 9)
    found = metrics(sample.report(corrected=sample.CORRECTED.model_copy(update={"rate": thirds})))
    figure = found["judges"]["correctness"]["corrected_pass_rate"]
    assert (figure["estimate"], figure["low"], figure["high"]) == (0.666667, 0.333333, 0.888889)
    cost = sample.answers(cost_a_case_usd=1 / 3)
    spent = [sample.spent(cost_usd=1 / 3)]
    priced = metrics(sample.report(answers=cost, spent=spent))
    assert (priced["cost_a_case_usd"], priced["used"]["all"]["cost_usd"]) == (0.333333, 0.333333)


@pytest.mark.parametrize(
    ("k", "every"), [(0, ""), (2, ", all 2 trials of a case pass"), (3, ", all 3 trials of a case pass")]
)
def test_of_several_trials_the_rate_says_that_all_have_to_pass(k: int, every: str) -> None:
    """With one trial a case there is nothing to say."""
    steady = sample.steadiness(k=k) if k else None
    found = metrics(sample.report(steadiness=steady))
    assert found["answered_pass_rate"]["basis"] == f"{found['basis']}{every}"


def test_the_parts_sum_to_the_planned_cases() -> None:
    """Passed, failed by answer, format, judge and wire, and unscorable are all planned cases, each counted once."""
    found = metrics(sample.report())
    cases, kinds = found["cases"], found["product_failed"]
    assert cases == {
        "planned": 254,
        "passed": 214,
        "product_failed": 37,
        "judge_failed": 1,
        "wire_failed": 2,
        "unscorable": 0,
    }
    assert kinds == {"answer": 32, "format": 5}
    assert cases["passed"] + sum(kinds.values()) + cases["judge_failed"] + cases["wire_failed"] == cases["planned"]
    assert (found["answered_pass_rate"]["n"], found["error_share"]) == (251, round(3 / 254, 6))


def test_what_was_used_is_there_by_stage_and_in_sum() -> None:
    """Each stage has its row of the ledger; where no price is declared there is no cost, and none is made up."""
    found = metrics(sample.report())["used"]
    assert set(found) == {"execute", "judge", "all"}
    assert (found["execute"]["cost_usd"], found["all"]["cost_usd"]) == (1.2345, 1.2345)
    assert "cost_usd" not in found["judge"]
    assert found["all"]["calls"] == found["execute"]["calls"] + found["judge"]["calls"] == 1554


NO_BLOCKING = [Judge(name="tone", standing="valid", blocks=False, certificate=None, note="")]


@pytest.mark.parametrize(
    "judges", [[], [Judge(name="correctness", standing="expired", certificate=None, note="")], NO_BLOCKING]
)
def test_only_valid_judges_are_calibrated(judges: list[Judge]) -> None:
    """A night without a judge that blocks, or with one that may not be believed, is not calibrated in the metrics."""
    assert metrics(sample.report(judges=judges))["calibrated"] is False


def test_a_judge_that_was_asked_nothing_keeps_no_night_uncalibrated() -> None:
    """Where one blocking judge is certified and another had no case to judge, the night is calibrated."""
    asked = Judge(name="tone", standing="valid", certificate=None, note="")
    unasked = Judge(name="correctness", standing="none", certificate=None, note="", spoke=False)
    assert metrics(sample.report(judges=[asked, unasked]))["calibrated"] is True


def test_what_could_not_be_measured_is_left_out() -> None:
    """A number that does not exist is absent from the metrics, never 0."""
    nothing: dict[str, Any] = dict.fromkeys(("everything", "pairs", "answers"))
    corrected = sample.CORRECTED.model_copy(update={"rate": None})
    bare = sample.report(**nothing, spent=[], corrected=corrected, target=sample.empty_accounting())
    assert set(metrics(bare)) == {*("verdict", "cases", "calibrated", "basis", "judges", "product_failed", "alerts")}
    of_judge = metrics(bare)["judges"]["correctness"]
    assert set(of_judge) == {"standing", "version", "pass_rate", "corrected_by", "change"}
    assert of_judge["corrected_by"] == {"labels": sample.CORRECTED.labels, "split": 0, "note": sample.CORRECTED.note}
    assert set(metrics(bare)["judges"]["preference"]) == {"standing", "version"}
    assert slices_csv(bare) == "category,n,baseline,target,change,low,high,level,basis\n"
    unpriced = sample.report(answers=sample.answers(cost_a_case_usd=None, priced_cases=0))
    assert "cost_a_case_usd" not in metrics(unpriced)


@pytest.mark.parametrize(
    ("is_lost", "states", "alerts"),
    [(True, [], None), (True, ["alert"], 1), (False, [], 0), (False, ["watch", "alert", "quiet", "alert"], 2)],
)
def test_alerts_are_counted_unless_nobody_looked(is_lost: bool, states: list[str], alerts: int | None) -> None:  # noqa: FBT001
    """Without a signal there are none; where monitoring was lost and left no signal there is no number at all."""
    failures = [Failure(part=PARTS["signals"], note="lost")] if is_lost else []
    signals = [sample.signal(state=state) for state in states]
    assert metrics(sample.report(failures=failures, signals=signals)).get("alerts") == alerts


def test_a_judge_says_how_many_cases_it_was_not_asked_about() -> None:
    """As far as there are any, beside what it is not certified for and how often it said what."""
    held = sample.certificate().model_copy(update={"excepted": ["allergens"]})
    told = Judge(name="x", standing="valid", certificate=held, note="", unasked=3, said={"warm": 2})
    silent = Judge(name="y", standing="valid", certificate=sample.certificate(), note="")
    found = metrics(sample.report(judges=[told, silent]))["judges"]
    plain = {"standing": "valid", "version": ""}
    assert found["x"] == plain | {"unasked": 3, "said": {"warm": 2}, "excepted": ["allergens"]}
    assert found["y"] == plain


def test_what_people_say_of_whole_cases_is_there_with_what_it_rests_on() -> None:
    """Rate and change as far as the labels carry them, by how many labels for which judges."""
    moved = Change(raw=-0.02, judged=90, changed=60, rate=sample.rate(-0.01, -0.05, 0.03), labels=30, note="")
    whole = Joint(
        judges=["tone", "truth"],
        raw=sample.rate(0.8, 0.7, 0.9),
        rate=sample.rate(0.78, 0.71, 0.85),
        labels=40,
        note="",
        change=moved,
    )
    found = metrics(sample.report(joint=whole))
    behind = "corrected by 40 cases that people labelled for tone, truth"
    assert found["joint"] == {"judges": ["tone", "truth"], "labels": 40, "note": "", "basis": behind}
    assert found["corrected_pass_rate"] == {"estimate": 0.78, "low": 0.71, "high": 0.85, "n": 100, "basis": behind}
    assert found["corrected_change"] == {
        "estimate": -0.01,
        "low": -0.05,
        "high": 0.03,
        "n": 100,
        "basis": "corrected by 30 cases that people labelled in both versions",
    }
    bare = metrics(sample.report(joint=whole.model_copy(update={"rate": None, "change": None, "note": "too few"})))
    assert bare["joint"]["note"] == "too few"
    assert not {"corrected_pass_rate", "corrected_change"} & set(bare)
    assert "joint" not in metrics(sample.report())


@pytest.mark.parametrize(("kind", "bounds"), [("assumed", {"laxer", "stricter"}), ("labelled", set())])
def test_what_the_gate_takes_from_judges_is_there(kind: Any, bounds: set[str]) -> None:
    """How its word was held, until which laxness and strictness where nobody labelled it, and the change."""
    grounds = Grounds(
        kind=kind, worse=["x"], change=sample.rate(-0.02, -0.06, 0.02), laxer=0.1234567, places={"x": 0.2}, sentence=""
    )
    found = metrics(sample.report(grounds=grounds))["judge_transfer"]
    assert set(found) == {"basis", "change", *bounds}
    assert (found["basis"], found["change"]["low"]) == (kind, -0.06)
    if bounds:
        assert (found["laxer"], found["stricter"]) == (0.123457, 0.2)
    none = metrics(sample.report(grounds=grounds.model_copy(update={"change": None})))["judge_transfer"]
    assert "change" not in none


def test_slices_are_numbers() -> None:
    """The table for plots has a row a category with six decimals, in the report's order."""
    report = sample.report()
    assert report.everything
    rows = list(csv.DictReader(io.StringIO(slices_csv(report))))
    assert [row["category"] for row in rows] == [row.category for row in report.everything.slices]
    first = report.everything.slices[0]
    assert rows[0].pop("basis") == "raw, checks and judges, certified"
    assert {name: float(value) for name, value in rows[0].items() if name != "category"} == {
        "n": first.n,
        "baseline": round(first.baseline.estimate, 6),
        "target": round(first.target.estimate, 6),
        "change": round(first.change.estimate, 6),
        "low": round(first.change.low, 6),
        "high": round(first.change.high, 6),
        "level": 0.99375,
    }
