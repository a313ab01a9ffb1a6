"""What a check found, and how it quotes what others wrote."""

from dataclasses import dataclass
from typing import Literal

QUOTED = 80
"""Characters of foreign text in a finding."""


@dataclass(frozen=True)
class Finding:
    """What one check found in one response; `judged`, `misshapen`, `undecided` and `unknown` make one."""

    passed: bool
    detail: str
    """Why, in one line, safe to store and to show as text."""
    decided: bool = True
    """False when the response could not be read, so that neither the expectation nor its `not-` form holds."""
    fault: Literal["", "answer", "format"] = ""
    """Empty when passed, and when nobody can tell; `answer` when it was read and is wrong; `format` when it is not what
    could be read."""


def judged(*, passed: bool, detail: str) -> Finding:
    """Return the finding on an answer that was read: right or wrong."""
    return Finding(passed=passed, detail=detail, fault="" if passed else "answer")


def misshapen(detail: str) -> Finding:
    """Return the finding on an answer that does not have the form it had to have: it fails, and its opposite holds."""
    return Finding(passed=False, detail=detail, fault="format")


def undecided(detail: str) -> Finding:
    """Return the finding on a response that cannot safely be read: neither the expectation nor its opposite holds."""
    return Finding(passed=False, detail=detail, decided=False, fault="format")


def unknown(detail: str) -> Finding:
    """Return the finding where nobody can tell, through no fault of the answer: it counts neither way."""
    return Finding(passed=False, detail=detail, decided=False)


def quote(text: str) -> str:
    """Return the beginning of a foreign text on one line, in quotes, without anything that cannot be printed."""
    return repr(text if len(text) <= QUOTED else text[:QUOTED] + "...")


def quote_some(texts: list[str], most: int = 5) -> str:
    """Return the first few foreign texts, each quoted, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(map(quote, texts[:most])) + more
