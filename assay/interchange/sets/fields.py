"""The fields of an object in another tool's file, and which of them were read: the others are told, none is lost."""

from collections.abc import Mapping
from typing import Any

from assay.errors import DataError
from assay.interchange.sets.builder import Gathering, shown
from assay.interchange.sets.source import json_text, json_value

EMPTY: tuple[object, ...] = (None, "", [], {})


class Fields:
    """One object: each field is read once, and what nobody has read is left."""

    def __init__(
        self, found: Mapping[str, Any], place: str, gathering: Gathering, *, prefix: str = "", is_table: bool = False
    ) -> None:
        """Begin with nothing read.

        Args:
            found: The object.
            place: Where it stands.
            gathering: Who is told what was left.
            prefix: The path to it within its row, such as `metadata.`.
            is_table: Its values are cells; an object or a list in one is JSON.
        """
        self.place, self._found, self._gathering = place, dict(found), gathering
        self._prefix, self._is_table = prefix, is_table

    def __contains__(self, name: object) -> bool:
        """Say whether a field that nobody has read yet holds anything."""
        return name in self._found and self._found[str(name)] not in EMPTY

    def take(self, *names: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the value of the first of these names that holds anything, None for none of them."""
        for name in names:
            if name in self:
                return self._found.pop(name)
        return None

    def peek(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the value of a field that stays unread."""
        return self._found.get(name)

    def put_back(self, name: str, found: object) -> None:
        """Make a field unread again."""
        self._found[name] = found

    def text(self, *names: str) -> str:
        """Return a value as text: what is no text as JSON, nothing as an empty one."""
        return as_text(self.take(*names), self.place, self._gathering)

    def whole(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a value, of a cell the object or list that it spells."""
        found = self._structured(name)
        self.take(name)
        return found

    def items(self, *names: str) -> list[Any]:
        """Return a list; a value that is none stays unread."""
        for name in names:
            found = self._structured(name)
            if isinstance(found, list) and found:
                self.take(name)
                return found
        return []

    def inner(self, *names: str) -> "Fields":
        """Return an object's fields, an empty one for none; a value that is no object stays unread."""
        for name in names:
            found = self._structured(name)
            if isinstance(found, dict) and found:
                self.take(name)
                return Fields(found, self.place, self._gathering, prefix=f"{self._prefix}{name}.")
        return Fields({}, self.place, self._gathering)

    def is_object(self, name: str) -> bool:
        """Say whether a field that nobody has read yet holds an object."""
        return name in self and isinstance(self._structured(name), dict)

    def unread(self) -> list[str]:
        """Return the names of the fields that hold something and were not read."""
        return [name for name in self._found if name in self]

    def drop(self, noun: str, which: str, *names: str) -> None:
        """Leave those of these fields that hold something, as things of one kind."""
        for name in names:
            if self.take(name) is not None:
                self._gathering.leave(noun, which, f"{self.place}, {self._prefix}{name}")

    def leave_rest(self) -> None:
        """Leave all that was not read, each field as a kind of its own."""
        for name in self.unread():
            self._gathering.leave("field", f"`{shown(self._prefix + name)}`", self.place)
        self._found = {}

    def _structured(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        found = self._found.get(name)
        if not self._is_table or not isinstance(found, str) or found.lstrip()[:1] not in ("{", "["):
            return found
        try:
            return json_value(found, f"{self._gathering.file_name}, {self.place}, {name}")
        except DataError:
            return found


def as_text(found: object, place: str, gathering: Gathering) -> str:
    """Return a value as text: what is no text as JSON, nothing as an empty one.

    Raises:
        DataError: It is or holds NaN or Infinity.
    """
    if found is None or isinstance(found, str):
        return found or ""
    if isinstance(found, float) and found.is_integer() and abs(found) < 1e15:  # noqa: PLR2004 - exact up to there
        found = int(found)
    try:
        return json_text(found)
    except ValueError as error:
        raise gathering.fault(
            place, " has NaN or Infinity where a text is meant, expected a text or a number: correct it"
        ) from error
