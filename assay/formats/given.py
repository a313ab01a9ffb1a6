"""What every format of labels comes to: who said what of which item, and where that stands in the file."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from assay.errors import DataError
from assay.formats import flat
from assay.records import Outcome

SHOWN = 80
"""Characters of what was found that a message quotes."""
LONGEST = 100
"""Characters of a name."""


class Given(NamedTuple):
    """One annotator's word on one item, as a file has it."""

    item_id: str
    annotator: str
    outcome: Outcome
    rubric_version: str
    """Empty where the file does not say."""
    labelled_at: datetime | None
    """None where the file does not say."""
    place: str
    """What a message calls the place in the file."""


class Said(NamedTuple):
    """One annotator's word on one item, in the file's own spelling; what the file does not say is None or empty."""

    item_id: object
    annotator: object
    word: object
    rubric_version: object = None
    at: object = None


class Reading(NamedTuple):
    """What a file holds."""

    labels: list[Given]
    left_out: list[str]
    """One sentence for each kind of thing that is no label, such as drafts: how many, and where the first stands."""


class Gathering:
    """Labels as they are met in a file, each annotator's word on an item once, and what was left out."""

    def __init__(self, who: str, meanings: Mapping[str, str]) -> None:
        """Begin with nothing.

        Args:
            who: Who labelled, where the file does not say.
            meanings: Which outcome each word stands for; `unscored` stands for no label.
        """
        self._who, self._meanings = who, meanings
        self._labels: dict[tuple[str, str], Given] = {}
        self._left: dict[str, tuple[int, str]] = {}

    def take(self, said: Said, place: str) -> None:
        """Take a label, unless its word stands for none.

        Raises:
            DataError: A part of it is missing or unknown, or the annotator has labelled the item before.
        """
        meant = outcome(said.word, place, self._meanings)
        if meant == "unscored":
            self.leave("answers that stand for no label", place)
            return
        item_id = str(said.item_id or "").strip()
        if not item_id:
            raise DataError(f"{place}: no item_id, expected that of an item: restore it, or label an export of ours")
        one = Given(
            item_id=item_id,
            annotator=annotator(said.annotator or self._who, place),
            outcome=meant,
            rubric_version=str(said.rubric_version or "").strip(),
            labelled_at=moment(said.at, place),
            place=place,
        )
        before = self._labels.setdefault((item_id, one.annotator), one)
        if before is not one:
            raise DataError(
                f"{place}: {one.annotator} has labelled {item_id[:SHOWN]} in {before.place} too, expected one label "
                "an item and annotator: drop one"
            )

    def leave(self, what: str, place: str, count: int = 1) -> None:
        """Leave out things of a kind, named in the plural."""
        before, first = self._left.get(what, (0, place))
        self._left[what] = (before + count, first)

    def reading(self) -> Reading:
        """Return what was met."""
        told = [f"{count} {what} left out, the first in {place}" for what, (count, place) in self._left.items()]
        return Reading(list(self._labels.values()), told)


def outcome(found: object, place: str, meanings: Mapping[str, str]) -> Outcome:
    """Return the outcome that a word stands for.

    Raises:
        DataError: It stands for none.
    """
    meant = meanings.get(" ".join(str(found).split()).casefold())
    if meant is None:
        raise DataError(
            f"{place}: the label is {str(found)[:SHOWN]!r}, expected one of {', '.join(flat.WORDS)}: correct it, "
            "or say what it means with --map"
        )
    return cast("Outcome", meant)


def annotator(found: object, place: str) -> str:
    """Return a person's name as we write names: lower case, no accents, no blanks; 7 is `annotator-7`.

    Raises:
        DataError: Nothing is left of it.
    """
    bare = unicodedata.normalize("NFKD", str(found or "").strip())
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9._-]+", "-", letters.casefold()).strip("-._")[:LONGEST]
    if not name:
        raise DataError(
            f"{place}: the annotator is {str(found or '')[:SHOWN]!r}, expected a name in Latin letters or digits: "
            "write it so, or say --annotator NAME"
        )
    return f"annotator-{name}"[:LONGEST] if name.isdigit() else name


def moment(found: object, place: str) -> datetime | None:
    """Return when a label was given, in UTC where the file names no zone; None for nothing.

    Raises:
        DataError: It is no moment of ISO 8601.
    """
    if found in (None, ""):
        return None
    try:
        at = datetime.fromisoformat(str(found).strip())
    except ValueError as error:
        raise DataError(f"{place}: the time is {str(found)[:SHOWN]!r}, expected ISO 8601: correct it") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


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


def _shaped(found: object, kind: type, place: str, name: str) -> object:
    if not isinstance(found, kind):
        expected = "an object" if kind is dict else "a list"
        raise DataError(f"{place}: {name} is {str(found)[:SHOWN]!r}, expected {expected}: export it again")
    return found
