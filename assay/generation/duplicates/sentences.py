"""Sentences: two texts that say the same things in another order are laid side by side."""

import re

from rapidfuzz import fuzz

MOST = 12
"""Sentences of a text that are put in order; a longer one stays as it is."""
ALIKE = 60.0
"""Rapidfuzz's token ratio, 0 to 100, from which two sentences may be one."""
_END = re.compile(r"(?<=[.?!])\s+|\n+")


def split(text: str) -> list[str]:
    """Return the sentences of a text, without the blanks around them."""
    return [part.strip() for part in _END.split(text) if part.strip()]


def aligned(text: str, to: str) -> str:
    """Return a text with its sentences in the order in which another one has those that are most alike.

    Sentences that are like none stay behind the one that they followed. The text comes back as it is where nothing has
    to be moved.
    """
    mine, order = split(text), split(to)
    if not (1 < len(mine) <= MOST and 1 < len(order) <= MOST):
        return text
    pairs = [
        (-fuzz.token_ratio(one.lower(), other.lower()), abs(at - place), at, place)
        for at, one in enumerate(mine)
        for place, other in enumerate(order)
    ]
    goal: dict[int, int] = {}
    for score, _, at, place in sorted(pairs):
        if -score >= ALIKE and at not in goal and place not in goal.values():
            goal[at] = place
    rank, last = [], -1
    for at in range(len(mine)):
        last = goal.get(at, last)
        rank.append((last, at))
    moved = [mine[at] for _, at in sorted(rank)]
    return text if moved == mine else " ".join(moved)
