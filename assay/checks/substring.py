"""Texts in an answer: the kinds `contains`, `contains-any`, `contains-all`, and their `i` forms without case.

Texts are compared as `folding` has them. Case is folded, not lowered, so that STRASSE is found in Straße.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged, quote, quote_some
from assay.checks.folding import both_compared
from assay.checks.form import Filled, Texts
from assay.records.case import Expectation
from assay.records.response import Response

Occurs = Callable[[str], bool]
"""Tells whether a value stands in the answer."""


class OneText(Texts):
    """The answer holds a text; `icontains` takes upper and lower case for the same.

    Texts are compared as `folding` has them. Case is folded, not lowered, so that STRASSE is found in Straße.
    """

    check: Literal["contains", "not-contains", "icontains", "not-icontains"]
    values: Annotated[list[Filled], Field(min_length=1, max_length=1)]


class AllTexts(Texts):
    """The answer holds each of some texts, `icontains-all` in upper or lower case."""

    check: Literal["contains-all", "not-contains-all", "icontains-all", "not-icontains-all"]
    values: Annotated[list[Filled], Field(min_length=1)]


class AnyText(Texts):
    """The answer holds one of some texts, `icontains-any` in upper or lower case."""

    check: Literal["contains-any", "not-contains-any", "icontains-any", "not-icontains-any"]
    values: Annotated[list[Filled], Field(min_length=1)]


def find_all(values: list[str], occurs: Occurs) -> Finding:
    """Look for each value; none may be missing."""
    missing = [value for value in values if not occurs(value)]
    if missing:
        return judged(passed=False, detail=f"the answer lacks {quote_some(missing)}")
    return judged(passed=True, detail=f"the answer contains {quote_some(values)}")


def find_any(values: list[str], occurs: Occurs) -> Finding:
    """Look for each value until one is found."""
    for value in values:
        if occurs(value):
            return judged(passed=True, detail=f"the answer contains {quote(value)}")
    return judged(passed=False, detail=f"the answer contains none of {quote_some(values)}")


@dataclass(frozen=True)
class Substring:
    """One kind of check for texts in the answer."""

    FORM: type[Texts]
    find: Callable[[list[str], Occurs], Finding]
    ignores_case: bool = False

    def score(self, expectation: Expectation, response: Response) -> Finding:
        """Look for the values."""

        def occurs(value: str) -> bool:
            answer, wanted = both_compared(expectation, response.text, value)
            return wanted.casefold() in answer.casefold() if self.ignores_case else wanted in answer

        return self.find(expectation.values, occurs)


KINDS = {
    "contains": Substring(OneText, find_all),
    "contains-all": Substring(AllTexts, find_all),
    "contains-any": Substring(AnyText, find_any),
    "icontains": Substring(OneText, find_all, ignores_case=True),
    "icontains-all": Substring(AllTexts, find_all, ignores_case=True),
    "icontains-any": Substring(AnyText, find_any, ignores_case=True),
}
