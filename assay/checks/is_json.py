"""The answer is one JSON value and nothing else: no prose around it, no code fence."""

from assay.checks.finding import Finding
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.checks.shape import require_values
from assay.records import Expectation, Response


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
        return Finding(passed=False, detail=f"the answer is not JSON: {error}")
    except UnreadableError as error:
        return Finding(passed=False, detail=f"the answer cannot be read: {error}", decided=False)
    return Finding(passed=True, detail="the answer is JSON")
