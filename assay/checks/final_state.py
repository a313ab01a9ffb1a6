"""The environment ended in the state that was asked for: what the product did, whatever it said.

Each value is a JSON object such as `{"path": "$.orders['PL-1042'].status", "equals": "refunded"}`. The path is one of
`paths`; where it leads to several places, each must be so. All values must hold.
"""

from typing import Any

from assay.checks.differences import differences
from assay.checks.finding import Finding, judged, quote, undecided
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.checks.paths import places
from assay.checks.shape import read_options, require_path, require_values
from assay.records.case import Expectation
from assay.records.response import Response


def validate(expectation: Expectation) -> None:
    """Expect one or more JSON objects with `path` and `equals`.

    Raises:
        DataError: A value is anything else.
    """
    require_values(expectation, 1, None)
    for value in expectation.values:
        _wanted(expectation, value)


def score(expectation: Expectation, response: Response) -> Finding:
    """Look up each path in the end state; a state that cannot be read is left undecided."""
    try:
        state = read_json(response.final_state)
    except (NotJsonError, UnreadableError) as error:
        return undecided(f"the final state cannot be read: {error}")
    for value in expectation.values:
        path, expected = _wanted(expectation, value)
        try:
            found = places(path, state)
        except LookupError as error:
            return judged(passed=False, detail=f"the final state has no {quote(path)}: {error}")
        for place in found:
            if first := next(differences(expected, place.value, subset=False, at=place.location), None):
                return judged(passed=False, detail=str(first))
    return judged(passed=True, detail=f"the final state holds all {len(expectation.values)} values")


def _wanted(expectation: Expectation, value: str) -> tuple[str, Any]:
    """Return path and expected value of one entry, or refuse it."""
    entry = read_options(expectation, value, required={"path": "text", "equals": "any JSON value"})
    require_path(expectation, entry["path"])
    return entry["path"], entry["equals"]
