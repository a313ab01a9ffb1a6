"""The answer has at least so many words; a word is what stands between white space."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged
from assay.checks.form import Amount
from assay.records.case import Expectation
from assay.records.response import Response


class LengthMin(Amount):
    """The answer is no shorter."""

    check: Literal["length-min", "not-length-min"]
    words: Annotated[int, Field(ge=0)]
    amount: ClassVar = "words"

    def can_fail(self) -> bool:
        """Tell whether it asks for a word, or for the opposite of what every answer has."""
        return self.words > 0 or self.check != "length-min"


FORM = LengthMin


def score(expectation: Expectation, response: Response) -> Finding:
    """Count the words of the answer."""
    words, least = len(response.text.split()), int(expectation.values[0])
    return judged(passed=words >= least, detail=f"the answer has {words} words, at least {least} are asked for")
