"""Repeats: which proposed cases say what another one says already?

A case that was made from another one resembles it on purpose, and what else was made from it: such kin are no repeats.
Nor are cases that ask the same with other named values, documents or attachments.
"""

from collections.abc import Sequence

from assay.generation.duplicates.finding import Match, Text, find
from assay.generation.duplicates.lexicon import Lexicon
from assay.generation.duplicates.neighbours import Embedder
from assay.generation.nearest import asked
from assay.records.case import Case

LIKELY = 0.4
"""Similarity from which a person is asked whether a proposal repeats a case; the model's own threshold, tuned on pairs
of which every second one is a repetition, would ask of every fourth case of a real set."""


def repeats(
    new: Sequence[Case], existing: Sequence[Case], known: Lexicon, embedder: Embedder | None = None
) -> dict[str, Match]:
    """Return what each proposed case resembles most, among the existing ones and those before it, by its id.

    Args:
        new: The proposed cases, each under an id of its own.
        existing: What is there already, retired and rejected cases included.
        known: Which words mean the same.
        embedder: Finds more neighbours, by its vectors.
    """
    there = {case.case_id: case for case in [*existing, *new]}
    return find(
        [Text(case.case_id, asked(case)) for case in new],
        [Text(case.case_id, asked(case)) for case in existing],
        embedder=embedder,
        known=known,
        is_kin=lambda one, other: _is_kin(there[other], there[one]),
    )


def likely(match: Match) -> str:
    """Return the case that a person should hold a proposal against; empty where it hardly repeats any."""
    return match.other_id if match.is_duplicate and match.similarity >= LIKELY else ""


def _is_kin(one: Case, other: Case) -> bool:
    """Tell whether one case was made from the other, or both from a third one, or they differ in what is given."""
    is_made_from_it = bool(other.parent) and other.parent in (one.case_id, one.parent)
    given = [(case.inputs, case.attachments, case.contexts) for case in (one, other)]
    return is_made_from_it or given[0] != given[1]
