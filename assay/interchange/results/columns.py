"""Results in rows of anybody's: one row a case and trial, or one a case, trial and scorer, under usual names.

A column is found by its name, whatever its case, or told by the user. An id that occurs again is a further trial; where
a column names the scorer of each row it is another scorer's word on the same trial.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from assay.errors import DataError
from assay.interchange.flat_file import quoted
from assay.interchange.results.options import ResultOptions, amount
from assay.interchange.sets.source import Row
from assay.records.result import TrialResult

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "case_id", "caseid", "case", "test_id", "sample_id", "item_id", "example_id", "question_id", "qid"),
    "passed": ("passed", "pass", "success", "verdict", "outcome", "result", "correct", "is_correct", "label", "score"),
    "category": ("category", "slice", "segment", "topic", "group"),
    "family": ("family", "parent"),
    "layer": ("layer",),
    "cost": ("cost_usd", "cost", "total_cost"),
    "latency": ("latency_s", "latency", "latency_ms", "duration_s", "duration", "duration_ms"),
}
"""Usual names, the likeliest first."""
SCORER = ("scorer", "judge", "check", "metric", "grader")
"""A column that names who gave the row's verdict, or has the verdict of the one that it is called after."""
TRIAL = ("trial", "epoch", "repeat", "attempt", "repetition")
GROUPS = ("category", "family", "layer")
MILLI = "_ms"
LISTED = 20


def results(rows: Sequence[Row], where: str, told: ResultOptions) -> list[TrialResult]:
    """Return one result a case and trial.

    Args:
        rows: What a message calls each row, and its fields.
        where: What a message calls the file.
        told: What the user tells.

    Raises:
        DataError: There is no row, no id or outcome in a row, or no column for them.
    """
    if not rows:
        raise DataError(f"{where} holds no result, expected one row a case: add the rows")
    names = list(dict.fromkeys(name for _, row in rows[:LISTED] for name in row))
    found = {role: _column(role, names, rows, where, told) for role in NAMES}
    for role in ("id", "passed"):
        if not found[role]:
            raise DataError(
                f"{where} has no column for the {'id of a case' if role == 'id' else 'outcome'}, found "
                f"{', '.join(map(quoted, names[:LISTED]))}, expected such as {NAMES[role][0]!r}: name it with --map "
                f"{role}=COLUMN"
            )
    beside = [name for name in names if name.casefold() in SCORER and name != found["passed"]]
    named = next((name for name in beside if not _are_outcomes(name, rows, told)), "")
    read = [
        _result(row, f"{where}, {place}", found, [name for name in beside if name != named], told)
        for place, row in rows
    ]
    return _by_trial(rows, read, named, names) if named else read


def value(row: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a row has under a name, or under a dotted path; None where there is nothing."""
    if name in row or "." not in name:
        return row.get(name)
    found: Any = row
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def text(found: object) -> str:
    """Return the name of a case or a category as text: 3 and 3.0 are one."""
    if found is None:
        return ""
    return str(int(found)) if isinstance(found, float) and found.is_integer() else str(found).strip()


def _column(role: str, names: Sequence[str], rows: Sequence[Row], where: str, told: ResultOptions) -> str:
    """Return the column of a role; empty where there is none."""
    if role in told.columns:
        name = told.columns[role]
        if all(value(row, name) is None for _, row in rows):
            listed = ", ".join(map(quoted, names[:LISTED]))
            raise DataError(f"{where} has no column {quoted(name)} (--map), expected one of {listed}: correct it")
        return name
    by_plain = {name.strip().casefold(): name for name in reversed(names)}
    return next((by_plain[usual] for usual in NAMES[role] if usual in by_plain), "")


def _result(
    row: Mapping[str, Any], place: str, found: Mapping[str, str], scorers: Sequence[str], told: ResultOptions
) -> TrialResult:
    name = text(value(row, found["id"]))
    if not name:
        raise DataError(f"{place} has no id in the column {quoted(found['id'])}, expected one in each row: write it")
    category, family, layer = (text(value(row, found[role])) if found[role] else "" for role in GROUPS)
    column = found["passed"]
    latency = amount(value(row, found["latency"])) if found["latency"] else None
    is_milli = found["latency"].casefold().endswith(MILLI)
    return TrialResult(
        name,
        told.outcome(value(row, column), f"{place}, column {quoted(column)},"),
        category=category,
        family=family,
        layer=layer,
        scorers={one: told.outcome(value(row, one), f"{place}, column {quoted(one)},") for one in scorers},
        cost_usd=amount(value(row, found["cost"])) if found["cost"] else None,
        latency_s=latency / 1000 if latency is not None and is_milli else latency,
    )


def _are_outcomes(name: str, rows: Sequence[Row], told: ResultOptions) -> bool:
    """Tell whether a column has verdicts, and no names of scorers."""
    try:
        for _, row in rows[:LISTED]:
            told.outcome(row.get(name), "")
    except DataError:
        return False
    return True


def _by_trial(rows: Sequence[Row], read: Sequence[TrialResult], named: str, names: Sequence[str]) -> list[TrialResult]:
    """Return one result a trial of rows that are each one scorer's: it passes when all of them pass it.

    Without a column that numbers the trials, a scorer's second word on a case is of the second trial.
    """
    trial = next((name for name in names if name.strip().casefold() in TRIAL), "")
    met: Counter[tuple[str, str]] = Counter()
    groups: dict[tuple[str, str], list[tuple[str, TrialResult]]] = {}
    for (_, row), one in zip(rows, read, strict=True):
        scorer = text(row.get(named))
        met[one.case_id, scorer] += 1
        number = text(row.get(trial)) if trial else str(met[one.case_id, scorer])
        groups.setdefault((one.case_id, number), []).append((scorer, one))
    return [_joined(group) for group in groups.values()]


def _joined(group: Sequence[tuple[str, TrialResult]]) -> TrialResult:
    said = [one.passed for _, one in group]
    costs = [one.cost_usd for _, one in group if one.cost_usd is not None]
    return group[0][1]._replace(
        passed=None if None in said else all(said),
        scorers={scorer: one.passed for scorer, one in group},
        cost_usd=sum(costs) if costs else None,
    )
