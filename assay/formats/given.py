"""What every format of labels comes to: who said what of which item, and where that stands in the file."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, cast

from assay.errors import DataError
from assay.formats import flat
from assay.records import Outcome

SHOWN = 80
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
    """One sentence for each thing that is no label: drafts, discarded answers, predictions, empty cells."""


def outcome(found: object, place: str, meanings: Mapping[str, str]) -> Outcome:
    """Return the outcome that a word stands for.

    Raises:
        DataError: It stands for none.
    """
    word = " ".join(str(found).split()).casefold()
    meant = meanings.get(word)
    if meant is None or meant == "unscored":
        raise DataError(
            f"{place}: the label is {str(found)[:SHOWN]!r}, expected one of {', '.join(flat.WORDS)}: correct it, "
            "or say what it means with --map"
        )
    return cast("Outcome", meant)


def annotator(found: object, place: str) -> str:
    """Return a person's name as we write names: lower case, no blanks.

    Raises:
        DataError: Nothing is left of it.
    """
    name = re.sub(r"[^a-z0-9._-]+", "-", str(found or "").casefold()).strip("-._")[:LONGEST]
    if not name:
        raise DataError(
            f"{place}: the annotator is {str(found or '')[:SHOWN]!r}, expected a name: add it, or say --annotator NAME"
        )
    return name


def moment(found: object, place: str) -> datetime | None:
    """Return when a label was given, in UTC where the file names no zone; None for nothing.

    Raises:
        DataError: It is no moment of ISO 8601.
    """
    if found in (None, ""):
        return None
    try:
        at = datetime.fromisoformat(str(found))
    except ValueError as error:
        raise DataError(f"{place}: the time is {str(found)[:SHOWN]!r}, expected ISO 8601: correct it") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def require_once(labels: Sequence[Given]) -> None:
    """Refuse two labels of one annotator on one item.

    Raises:
        DataError: There are; both places are named.
    """
    seen: dict[tuple[str, str], str] = {}
    for one in labels:
        before = seen.setdefault((one.item_id, one.annotator), one.place)
        if before != one.place:
            raise DataError(
                f"{one.place}: {one.annotator} has labelled {one.item_id[:SHOWN]} in {before} too, expected one label "
                "an item and annotator: drop one"
            )
