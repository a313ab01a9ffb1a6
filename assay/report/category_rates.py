"""Pass rates by category in one night, whether or not there is a baseline to compare with."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf
from typing import Literal

from assay.records.case import Case
from assay.records.record import Record
from assay.report.findings import CaseOutcome, Outcomes, Rate, rate
from assay.stats.rates import wilson


class CategoryRate(Record):
    """One category, or all of them together: how many cases pass, of those that have an outcome."""

    category: str
    passed: int
    failed: int
    without: int
    """Cases without an outcome."""
    rate: Rate | None
    """Wilson, as every pass rate of the report; None where no case has an outcome."""


class CategoryRates(Record):
    """Tonight's pass rates under one choice of scorers."""

    scorers: Literal["all", "checks"]
    rows: list[CategoryRate]
    """The lowest pass rate first, categories without an outcome last."""
    overall: CategoryRate


def category_rates(
    scorers: Literal["all", "checks"], categories: Mapping[str, str], outcomes: Outcomes
) -> CategoryRates | None:
    """Return the pass rate of each category; None where no case has an outcome.

    Args:
        scorers: Which scorers the outcomes come from.
        categories: Category by case.
        outcomes: Of the version under test.
    """
    groups: dict[str, list[CaseOutcome]] = defaultdict(list)
    for case_id, outcome in outcomes.by_case.items():
        groups[categories[case_id]].append(outcome)
    overall = _row("all cases", list(outcomes.by_case.values()))
    if overall.rate is None:
        return None
    rows = [_row(name, group) for name, group in groups.items()]
    rows.sort(key=lambda row: (row.rate.estimate if row.rate else inf, row.category))
    return CategoryRates(scorers=scorers, rows=rows, overall=overall)


def both_rates(cases: Sequence[Case], everything: Outcomes, checks: Outcomes) -> list[CategoryRates]:
    """Return the pass rates by all scorers and by checks alone, as far as there are any."""
    categories = {case.case_id: case.category for case in cases}
    found = (category_rates("all", categories, everything), category_rates("checks", categories, checks))
    return [rates for rates in found if rates]


def _row(category: str, group: Sequence[CaseOutcome]) -> CategoryRate:
    passed, failed = group.count("pass"), group.count("fail")
    return CategoryRate(
        category=category,
        passed=passed,
        failed=failed,
        without=len(group) - passed - failed,
        rate=rate(wilson(passed, passed + failed)) if passed + failed else None,
    )
