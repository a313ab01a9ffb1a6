"""Contradictions: which cases ask nearly the same, and have right answers that cannot both be right?

Whatever a product says to such a pair, one of the two is failed by it. What is told is for a person to look at: two
answers that differ in what they leave out contradict nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from rapidfuzz import fuzz

from assay.generation.duplicates import lexicon, model
from assay.generation.duplicates.finding import Match
from assay.generation.duplicates.lexicon import Lexicon
from assay.generation.duplicates.reading import read
from assay.generation.duplicates.words import plain, stem, tokens
from assay.generation.near_duplicates import repeats
from assay.records.case import Case

TWINS = 0.6
"""Similarity of two questions from which they are held to be one: below it pairs of the sample's cases whose answers
have other numbers ask something else."""
OPENINGS = {
    **dict.fromkeys(("yes", "sure", "always", "ja", "oui"), True),
    **dict.fromkeys(("no", "never", "nein", "non"), False),
}
"""First words that say whether."""
POLITE = ("problem", "worries", "doubt")
"""Words after which a "no" is none."""
SHORT = 3
"""Words of an answer that is nothing but the answer."""
ALIKE = 85
"""Ratio of sorted words, of 100, from which two answers are one but for a "not"."""
OTHER_NUMBERS, YES_AND_NO, DENIED, OTHER_ANSWER = "other numbers", "yes and no", "one denies the other", "other answers"


def contradictions(matches: Mapping[str, Match], cases: Mapping[str, Case]) -> Iterator[tuple[str, str, str]]:
    """Yield the pairs of near twins whose right answers contradict each other, and in what.

    Args:
        matches: By case what it resembles most.
        cases: All that may be named, by id.
    """
    for name, match in matches.items():
        other = cases.get(match.other_id) if match.is_duplicate and match.similarity >= TWINS else None
        if other is not None and (why := between(cases[name], other)):
            yield other.case_id, name, why


def within(cases: Sequence[Case], known: Lexicon | None = None) -> list[tuple[str, str, str]]:
    """Return the pairs of near twins in a set whose right answers contradict each other, and in what.

    Args:
        cases: The set.
        known: Which words mean the same; the shipped ones if left out.
    """
    answered = [case for case in cases if case.right_answers()]
    return list(
        contradictions(repeats(answered, [], known or lexicon.shipped()), {case.case_id: case for case in answered})
    )


def between(one: Case, other: Case) -> str:
    """Return in what the right answers of two cases contradict each other; empty where any of them may agree."""
    reasons = [against(*pair) for pair in product(one.right_answers(), other.right_answers())]
    return reasons[0] if reasons and all(reasons) else ""


def against(one: str, other: str) -> str:
    """Return in what two answers contradict each other; empty where they may both be right."""
    known = lexicon.shipped()
    readings = [read(text, known) for text in (one, other)]
    numbers = [{value for unit in reading.units for value in unit.values} for reading in readings]
    if not (numbers[0] <= numbers[1] or numbers[1] <= numbers[0]):
        return OTHER_NUMBERS
    words = [[token.text for token in tokens(plain(text.lower()))] for text in (one, other)]
    said = [_opening(several) for several in words]
    if {True, False} <= set(said):
        return YES_AND_NO
    denials = [sum(word in known.negators for word in several) for several in words]
    rest = [" ".join(word for word in several if word not in known.negators) for several in words]
    if denials[0] % 2 != denials[1] % 2 and fuzz.token_sort_ratio(*rest) >= ALIKE:
        return DENIED
    stems = [{stem(word) for word in several} for several in words]
    is_short = all(0 < len(several) <= SHORT for several in words) and None in said
    if (
        is_short
        and not stems[0] & stems[1]
        and not model.shipped().decide(readings[0], readings[1], known).is_duplicate
    ):
        return OTHER_ANSWER
    return ""


def _opening(words: Sequence[str]) -> bool | None:
    """Return whether an answer begins by saying yes; None where it begins with neither yes nor no."""
    is_polite = len(words) > 1 and words[1] in POLITE
    return None if not words or is_polite else OPENINGS.get(words[0])
