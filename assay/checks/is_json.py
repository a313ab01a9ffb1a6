"""The answer is one JSON value and nothing else: no prose around it, no code fence."""

from assay.checks.finding import Finding, judged, misshapen, undecided
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.checks.shape import require_values
from assay.records.case import Expectation
from assay.records.response import Response


def validate(expectation: Expectation) -> None:
    """Expect no value.

    Raises:
        DataError: It has values or calls.
    """
    require_values(expectation, 0, 0)


def score(_expectation: Expectation, response: Response) -> Finding:
    """Read the whole answer; JSON too deep to read safely is left undecided."""
    try:
        read_json(response.text)
    except NotJsonError as error:
        return misshapen(f"the answer is not JSON: {error}")
    except UnreadableError as error:
        return undecided(f"the answer cannot be read: {error}")
    return judged(passed=True, detail="the answer is JSON")
