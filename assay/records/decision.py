"""The review decision of one person on one candidate."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from assay.records.case import Case
from assay.records.record import Name, Record, Text


class Decision(Record):
    """One person's word on one candidate; the log is append-only and the evaluation set is its fold."""

    conversions: ClassVar = ()
    candidate_id: Name
    digest: str
    """Hash of the candidate as it was shown; a decision on anything else admits nothing."""
    decision: Literal["admit", "edit", "reject", "retire", "withdraw"]
    """`retire` takes an admitted case out of the set; `withdraw` takes back the same reviewer's word of before."""
    reviewer: str = Field(min_length=1)
    reason: Text
    decided_at: datetime
    case: Case | None
    """The case as admitted, after any edit; None unless it is admitted."""
    batch: str = ""
    """The batch in which the candidate was shown; empty for a word outside of any, which holds by itself."""
    role: Literal["reviewer", "adjudicator"] = "reviewer"
    """An adjudicator saw what the reviewers had said, and has the last word."""
    seconds: float | None = Field(default=None, ge=0)
    """How long the candidate was on the screen; None where nobody measured."""
    chain: str = ""
    """Hash of this row and of the row before it: no row can be changed, left out or put in unnoticed."""
