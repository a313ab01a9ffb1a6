"""The answer begins with one text, compared as `folding` has it; white space before it does not count."""

from typing import Annotated, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged, quote
from assay.checks.folding import both_compared
from assay.checks.form import Filled, Texts
from assay.records.case import Expectation
from assay.records.response import Response


class StartsWith(Texts):
    """The answer begins with a text."""

    check: Literal["starts-with", "not-starts-with"]
    values: Annotated[list[Filled], Field(min_length=1, max_length=1)]


FORM = StartsWith


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the opening of the answer with the one value."""
    (wanted,) = expectation.values
    answer, plain = both_compared(expectation, response.text, wanted)
    passed = answer.lstrip().startswith(plain.lstrip())
    return judged(passed=passed, detail=f"the answer begins with {quote(response.text)}, expected {quote(wanted)}")
