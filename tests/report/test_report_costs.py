"""What a run used: nothing is made up where nothing was declared, and no word of a product is repeated."""

from typing import Any

import pytest

from assay.records.ledger import Spent
from assay.records.response import Response
from assay.report.amounts import seconds
from assay.report.costs import Latency, answers, spending, total
from tests.cast import broken, case, response


def answered(count: int, **changes: Any) -> list[Response]:
    """Return answers to as many cases, the first after 1 s, the second after 2 s."""
    return [response(case(number), latency_s=float(number + 1), **changes) for number in range(count)]


def spent(stage: str, cost_usd: float = 0.0, requests: int = 12) -> Spent:
    return Spent("2026-11-02", stage, 10, 1, requests, 300, 40, cost_usd)


def test_nothing_answered_has_no_latency() -> None:
    """A night on which every call failed has no quantile, not one of 0 s."""
    assert answers([broken(case(1))]) is None
    assert answers([]) is None


def test_what_failed_is_not_among_the_latencies() -> None:
    """A call that ran into its deadline does not lengthen the answers."""
    found = answers([*answered(20), response(case(99), status="error", error_kind="timeout", latency_s=900.0)])
    assert found
    assert (found.p95.value_s, found.p95.n, found.cases) == (19.0, 20, 20)


def test_quantiles_by_hand() -> None:
    """STATISTICS TV-7.2: of 300 answers p95 is the 285th, between the 277th and the 293rd."""
    found = answers(answered(300))
    assert found
    assert (found.p95.value_s, found.p95.low_s, found.p95.high_s) == (285.0, 277.0, 293.0)
    assert found.p50.value_s == 150.0
    assert seconds(found.p95) == "285.00 s (277.00 to 293.00)"


@pytest.mark.parametrize(("count", "has_high"), [(71, False), (72, True)])
def test_too_few_answers_have_no_upper_bound(count: int, *, has_high: bool) -> None:
    """STATISTICS 7.4: below 72 answers nobody can say how high p95 may be, and the report says `open`."""
    found = answers(answered(count))
    assert found
    assert (found.p95.high_s is not None) == has_high
    assert ("to open)" in seconds(found.p95)) == (not has_high)


def test_several_trials_have_no_interval() -> None:
    """Answers to one case are alike, so an interval that counts them all is not given."""
    both = [one.model_copy(update={"trial": trial}) for one in answered(50) for trial in (0, 1)]
    found = answers(both)
    assert found
    assert (found.p50.n, found.p50.low_s, found.cases) == (100, None, 50)
    assert seconds(found.p50) == "25.00 s"
    assert seconds(Latency(value_s=1, low_s=0.5, high_s=None, n=9)) == "1.00 s (0.50 to open)"


def test_a_case_costs_what_all_its_trials_cost() -> None:
    """Two trials of 2 cents are a case of 4; a case with an answer of unknown price is not in the mean."""
    rows = [response(case(1), trial=trial, cost_usd=0.02) for trial in (0, 1)]
    rows += [response(case(2), cost_usd=0.5), response(case(2), trial=1)]
    found = answers(rows)
    assert found
    assert (found.cost_a_case_usd, found.priced_cases, found.cases) == (pytest.approx(0.04), 1, 2)
    free = answers(answered(3))
    assert free
    assert (free.cost_a_case_usd, free.priced_cases) == (None, 0)


def test_endings_are_named_in_a_closed_list_of_words() -> None:
    """`stop` is the usual end, an empty one says nothing, and a word of the product's own is not repeated."""
    ends = ["stop", "stop", "length", "length", "content_filter", "", "<b>own</b>", "x" * 80]
    found = answers([response(case(number), finish_reason=end) for number, end in enumerate(ends)])
    assert found
    assert found.endings == {"another reason": 2, "content_filter": 1, "length": 2}
    assert found.ended == 7


def test_a_ledger_without_money_has_no_declared_price() -> None:
    """A stage that paid nothing has no cost, and a sum is that of those that paid."""
    rows = spending([spent("execute"), spent("judge", 0.25), spent("monitor", requests=0)])
    assert [row.cost_usd for row in rows] == [None, 0.25, None]
    assert [row.beyond for row in rows] == [2, 2, 0]
    both = total(rows)
    assert (both.run, both.calls, both.failed, both.requests, both.cost_usd) == ("2026-11-02", 30, 3, 24, 0.25)
    assert total(rows[:1]).cost_usd is None


def test_a_sum_names_its_runs_once_in_their_order() -> None:
    """Rows of several runs, whatever their order, are summed under each run's name once, sorted."""
    rows = [spending([spent("judge")])[0].model_copy(update={"run": f"2026-11-{day:02}"}) for day in (5, 3, 1, 4, 2, 3)]
    assert total(rows).run == "2026-11-01+2026-11-02+2026-11-03+2026-11-04+2026-11-05"


def test_an_answer_that_cost_nothing_has_a_price() -> None:
    """A price of 0 is one: its case is priced, and adds nothing to the mean."""
    found = answers([response(case(1), cost_usd=0.0), response(case(2), cost_usd=0.5)])
    assert found
    assert (found.cost_a_case_usd, found.priced_cases) == (pytest.approx(0.25), 2)
