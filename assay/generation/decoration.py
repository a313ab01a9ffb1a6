"""Decoration: an existing question with words around it, which asks a product nothing new.

Courtesies, anger, an aside, capitals: what is expected stays word for word, and so does what is asked. A set of such
cases looks larger than what it covers, and a reviewer reads the same question again.
"""

import re
from collections.abc import Iterable

from assay.records.case import Case

_WORD = re.compile(r"\w+")


def decorated(case: Case, existing: Iterable[Case]) -> str:
    """Return the id of the first case whose every turn stands whole in the one at its place; empty where there is none.

    Letter case and punctuation count for nothing. A case that expects anything else is another case.
    """
    return next((other.case_id for other in existing if _is_around(case, other)), "")


def _is_around(case: Case, other: Case) -> bool:
    if (case.user, case.reference, case.expectations) != (other.user, other.reference, other.expectations):
        return False
    if len(case.turns) != len(other.turns):
        return False
    return all(_words(inner) in _words(outer) for outer, inner in zip(case.turns, other.turns, strict=True))


def _words(text: str) -> str:
    """Return a text's words with a blank at either end of each, so that no word is found within another."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
