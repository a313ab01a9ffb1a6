"""The verdict of one scorer on one response or pair."""

from typing import Literal

from pydantic import Field

from assay.records.record import Name, Record

CHECK = "check:"
"""Begins the scorer of a check; the others are judges."""
IDENTICAL = "identical"
"""The fingerprint of a tie between two equal responses: no judge was asked."""


Outcome = Literal["pass", "fail", "a", "b", "tie", "unscored"]


Subject = Literal["target", "baseline", "pair", "anchor"]


class Verdict(Record):
    """What one scorer said of one response or pair.

    `item_id` is a case for the subjects target, baseline and pair (A is the target's response, B the baseline's), and a
    labelled item for the subject anchor. `unscored` is a scorer that gave no answer: it is never counted as a fail.
    """

    item_id: Name
    subject: Subject
    trial: int = Field(ge=0)
    scorer: str
    fingerprint: str
    outcome: Outcome
    status: Literal["ok", "unparsed", "refused", "error"]
    fault: Literal["", "answer", "format"] = ""
    """For a failing check: is the answer wrong, or could it not be read as what it had to be?"""
    score: float | None = Field(ge=0, le=1)
    """P(pass), or P(A over B) averaged over both orders; None where the scorer gives no probability."""
    as_is: Outcome | None
    """For a pair: the outcome with A shown first; None for anything else, and where that order gave none."""
    swapped: Outcome | None
    """The outcome with B shown first, in the same frame: `a` still means A."""
    detail: str
    """Why, in one line: a check's finding, a judge's error."""
    votes: list[Outcome] = Field(default=[])
    """What each member of a panel of judges said, in the panel's order; empty for a single judge and for a check."""
    label: str = ""
    """What a judge of labels or scores said in its own scale; `outcome` is whether that passes."""
    rationale: str = ""
    """Why, as the judge says; of a pair in both orders, of a panel each member's."""
    run: str = ""
    """Id of the run whose responses were scored; empty in a table of before runs had ids."""
    source_run: str = ""
    """Id of the run that asked the judge: an earlier one's where its verdict was kept; empty where nobody was asked."""
