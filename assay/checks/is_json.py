"""The answer is one JSON value and nothing else: no prose around it, no code fence."""

from typing import Literal

from assay.checks.finding import Finding, judged, misshapen, undecided
from assay.checks.form import Form
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.records.case import Expectation
from assay.records.response import Response


class IsJson(Form):
    """The answer is JSON."""

    check: Literal["is-json", "not-is-json"]


FORM = IsJson


def score(_expectation: Expectation, response: Response) -> Finding:
    """Read the whole answer; JSON too deep to read safely is left undecided."""
    try:
        read_json(response.text)
    except NotJsonError as error:
        return misshapen(f"the answer is not JSON: {error}")
    except UnreadableError as error:
        return undecided(f"the answer cannot be read: {error}")
    return judged(passed=True, detail="the answer is JSON")
