"""Texts in an answer: the kinds `contains`, `contains-any`, `contains-all`, and their `i` forms without case.

Case is folded, not lowered, so that STRASSE is found in Straße.
"""

from collections.abc import Callable
from dataclasses import dataclass

from assay.checks.finding import Finding, judged, quote, quote_some
from assay.checks.shape import require_text, require_values
from assay.records.case import Expectation
from assay.records.response import Response


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


def find_all(values: list[str], text: str, *, fold: bool) -> Finding:
    """Look for each value as written, or case folded; none may be missing."""
    text = text.casefold() if fold else text
    missing = [value for value in values if (value.casefold() if fold else value) not in text]
    if missing:
        return judged(passed=False, detail=f"the answer lacks {quote_some(missing)}")
    return judged(passed=True, detail=f"the answer contains {quote_some(values)}")


def find_any(values: list[str], text: str, *, fold: bool) -> Finding:
    """Look for each value as written, or case folded, until one is found."""
    text = text.casefold() if fold else text
    for value in values:
        if (value.casefold() if fold else value) in text:
            return judged(passed=True, detail=f"the answer contains {quote(value)}")
    return judged(passed=False, detail=f"the answer contains none of {quote_some(values)}")


@dataclass(frozen=True)
class Substring:
    """One kind of check for texts in the answer."""

    find: Callable[..., Finding]
    fold: bool
    """In upper or lower case."""
    is_single: bool = False
    """It takes one value."""

    def validate(self, expectation: Expectation) -> None:
        """Refuse an expectation that is not written as this kind asks."""
        (expect_one if self.is_single else expect_some)(expectation)

    def score(self, expectation: Expectation, response: Response) -> Finding:
        """Look for the values."""
        return self.find(expectation.values, response.text, fold=self.fold)


KINDS = {
    "contains": Substring(find_all, fold=False, is_single=True),
    "contains-all": Substring(find_all, fold=False),
    "contains-any": Substring(find_any, fold=False),
    "icontains": Substring(find_all, fold=True, is_single=True),
    "icontains-all": Substring(find_all, fold=True),
    "icontains-any": Substring(find_any, fold=True),
}
