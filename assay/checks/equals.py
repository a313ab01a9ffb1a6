"""The answer is one text, compared as `folding` has it; white space around it does not count."""

from typing import Annotated, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged, quote
from assay.checks.folding import both_compared
from assay.checks.form import Texts
from assay.records.case import Expectation
from assay.records.response import Response


class Equals(Texts):
    """The answer is one text."""

    check: Literal["equals", "not-equals"]
    values: Annotated[list[str], Field(min_length=1, max_length=1)]


FORM = Equals


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the answer with the one value, letter by letter."""
    (wanted,) = expectation.values
    answer, plain = both_compared(expectation, response.text, wanted)
    if answer.strip() == plain.strip():
        return judged(passed=True, detail=f"the answer is {quote(wanted)}")
    return judged(passed=False, detail=f"the answer is {quote(response.text)}, expected {quote(wanted)}")
