"""The answer has at most so many words; a word is what stands between white space."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged
from assay.checks.form import Amount
from assay.records.case import Expectation
from assay.records.response import Response


class LengthMax(Amount):
    """The answer is no longer."""

    check: Literal["length-max", "not-length-max"]
    words: Annotated[int, Field(ge=0)]
    amount: ClassVar = "words"


FORM = LengthMax


def score(expectation: Expectation, response: Response) -> Finding:
    """Count the words of the answer."""
    words, most = len(response.text.split()), int(expectation.values[0])
    return judged(passed=words <= most, detail=f"the answer has {words} words, at most {most} are allowed")
