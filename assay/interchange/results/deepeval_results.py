"""DeepEval's test runs (`.deepeval/.latest_test_run.json`, files of `DEEPEVAL_RESULTS_FOLDER`): a metric is a scorer.

A test case is known by an id of its metadata, else by its name, and where that is only its number by what was asked.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assay.errors import DataError
from assay.interchange.flat_file import quoted
from assay.interchange.results.columns import text, value
from assay.interchange.results.options import ResultOptions, amount
from assay.interchange.sets.source import Source
from assay.records.result import TrialResult

NAME = "deepeval"
RUN = "testRunData"
"""Under it the run lies in DeepEval's file of the latest one."""
LISTS = ("testCases", "test_cases", "conversationalTestCases", "conversational_test_cases", "test_results")
NUMBERED = re.compile(r"(conversational_)?test_case_\d+")
"""The name that DeepEval gives by position."""
ABOUT = ("metadata", "additionalMetadata", "additional_metadata")
IDS = ("case_id", "id", "caseId")


def recognises(found: Source) -> bool:
    """Say whether a file is a test run."""
    return found.kind == "value" and any(isinstance(_run(found).get(name), list) for name in LISTS)


def results(found: Source, told: ResultOptions) -> list[TrialResult]:
    """Return one result a test case."""
    return [_result(one, f"{found.name}, {place}", told) for place, one in _cases(found)]


def _run(found: Source) -> Mapping[str, Any]:
    run = found.value.get(RUN)
    return run if isinstance(run, dict) else found.value


def _cases(found: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in LISTS:
        cases = _run(found).get(name)
        for number, one in enumerate(cases if isinstance(cases, list) else []):
            place = f"{name}[{number}]"
            if not isinstance(one, dict):
                raise DataError(f"{found.name}, {place} is {quoted(str(one))}, expected an object: export it again")
            yield place, one


def _result(one: Mapping[str, Any], place: str, told: ResultOptions) -> TrialResult:
    metadata = next((about for name in ABOUT if isinstance(about := one.get(name), dict) and about), {})
    named = value(one, told.columns["id"]) if "id" in told.columns else _name(one, metadata)
    if not text(named):
        raise DataError(f"{place} has neither a name nor an input, expected one: name the id with --map id=FIELD")
    category = value(one, told.columns["category"]) if "category" in told.columns else metadata.get("category")
    listed = one.get("metricsData") or one.get("metrics_data")
    metrics = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    said = {text(row.get("name")): _outcome(row, place, told) for row in metrics}
    wanted = told.columns.get("passed", "")
    if wanted in said:
        passed = said[wanted]
    else:
        passed = told.outcome(value(one, wanted or "success"), place)
        passed = None if not wanted and None in said.values() else passed
    return TrialResult(
        text(named),
        passed,
        category=text(category),
        scorers=said,
        cost_usd=amount(one.get("tokenCost")),
        latency_s=amount(one.get("completionTime")),
    )


def _outcome(row: Mapping[str, Any], place: str, told: ResultOptions) -> bool | None:
    """Return what a metric says; one that ended in an error says nothing."""
    return None if row.get("error") else told.outcome(row.get("success"), place)


def _name(one: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    given = next((metadata[name] for name in IDS if metadata.get(name) not in (None, "")), None)
    name = text(one.get("name"))
    if given is not None or (name and not NUMBERED.fullmatch(name)):
        return name if given is None else text(given)
    return text(one.get("input") or one.get("scenario") or name)
