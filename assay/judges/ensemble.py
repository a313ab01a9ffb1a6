"""Several judges of one question: the majority is the verdict, and every member's word stays beside it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from assay.records.record import digest
from assay.records.verdict import Outcome, Verdict

Word = TypeVar("Word", bound=str)
PAIR = {"a", "b", "tie"}


def combine(votes: Sequence[Verdict]) -> Verdict:
    """Return the verdict of a panel; a single judge's is its own.

    A member without a verdict has no vote. Where no outcome has more votes than every other, a pair is a tie, and an
    answer has no verdict: no default stands in for a majority.

    Args:
        votes: What each member said of the same question, in the panel's order; at least one.
    """
    if len(votes) == 1:
        return votes[0]
    first = votes[0]
    cast = [vote for vote in votes if vote.status == "ok"]
    silent = next((vote for vote in votes if vote.status != "ok"), None)
    whole = first.model_copy(
        update={
            "fingerprint": digest(["panel", *(vote.fingerprint for vote in votes)]),
            "votes": [vote.outcome for vote in votes],
            "detail": "; ".join(dict.fromkeys(vote.detail for vote in votes if vote.detail)),
            "rationale": "\n".join(
                f"{number}: {vote.rationale}" for number, vote in enumerate(votes, 1) if vote.rationale
            ),
        }
    )
    if not cast:
        return whole.model_copy(update={"score": None, "as_is": None, "swapped": None})
    outcome = _leading(vote.outcome for vote in cast)
    if outcome is None and {vote.outcome for vote in cast} <= PAIR:
        outcome = "tie"
    if outcome is None:
        split = {"outcome": "unscored", "status": silent.status if silent else "unparsed", "score": None}
        return whole.model_copy(update=split | {"label": "", "detail": f"the panel is split: {', '.join(whole.votes)}"})
    scores = [vote.score for vote in cast if vote.score is not None]
    return whole.model_copy(
        update={
            "outcome": outcome,
            "status": "ok",
            "label": _leading(vote.label for vote in cast if vote.outcome == outcome) or "",
            "score": sum(scores) / len(scores) if len(scores) == len(cast) else None,
            "as_is": _order([vote.as_is for vote in cast]),
            "swapped": _order([vote.swapped for vote in cast]),
        }
    )


def _order(seen: Sequence[Outcome | None]) -> Outcome | None:
    """Return what the panel made of a pair in one order of showing; None for a question without orders."""
    given = [outcome for outcome in seen if outcome is not None]
    return (_leading(given) or "tie") if given else None


def _leading(said: Iterable[Word]) -> Word | None:
    """Return what has more votes than everything else, if there is such a thing."""
    counts = Counter(said)
    leading = [word for word, count in counts.items() if count == max(counts.values())]
    return leading[0] if len(leading) == 1 else None
