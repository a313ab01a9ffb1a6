"""What every format of labels comes to: who said what of which item, and where that stands in the file."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple, cast

from assay.errors import DataError
from assay.interchange import flat_file
from assay.interchange.annotation.form import SHOWN, Filled, LeftOut
from assay.records.verdict import Outcome

QUESTION = "outcome"
"""What people are asked, by its name in every format."""
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


class Reading(NamedTuple):
    """What a file holds."""

    labels: list[Given]
    left_out: list[str]
    """One sentence for each kind of thing that is no label, such as drafts: how many, and where the first stands."""


class Gathering(LeftOut):
    """Labels as they are met in a file, each annotator's word on an item once, and what was left out."""

    def __init__(self, who: str, meanings: Mapping[str, str]) -> None:
        """Begin with nothing.

        Args:
            who: Who labelled, where the file does not say.
            meanings: Which outcome each word stands for; `unscored` stands for no label.
        """
        super().__init__()
        self._who, self._meanings = who, meanings
        self._labels: dict[tuple[str, str], Given] = {}

    def take(self, said: Filled) -> None:
        """Take a label, unless its word stands for none.

        Raises:
            DataError: A part of it is missing or unknown, or the annotator has labelled the item before.
        """
        place = said.place
        meant = outcome(said.answers[QUESTION], place, self._meanings)
        if meant == "unscored":
            self.leave("answers that stand for no label", place)
            return
        item_id = str(said.key or "").strip()
        if not item_id:
            raise DataError(f"{place}: no item_id, expected that of an item: restore it, or label an export of ours")
        one = Given(
            item_id=item_id,
            annotator=annotator(said.who or self._who, place),
            outcome=meant,
            rubric_version=str(said.tags.get("rubric_version") or "").strip(),
            labelled_at=moment(said.at, place),
            place=place,
        )
        before = self._labels.setdefault((item_id, one.annotator), one)
        if before is not one:
            raise DataError(
                f"{place}: {one.annotator} has labelled {item_id[:SHOWN]} in {before.place} too, expected one label "
                "an item and annotator: drop one"
            )

    def reading(self) -> Reading:
        """Return what was met."""
        return Reading(list(self._labels.values()), self.told())


def outcome(found: object, place: str, meanings: Mapping[str, str]) -> Outcome:
    """Return the outcome that a word stands for.

    Raises:
        DataError: It stands for none.
    """
    meant = meanings.get(" ".join(str(found).split()).casefold())
    if meant is None:
        raise DataError(
            f"{place}: the label is {str(found)[:SHOWN]!r}, expected one of {', '.join(flat_file.WORDS)}: correct it, "
            "or say what it means with --map"
        )
    return cast("Outcome", meant)


def annotator(found: object, place: str, noun: str = "annotator") -> str:
    """Return a person's name as we write names: lower case, no accents, no blanks; 7 is `annotator-7`.

    Args:
        found: As the file has it.
        place: Where it stands.
        noun: What the person is called.

    Raises:
        DataError: Nothing is left of it.
    """
    bare = unicodedata.normalize("NFKD", str(found or "").strip())
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9._-]+", "-", letters.casefold()).strip("-._")[:LONGEST]
    if not name:
        raise DataError(
            f"{place}: the {noun} is {str(found or '')[:SHOWN]!r}, expected a name in Latin letters or digits: "
            f"write it so, or say --{noun} NAME"
        )
    return f"{noun}-{name}"[:LONGEST] if name.isdigit() else name


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
