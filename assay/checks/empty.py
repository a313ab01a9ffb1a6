"""The answer says nothing: no text that anybody could see, and no tool call. `not-empty` asks for an answer.

Every case asks for one by itself, unless it says `empty: allowed` or expects emptiness, or its absence, in so many
words. An answer that was withheld is a refusal to a case that expects one (`refusal`).
"""

from typing import Literal

from assay.checks.finding import Finding, judged, quote
from assay.checks.folding import visible
from assay.checks.form import Form
from assay.records.case import Case, Expectation
from assay.records.response import Response
from assay.reply_text import WITHHELD

ASKED = Expectation(check="not-empty")
"""What every case expects that does not say otherwise."""
SAYING = frozenset({"empty", "not-empty"})
ENDED = 40
"""Characters of a finish reason in a finding."""


class Empty(Form):
    """The answer says nothing."""

    check: Literal["empty", "not-empty"]


FORM = Empty


def score(_expectation: Expectation, response: Response) -> Finding:
    """Look for a text or a call in the last turn."""
    if not is_empty(response):
        return judged(passed=False, detail=f"the answer is not empty: {quote(response.text)}")
    ended = f" (finish_reason {quote(response.finish_reason[:ENDED])})" if response.finish_reason else ""
    return judged(passed=True, detail=f"the answer is empty{ended}")


def is_empty(response: Response) -> bool:
    """Tell whether a product that was asked has said nothing, and done nothing in the place of an answer."""
    return not has_text(response) and (response.is_silent or not response.tool_calls)


def has_text(response: Response) -> bool:
    """Tell whether an answer has a text that anybody could see."""
    return bool(visible(response.text).strip())


def is_withheld(response: Response) -> bool:
    """Tell whether the product, or its provider's filter, says itself that it kept the answer back."""
    return response.finish_reason.lower() in WITHHELD


def fails(case: Case, response: Response) -> bool:
    """Tell whether an answer fails its case for being empty, whatever else the case expects."""
    checks = {expectation.check for expectation in case.expectations}
    if case.empty == "allowed" or checks & SAYING or ("refusal" in checks and is_withheld(response)):
        return False
    return is_empty(response)
