"""inspect_ai's logs: an epoch is a trial, each scorer's value is a verdict, and a sample passes when all pass it."""

from collections.abc import Iterator, Mapping
from typing import Any

from assay.errors import DataError
from assay.interchange.flat_file import quoted
from assay.interchange.results.columns import text, value
from assay.interchange.results.options import ResultOptions, amount
from assay.interchange.sets import inspect_log
from assay.interchange.sets.builder import Filling, Gathering
from assay.interchange.sets.source import Source
from assay.records.record import digest
from assay.records.result import TrialResult

NAME = "inspect"
NOBODY = Filling("", "unit", "")


def recognises(found: Source) -> bool:
    """Say whether a file is a log."""
    return found.kind != "rows" and inspect_log.recognises(found)


def results(found: Source, told: ResultOptions) -> list[TrialResult]:
    """Return one result a sample and epoch; a sample that ended in an error has none."""
    samples = inspect_log.samples(found, Gathering(found.name, NOBODY))
    return [_result(sample, f"{found.name}, {place}", told) for place, sample in samples]


def _result(sample: Mapping[str, Any], place: str, told: ResultOptions) -> TrialResult:
    name = text(value(sample, told.columns.get("id", "id")))
    if not name:
        raise DataError(f"{place} has no id, expected one in each sample: export the log again")
    said = dict(_said(sample, place, told))
    wanted = told.columns.get("passed", "")
    if wanted and wanted not in said and sample.get("scores"):
        known = ", ".join(map(quoted, said))
        raise DataError(f"{place} has no score {quoted(wanted)} (--map), expected one of {known}: correct it")
    outcomes = [said.get(wanted)] if wanted else list(said.values())
    is_lost = bool(sample.get("error")) or not outcomes or None in outcomes
    about = sample.get("metadata")
    metadata = about if isinstance(about, dict) else {}
    category = value(sample, told.columns["category"]) if "category" in told.columns else metadata.get("category")
    return TrialResult(
        name,
        None if is_lost else all(outcomes),
        category=text(category),
        scorers=said if len(said) > 1 else {},
        latency_s=amount(sample.get("total_time")),
        revision=digest({"input": _stable(sample.get("input")), "target": sample.get("target")}),
    )


def _said(sample: Mapping[str, Any], place: str, told: ResultOptions) -> Iterator[tuple[str, bool | None]]:
    """Yield what each scorer says; one that gives several values has a name for each."""
    scores, wanted = sample.get("scores"), told.columns.get("passed", "")
    for scorer, score in scores.items() if isinstance(scores, dict) else ():
        given = score.get("value") if isinstance(score, dict) else score
        named = given if isinstance(given, dict) else {"": given}
        for part, one in named.items():
            name = f"{scorer}.{part}" if part else scorer
            if wanted in ("", name):
                yield name, told.outcome(one, f"{place}, score {quoted(name)},")


def _stable(found: object) -> object:
    """Return an input without the ids that a log gives to its messages anew in each run."""
    if not isinstance(found, list):
        return found
    return [{name: one.get(name) for name in ("role", "content")} if isinstance(one, dict) else one for one in found]
