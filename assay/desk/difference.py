"""What differs between two texts, word by word."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

MAX_WORDS = 1500
"""Of either text; beyond it a comparison would take longer than a reader waits."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


class Part(NamedTuple):
    """A piece of text that stands in both, only in the first (`removed`), or only in the second (`added`)."""

    kind: Literal["same", "removed", "added"]
    text: str


def parts(first: str, second: str) -> list[Part]:
    """Return the pieces that make the second text of the first; each as a whole where they are very long."""
    old, new = _WORD.findall(first), _WORD.findall(second)
    if max(len(old), len(new)) > MAX_WORDS:
        return [Part("removed", first), Part("added", second)] if first != second else [Part("same", first)]
    found: list[Part] = []
    for tag, start, end, begin, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Part("same", "".join(old[start:end])))
            continue
        found += [Part("removed", "".join(old[start:end]))] if end > start else []
        found += [Part("added", "".join(new[begin:stop]))] if stop > begin else []
    return found
