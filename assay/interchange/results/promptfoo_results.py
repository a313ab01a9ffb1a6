"""promptfoo's results (`promptfoo eval -o results.json`, or .jsonl): a test is a case, each assertion a check.

A test has no id of its own that would last, so it is known by what its metadata calls it, or else by its description
and variables. A test that is there again is a further trial (`--repeat`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assay.errors import DataError
from assay.interchange.flat_file import quoted
from assay.interchange.results.columns import text, value
from assay.interchange.results.options import ResultOptions, amount
from assay.interchange.sets.promptfoo import IDS
from assay.interchange.sets.source import Row, Source
from assay.records.result import TrialResult

NAME = "promptfoo"
ERROR = 2
"""promptfoo's reason of a failure that is an error and no verdict."""
PASSING = ("_conversation", "sessionId")
"""Variables that differ from run to run."""


def recognises(found: Source) -> bool:
    """Say whether a file holds results of promptfoo."""
    if found.kind == "value":
        results_ = found.value.get("results")
        return isinstance(results_, dict) and isinstance(results_.get("results"), list)
    return found.kind == "rows" and not found.is_table and {"gradingResult", "success"} <= found.names()


def results(found: Source, told: ResultOptions) -> list[TrialResult]:
    """Return one result a test and repeat.

    Raises:
        DataError: Several providers or prompts were asked, so that there is not one version.
    """
    rows = found.rows if found.kind == "rows" else list(_rows(found))
    asked = sorted({_version(row) for _, row in rows})
    if len(asked) > 1:
        listed = ", ".join(map(quoted, asked[:5]))
        raise DataError(
            f"{found.name} has results of {len(asked)} providers or prompts ({listed}), expected those of one: write a "
            "file of each with `promptfoo eval --filter-providers` or `--filter-prompts`"
        )
    return [_result(row, f"{found.name}, {place}", told) for place, row in rows]


def _rows(found: Source) -> Iterator[Row]:
    for number, one in enumerate(found.value["results"]["results"]):
        if not isinstance(one, dict):
            raise DataError(
                f"{found.name}, results[{number}] is {quoted(str(one))}, expected an object: export it again"
            )
        yield f"results[{number}]", one


def _version(row: Mapping[str, Any]) -> str:
    provider = row.get("provider")
    named = provider if isinstance(provider, dict) else {"id": provider}
    return f"{text(named.get('label') or named.get('id'))}, prompt {text(row.get('promptIdx') or 0)}"


def _result(row: Mapping[str, Any], place: str, told: ResultOptions) -> TrialResult:
    test = _object(row.get("testCase"))
    metadata = _object(test.get("metadata"))
    named = value(row, told.columns["id"]) if "id" in told.columns else _name(row, test, metadata)
    if not text(named):
        raise DataError(f"{place} has no id in {quoted(told.columns['id'])}, expected one in each test: name another")
    category = value(row, told.columns["category"]) if "category" in told.columns else metadata.get("category")
    is_lost = row.get("failureReason") == ERROR or (row.get("gradingResult") is None and bool(row.get("error")))
    said = told.outcome(value(row, told.columns.get("passed", "success")), place)
    latency = amount(row.get("latencyMs"))
    return TrialResult(
        text(named),
        None if is_lost else said,
        category=text(category),
        scorers=_checks(_object(row.get("gradingResult")).get("componentResults")),
        cost_usd=amount(row.get("cost")),
        latency_s=None if latency is None else latency / 1000,
    )


def _name(row: Mapping[str, Any], test: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Return what a test is known by in every file."""
    given = next((metadata[name] for name in IDS if metadata.get(name) not in (None, "")), None)
    if given is not None:
        return text(given)
    variables = _object(row.get("vars")) or _object(test.get("vars"))
    lasting = {name: one for name, one in variables.items() if name not in PASSING}
    described = text(test.get("description"))
    if not lasting:
        return described or f"test {text(row.get('testIdx'))}"
    return f"{described} {json.dumps(lasting, ensure_ascii=False, sort_keys=True)}".strip()


def _checks(components: object) -> dict[str, bool | None]:
    """Return by type of assertion, or by its metric, whether all of that kind pass."""
    said: dict[str, bool | None] = {}
    for one in components if isinstance(components, Sequence) and not isinstance(components, str) else ():
        assertion = _object(_object(one).get("assertion"))
        name = text(assertion.get("metric") or assertion.get("type"))
        passed = _object(one).get("pass")
        if name and isinstance(passed, bool):
            said[name] = passed and said.get(name, True)
    return said


def _object(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
