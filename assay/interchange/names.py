"""The names of columns, and of the values of an object: each may stand once, however many there are."""

from collections import Counter
from collections.abc import Iterable


def repeated(names: Iterable[str]) -> str:
    """Return the first name that stands there twice; empty where none does."""
    return next((name for name, count in Counter(names).items() if count > 1), "")
