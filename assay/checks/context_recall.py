"""The product retrieved what the answer needs: the share of the expected facts that stand in its contexts.

The value is a JSON object with `facts`, a list of texts, and `threshold`. A fact is found when one context contains it,
in upper or lower case and whatever the white space, as `folding` has both: word for word, not in other words.
"""

from typing import Any

from assay.checks.finding import Finding, judged, quote_some
from assay.checks.folding import compared
from assay.checks.shape import read_options, require_values
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response

MOST = 1_000
"""Facts of one case: each is looked for in every context."""


def validate(expectation: Expectation) -> None:
    """Expect one JSON object with `facts` and `threshold`, above 0 and at most 1.

    Raises:
        DataError: It is written otherwise.
    """
    require_values(expectation, 1, 1)
    facts = _options(expectation)["facts"]
    if len(facts) > MOST:
        raise DataError(f"check {expectation.check!r} has {len(facts)} facts; expected at most {MOST}: split the case")


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for each fact in each context."""
    options = _options(expectation)
    contexts = [_plain(compared(expectation, context)) for context in response.contexts]
    facts = options["facts"]
    plain = {fact: _plain(compared(expectation, fact)) for fact in facts}
    missing = [fact for fact in facts if not any(plain[fact] in context for context in contexts)]
    found = len(facts) - len(missing)
    detail = f"{found} of {len(facts)} facts are in {len(contexts)} contexts"
    if missing:
        detail += f"; missing {quote_some(missing)}"
    return judged(passed=found / len(facts) >= options["threshold"], detail=detail)


def _options(expectation: Expectation) -> dict[str, Any]:
    required = {"facts": "a list of texts", "threshold": "a share above 0, at most 1"}
    return read_options(expectation, expectation.values[0], required=required)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
