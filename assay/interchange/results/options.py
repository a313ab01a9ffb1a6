"""What the user tells of a file of results: which column is what, what a word means, from which score on a case passes.

No word is guessed: one that is neither known nor told is refused, and a score between 0 and 1 needs a threshold.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from types import MappingProxyType
from typing import NamedTuple

from assay.errors import ConfigError, DataError
from assay.interchange.flat_file import WORDS, plain, quoted, vocabulary

ROLES = ("id", "passed", "category", "family", "layer", "cost", "latency", "filter")
"""What a column can be told to be; `filter` is the one of lm-eval whose outcome counts."""
OUTCOMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "pass": (*WORDS["pass"], "passed", "success", "c", "ok"),
        "fail": (*WORDS["fail"], "failed", "failure", "i", "n"),
        "unscored": ("unscored", "error", "errored", "skipped", "none", "null", "nan", "n/a"),
    }
)
"""By outcome the words that need no telling; `c`, `i` and `n` are inspect's."""
PARTIAL = {"p": 0.5}
"""inspect's partially correct, which is a score."""
SCORED = {"pass": True, "fail": False, "unscored": None}


class ResultOptions(NamedTuple):
    """How a file of results is to be read."""

    columns: Mapping[str, str] = MappingProxyType({})
    """By role."""
    words: Mapping[str, str] = MappingProxyType(vocabulary(words=OUTCOMES))
    """By word, its outcome."""
    threshold: float | None = None
    """A score from it on passes."""

    def outcome(self, found: object, place: str) -> bool | None:
        """Return whether a value is a pass; None where it says that there is no outcome.

        Raises:
            DataError: It is a word that nobody knows, or a score and there is no threshold.
        """
        if found is None or isinstance(found, bool):
            return found
        if isinstance(found, str) and not found.strip():
            return None
        if isinstance(found, str) and (outcome := self.words.get(found) or self.words.get(plain(found))):
            return SCORED[outcome]
        score = _number(found)
        if score is None:
            raise DataError(
                f"{place} has {quoted(str(found))}, expected pass or fail, 1 or 0, true or false, or a score: say what "
                "it means with --map WORD=pass, or name another column with --map passed=COLUMN"
            )
        if not isfinite(score):
            return None
        if self.threshold is not None:
            return score >= self.threshold
        if score in (0, 1):
            return bool(score)
        raise DataError(
            f"{place} has the score {quoted(str(found))}, which is neither 1 nor 0, expected to be told what passes: "
            "--threshold 0.7, say"
        )


def options(maps: Sequence[str], threshold: float | None = None) -> ResultOptions:
    """Return what the user tells.

    Args:
        maps: Such as `id=case,passed=verdict` or `good=pass`; a part is of a word where its right side is an outcome.
        threshold: A score from it on passes.

    Raises:
        ConfigError: A part is neither, or a role is told twice.
    """
    columns: dict[str, str] = {}
    words: list[str] = []
    for part in (part.strip() for text in maps for part in text.split(",")):
        role, mark, told = (piece.strip() for piece in part.partition("="))
        if mark and role in ROLES and told and role not in columns:
            columns[role] = told
        elif mark and role not in ROLES and plain(told) in OUTCOMES:
            words.append(part)
        else:
            raise ConfigError(
                f"--map has {quoted(part)}, expected ROLE=COLUMN with each of {', '.join(ROLES)} at most once, or "
                "WORD=pass, WORD=fail, WORD=unscored: correct it"
            )
    return ResultOptions(columns, vocabulary(words, OUTCOMES), threshold)


def _number(found: object) -> float | None:
    """Return a value as a number; None where it is none."""
    if isinstance(found, str):
        if plain(found) in PARTIAL:
            return PARTIAL[plain(found)]
        try:
            return float(found)
        except ValueError:
            return None
    return float(found) if isinstance(found, int | float) else None


def amount(found: object) -> float | None:
    """Return what something cost or took; None where that is no number from 0 on."""
    value = None if isinstance(found, bool) else _number(found)
    return value if value is not None and isfinite(value) and value >= 0 else None
