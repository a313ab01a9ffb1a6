"""Leaks into prompts: a case that a judge's prompt shows would be judged by heart."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

MIN_LETTERS = 25
"""Letters and digits of a turn that is looked for; shorter ones stand anywhere."""


def stands_in(turns: Iterable[str], prompts: Sequence[str]) -> bool:
    """Tell whether a turn of a case stands in one of the prompts, whatever its capitals and punctuation."""
    shown = [_letters(prompt) for prompt in prompts]
    return any(len(turn) >= MIN_LETTERS and any(turn in text for text in shown) for turn in map(_letters, turns))


@lru_cache(maxsize=64)
def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())
