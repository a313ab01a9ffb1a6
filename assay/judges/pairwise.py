"""Orders: every pair is judged twice, with its responses in both places, and the two replies become one verdict.

Declared rule: where the two orders do not name the same outcome, the pair is a tie and the conflict is counted. A judge
that always prefers the first response therefore wins nothing for anyone.
"""

from dataclasses import dataclass
from typing import Literal

from assay.judges.reply import Reply
from assay.records.verdict import Outcome

_SWAPPED: dict[Outcome, Outcome] = {"a": "b", "b": "a", "tie": "tie"}


def swap(outcome: Outcome) -> Outcome:
    """Return an outcome in the frame of the other order; `unscored` stays what it is."""
    return _SWAPPED.get(outcome, outcome)


@dataclass(frozen=True, kw_only=True)
class PairVerdict:
    """What a judge said of a pair, after both orders."""

    outcome: Outcome
    status: Literal["ok", "unparsed", "refused"]
    score: float | None
    """P(A over B), averaged over both orders; None where either order gave no probability."""
    conflict: bool | None
    """Did the two orders disagree? None where either gave no verdict."""
    detail: str


def combine(as_is: Reply, swapped: Reply) -> PairVerdict:
    """Return the verdict on the pair (A, B).

    Args:
        as_is: The reply to A in the first place and B in the second.
        swapped: The reply to B in the first place and A in the second.
    """
    detail = "; ".join(dict.fromkeys(reply.detail for reply in (as_is, swapped) if reply.detail))
    for reply in (as_is, swapped):
        if reply.status != "ok":
            return PairVerdict(outcome="unscored", status=reply.status, score=None, conflict=None, detail=detail)
    conflict = as_is.outcome != swap(swapped.outcome)
    outcome = "tie" if conflict else as_is.outcome
    return PairVerdict(outcome=outcome, status="ok", score=_score(as_is, swapped), conflict=conflict, detail=detail)


def _score(as_is: Reply, swapped: Reply) -> float | None:
    if as_is.probability is None or swapped.probability is None:
        return None
    return (as_is.probability + 1 - swapped.probability) / 2
