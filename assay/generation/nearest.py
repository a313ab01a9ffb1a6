"""Nearest: the existing case that a proposed one resembles most, so that a reviewer sees a repetition at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from assay.records.case import Case


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The most similar case and how similar it is."""

    case_id: str
    """Empty when there is nothing to compare with."""
    similarity: float
    """From 0 (no word in common) to 1 (the same words)."""


def nearest(case: Case, existing: Sequence[Case]) -> Nearest:
    """Return the existing case whose turns are most similar by rapidfuzz's token ratio; the first of equals.

    The order of words, letter case and repetition count little: a paraphrase by another word is *not* recognised.
    """
    best = process.extractOne(
        asked(case).lower(), [asked(other).lower() for other in existing], scorer=fuzz.token_ratio
    )
    if best is None:
        return Nearest(case_id="", similarity=0.0)
    _, score, index = best
    return Nearest(case_id=existing[index].case_id, similarity=score / 100)


def asked(case: Case) -> str:
    """Return all that the user says, and wants."""
    return "\n".join([*case.turns, *([case.user.goal] if case.user else [])])
