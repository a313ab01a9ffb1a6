"""Texts in an answer: the kinds `contains`, `contains-any`, `contains-all`, and their `i` forms without case.

Texts are compared as `folding` has them. Case is folded, not lowered, so that STRASSE is found in Straße.
"""

from collections.abc import Callable
from dataclasses import dataclass

from assay.checks.finding import Finding, judged, quote, quote_some
from assay.checks.folding import both_compared
from assay.checks.shape import require_text, require_values
from assay.records.case import Expectation
from assay.records.response import Response

Occurs = Callable[[str], bool]
"""Tells whether a value stands in the answer."""


def expect_one(expectation: Expectation) -> None:
    """Expect one value that is not blank.

    Raises:
        DataError: It has none, several, a blank one, or calls.
    """
    require_values(expectation, 1, 1)
    require_text(expectation)


def expect_some(expectation: Expectation) -> None:
    """Expect one or more values that are not blank.

    Raises:
        DataError: It has none, a blank one, or calls.
    """
    require_values(expectation, 1, None)
    require_text(expectation)


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

    find: Callable[[list[str], Occurs], Finding]
    ignores_case: bool = False
    is_single: bool = False
    """It takes one value."""

    def validate(self, expectation: Expectation) -> None:
        """Refuse an expectation that is not written as this kind asks."""
        (expect_one if self.is_single else expect_some)(expectation)

    def score(self, expectation: Expectation, response: Response) -> Finding:
        """Look for the values."""

        def occurs(value: str) -> bool:
            answer, wanted = both_compared(expectation, response.text, value)
            return wanted.casefold() in answer.casefold() if self.ignores_case else wanted in answer

        return self.find(expectation.values, occurs)


KINDS = {
    "contains": Substring(find_all, is_single=True),
    "contains-all": Substring(find_all),
    "contains-any": Substring(find_any),
    "icontains": Substring(find_all, ignores_case=True, is_single=True),
    "icontains-all": Substring(find_all, ignores_case=True),
    "icontains-any": Substring(find_any, ignores_case=True),
}
