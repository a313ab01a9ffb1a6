"""Text for people: one line of an error, the first fault of a record, the word diff of two texts."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from pydantic import ValidationError

MAX_LINE = 200
MAX_VALUE = 80

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


def one_line(error: object) -> str:
    """Return a text as one line of at most 200 characters."""
    return " ".join(str(error).split())[:MAX_LINE]


def first_fault(error: ValidationError, prefix: str = "") -> str:
    """Return the first fault as 'field is found, expected ...', with how many more there are."""
    fault = error.errors()[0]
    place = ".".join(str(part) for part in ((prefix, *fault["loc"]) if prefix else fault["loc"]))
    value = "missing" if fault["type"] == "missing" else repr(fault["input"])[:MAX_VALUE]
    wanted = "no such name here" if fault["type"] == "extra_forbidden" else fault["msg"]
    more = f" (and {error.error_count() - 1} more faults)" if error.error_count() > 1 else ""
    return f"{place or 'the row'} is {value}, expected: {wanted}{more}"
