"""What a check found, and how it quotes what others wrote."""

from dataclasses import dataclass

QUOTED = 80
"""Characters of foreign text in a finding."""


@dataclass(frozen=True)
class Finding:
    """What one check found in one response."""

    passed: bool
    detail: str
    """Why, in one line, safe to store and to show as text."""
    decided: bool = True
    """False when the response could not be read, so that neither the expectation nor its `not-` form holds."""


def quote(text: str) -> str:
    """Return the beginning of a foreign text on one line, in quotes, without anything that cannot be printed."""
    return repr(text if len(text) <= QUOTED else text[:QUOTED] + "...")
