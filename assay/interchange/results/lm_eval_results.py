"""lm-evaluation-harness' samples (`--log_samples`): one line a document and filter, with its metrics as fields.

The document's hash tells whether both files are about the same one. Where a task has several filters, one counts, the
first in the file or the one that is told, and each of them stands among the scorers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from assay.errors import DataError
from assay.interchange.flat_file import quoted
from assay.interchange.results.columns import text, value
from assay.interchange.results.options import ResultOptions
from assay.interchange.sets.source import Row, Source
from assay.records.result import TrialResult

NAME = "lm-eval"
USUAL = ("exact_match", "acc", "pass@1", "em", "acc_norm", "correct")
"""Metrics of one document that are passes and fails, where a line does not name its metrics."""
ANSWERS = frozenset({"resps", "filtered_resps"})


def recognises(found: Source) -> bool:
    """Say whether a file holds samples."""
    return found.kind == "rows" and "doc_id" in found.names() and bool(found.names() & ANSWERS)


def results(found: Source, told: ResultOptions) -> list[TrialResult]:
    """Return one result a document.

    Raises:
        DataError: It has no metric that is told or usual, or not the filter that is told.
    """
    metric = told.columns.get("passed") or _metric(found)
    groups: dict[str, list[Row]] = {}
    for place, row in found.rows:
        groups.setdefault(text(row.get("filter")), []).append((place, row))
    wanted = told.columns.get("filter", next(iter(groups)))
    if wanted not in groups:
        known = ", ".join(map(quoted, groups))
        raise DataError(f"{found.name} has no filter {quoted(wanted)} (--map), expected one of {known}: correct it")
    beside = {name: _outcomes(rows, metric, found.name, told) for name, rows in groups.items() if len(groups) > 1}
    return [
        _result(
            row, f"{found.name}, {place}", metric, {name: said.get(_key(row)) for name, said in beside.items()}, told
        )
        for place, row in groups[wanted]
    ]


def _metric(found: Source) -> str:
    _, first = found.rows[0]
    declared = first.get("metrics")
    named = declared if isinstance(declared, list) else USUAL
    metric = next((name for name in named if isinstance(name, str) and name in first), "")
    if not metric:
        raise DataError(
            f"{found.name} has none of the metrics {', '.join(USUAL)}, expected one: name it with --map passed=METRIC"
        )
    return metric


def _key(row: Mapping[str, Any]) -> str:
    return text(row.get("doc_id"))


def _outcomes(rows: Sequence[Row], metric: str, where: str, told: ResultOptions) -> dict[str, bool | None]:
    return {_key(row): _outcome(row, metric, f"{where}, {place}", told) for place, row in rows}


def _outcome(row: Mapping[str, Any], metric: str, place: str, told: ResultOptions) -> bool | None:
    if metric not in row:
        raise DataError(f"{place} has no {quoted(metric)}, expected that metric in each line: --map passed=METRIC")
    return told.outcome(row[metric], f"{place}, {quoted(metric)},")


def _result(
    row: Mapping[str, Any], place: str, metric: str, beside: Mapping[str, bool | None], told: ResultOptions
) -> TrialResult:
    named = value(row, told.columns["id"]) if "id" in told.columns else _key(row)
    if not text(named):
        raise DataError(f"{place} has no id, expected a doc_id in each line: export the samples again")
    category = value(row, told.columns["category"]) if "category" in told.columns else row.get("task")
    return TrialResult(
        text(named),
        _outcome(row, metric, place, told),
        category=text(category),
        scorers=beside,
        revision=text(row.get("doc_hash")),
    )
