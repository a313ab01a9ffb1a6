"""The product retrieved what the answer needs: the share of the expected facts that stand in its contexts.

A fact is found when one context contains it, in upper or lower case and whatever the white space, as `folding` has
both: word for word, not in other words.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged, quote_some
from assay.checks.folding import compared
from assay.checks.form import Exact, Filled, Options, Share
from assay.records.case import Expectation
from assay.records.response import Response

MOST = 1_000
"""Facts of one case: each is looked for in every context."""


class ContextRecall(Options):
    """The product retrieved the facts."""

    check: Literal["context-recall", "not-context-recall"]
    facts: Annotated[list[Filled], Field(min_length=1, max_length=MOST)]
    threshold: Annotated[Share, Field(description="The share of the facts that has to be found.")]
    exact: Exact = False
    kept_beside: ClassVar = frozenset({"exact"})


FORM = ContextRecall


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for each fact in each context."""
    asked = ContextRecall.of(expectation)
    contexts = [_plain(compared(expectation, context)) for context in response.contexts]
    facts = asked.facts
    plain = {fact: _plain(compared(expectation, fact)) for fact in facts}
    missing = [fact for fact in facts if not any(plain[fact] in context for context in contexts)]
    found = len(facts) - len(missing)
    detail = f"{found} of {len(facts)} facts are in {len(contexts)} contexts"
    if missing:
        detail += f"; missing {quote_some(missing)}"
    return judged(passed=found / len(facts) >= asked.threshold, detail=detail)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
