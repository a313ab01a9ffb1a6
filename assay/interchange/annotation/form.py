"""What people elsewhere are asked, row by row, and what of their answers every tool's file comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from assay.errors import DataError

SHOWN = 80
"""Characters of what was found that a message quotes."""


class Question(NamedTuple):
    """One question, under the name that it has in every format."""

    name: str
    options: tuple[str, ...]
    """What people choose from; empty where they write."""
    is_required: bool = True


@dataclass(frozen=True, kw_only=True)
class Form:
    """What people see of a row, and what they are asked of it."""

    noun: str
    """What a row is, in the singular."""
    key: str
    """The column that names the row."""
    columns: tuple[str, ...]
    """Columns of a table, in their order, without those for answers."""
    tags: tuple[str, ...] = ()
    """Those that come back with the answers and are not for people."""
    shown: tuple[str, ...]
    """Those that a tool shows, one below the other."""
    beside: tuple[str, ...]
    """Those that it shows below these, side by side."""
    guide: tuple[str, str]
    """The column of the guidelines, and what they say, the same for every row."""
    questions: tuple[Question, ...]
    """The first of them is what it is all about: a row without an answer to it has none."""
    who: str
    """The column of a table in which people sign."""

    @property
    def asked(self) -> dict[str, Question]:
        """The questions by their names."""
        return {question.name: question for question in self.questions}

    @property
    def main(self) -> str:
        """The name of the first question."""
        return self.questions[0].name


class Filled(NamedTuple):
    """One person's answers to one row, in the file's own spelling; what the file does not say is None or empty."""

    key: object
    tags: Mapping[str, Any]
    """What else the row says of itself."""
    who: object
    at: object
    answers: Mapping[str, object]
    """By question; that to the first one is there."""
    place: str
    """What a message calls the place in the file."""


class LeftOut:
    """What is no answer, counted by kind: nothing is dropped in silence."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._left: dict[str, tuple[int, str]] = {}

    def leave(self, what: str, place: str, count: int = 1) -> None:
        """Leave out things of a kind, named in the plural."""
        before, first = self._left.get(what, (0, place))
        self._left[what] = (before + count, first)

    def told(self) -> list[str]:
        """Return one sentence a kind: how many, and where the first stands."""
        return [f"{count} {what} left out, the first in {place}" for what, (count, place) in self._left.items()]


def mapping(found: object, place: str, name: str) -> dict[str, Any]:
    """Return an object of a tool's export; an empty one for null.

    Raises:
        DataError: It is something else.
    """
    return cast("dict[str, Any]", _shaped({} if found is None else found, dict, place, name))


def sequence(found: object, place: str, name: str) -> list[Any]:
    """Return a list of a tool's export; an empty one for null.

    Raises:
        DataError: It is something else.
    """
    return cast("list[Any]", _shaped([] if found is None else found, list, place, name))


def single(words: Sequence[object], place: str) -> object:
    """Return the one word of an answer.

    Raises:
        DataError: There are several.
    """
    if len(words) > 1:
        raise DataError(f"{place}: {len(words)} choices in an annotation, expected one: decide for one")
    return words[0]


def named(names: Sequence[str]) -> str:
    """Return names as a message has them."""
    return ", ".join(f"`{name}`" for name in names)


def _shaped(found: object, kind: type, place: str, name: str) -> object:
    if not isinstance(found, kind):
        expected = "an object" if kind is dict else "a list"
        raise DataError(f"{place}: {name} is {str(found)[:SHOWN]!r}, expected {expected}: export it again")
    return found
