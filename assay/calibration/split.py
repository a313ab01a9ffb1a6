"""Which split an item belongs to: what a judge may be tuned on and what it is tested with never look alike.

The content decides, so that nobody chooses: a hash of the conversation. Answers to one case stay together, and so do
conversations that differ by a few letters.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

from rapidfuzz import fuzz, process

from assay.records.label import Item

Split = Literal["tune", "heldout"]
TUNE = 0.25
"""Share of the conversations that a judge may be tuned on; what was decided before stays where it is."""
ALIKE = 90.0
"""Similarity, of 100, from which on two conversations count as one."""
SPACE = 2**32


class Splits:
    """Where every conversation is that has labels, and where a new one goes."""

    def __init__(self, items: Iterable[Item], splits: Mapping[str, Split]) -> None:
        """Know what is decided.

        Args:
            items: The labelled items.
            splits: The split of each, by item id.
        """
        self._cases: dict[str, Split] = {}
        self._texts: dict[str, Split] = {}
        for item in items:
            if item.item_id in splits:
                self._keep(item, splits[item.item_id])

    def of(self, item: Item) -> Split:
        """Return the split of an item, new or not, and remember it."""
        text = plain_words(item)
        found = self._cases.get(item.case_id) or self._alike(text)
        if found is None:
            share = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / SPACE
            found = "heldout" if share // TUNE else "tune"
        self._keep(item, found)
        return found

    def _keep(self, item: Item, split: Split) -> None:
        self._cases[item.case_id] = self._texts[plain_words(item)] = split

    def _alike(self, text: str) -> Split | None:
        nearest = process.extractOne(text, self._texts.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE)
        return self._texts[nearest[0]] if nearest else None


def plain_words(item: Item) -> str:
    """Return the words of a conversation, without case, punctuation and blanks."""
    words = " ".join(item.turns).casefold()
    return " ".join("".join(letter if letter.isalnum() else " " for letter in words).split())
