"""What every format of labels comes to: who said what of which item, for which judge, and where in the file.

A label is a word of its judge's scale: pass and fail, a, tie and b, one of its labels, a number of its range. A word
outside of it is refused with its row, unless the user has told what it means.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, cast

from assay.errors import ConfigError, DataError
from assay.interchange import flat_file
from assay.interchange.annotation.form import SHOWN, Filled, LeftOut
from assay.judges.declaration import Declaration
from assay.records.verdict import Outcome

QUESTION = "outcome"
"""What people are asked, by its name in every format."""
JUDGE = "judge"
"""The column, or tag, that says whose question is answered."""
RUBRIC = "rubric"
"""The column that has the rubric, as people were shown it."""
LETTERS, MARKS = frozenset({"Ll", "Lo", "Nd"}), frozenset({"Lm", "Mn", "Mc", "Me"})
"""Categories of what a name may begin with, and of what may follow as well."""
LONGEST = 100
"""Characters of a name."""
NO_LABEL = "unscored"
"""What a word means that stands for no label."""


class Asked(NamedTuple):
    """Whose question a row answers."""

    judge: str
    declared: Declaration


Ask = Callable[[str, str, str], Asked]
"""Returns whose question is answered: of an item, by what its row says of the judge, at a place."""


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
    judge: str
    """Whose question it answers."""
    label: str
    """In that judge's own scale, where it has one."""
    rubric: str = ""
    """As whoever labelled had it beside the item; empty where the file does not have it."""


class Reading(NamedTuple):
    """What a file holds."""

    labels: list[Given]
    left_out: list[str]
    """One sentence for each kind of thing that is no label, such as drafts: how many, and where the first stands."""


class Gathering(LeftOut):
    """Labels as they are met in a file, each annotator's word on an item and judge once, and what was left out."""

    def __init__(self, who: str, asked: Ask, maps: Sequence[str]) -> None:
        """Begin with nothing.

        Args:
            who: Who labelled, where the file does not say.
            asked: Returns whose question a row answers.
            maps: What words mean, such as `good=pass`; `unscored` is the meaning of a word that is no label.

        Raises:
            ConfigError: A text of `maps` is at fault.
        """
        super().__init__()
        self._who, self._asked, self._maps = who, asked, maps
        self._unfit = set(maps)
        self._words: dict[str, Mapping[str, str]] = {}
        self._labels: dict[tuple[str, str, str], Given] = {}

    def take(self, said: Filled) -> None:
        """Take a label, unless its word stands for none.

        Raises:
            DataError: A part of it is missing or unknown, or the annotator has labelled the item for the judge before.
        """
        place, item_id = said.place, str(said.key or "").strip()
        if not item_id:
            raise DataError(f"{place}: no item_id, expected that of an item: restore it, or label an export of ours")
        asked = self._asked(item_id, str(said.tags.get(JUDGE) or "").strip(), place)
        meant = word(said.answers[QUESTION], place, self._meanings(asked), asked.declared)
        if meant == NO_LABEL and NO_LABEL not in asked.declared.verdicts:
            self.leave("answers that stand for no label", place)
            return
        one = Given(
            item_id=item_id,
            annotator=annotator(said.who or self._who, place),
            outcome=outcome(meant, asked.declared),
            rubric_version=str(said.tags.get("rubric_version") or "").strip(),
            labelled_at=moment(said.at, place),
            place=place,
            judge=asked.judge,
            label=meant if has_scale(asked.declared) else "",
            rubric=str(said.tags.get(RUBRIC) or ""),
        )
        before = self._labels.setdefault((item_id, one.annotator, one.judge), one)
        if before is not one:
            raise DataError(
                f"{place}: {one.annotator} has labelled {item_id[:SHOWN]} in {before.place} too, expected one label "
                "an item and annotator: drop one"
            )

    def reading(self) -> Reading:
        """Return what was met.

        Raises:
            ConfigError: A text of `maps` means nothing that any judge of the file says.
        """
        if self._words and self._unfit:
            judges = ", ".join(sorted(self._words))
            raise ConfigError(
                f"--map has {min(self._unfit)[:SHOWN]!r}, expected WORD=LABEL with a label of {judges}, or {NO_LABEL}: "
                "correct it"
            )
        return Reading(list(self._labels.values()), self.told())

    def _meanings(self, asked: Asked) -> Mapping[str, str]:
        """Return which word of its scale each word stands for; a text of `maps` may be about another judge's."""
        if asked.judge not in self._words:
            spelled = spellings(asked.declared)
            fitting = [text for text in self._maps if _fits(text, spelled)]
            self._unfit -= set(fitting)
            self._words[asked.judge] = flat_file.vocabulary(fitting, spelled)
        return self._words[asked.judge]


def _fits(text: str, words: Mapping[str, object]) -> bool:
    meant = text.rpartition("=")[2].strip().casefold()
    return meant in (NO_LABEL, *(word.casefold() for word in words))


def spellings(declared: Declaration) -> dict[str, tuple[str, ...]]:
    """Return by word of a judge's scale how people may spell it; numbers also as pandas writes them beside a gap."""
    if declared.question == "labels":
        return {label: (label,) for label in declared.labels}
    if declared.question == "score":
        return {number: (number, f"{number}.0") for number in declared.verdicts}
    return {
        outcome: flat_file.WORDS[outcome] for outcome in (("a", "tie", "b") if declared.is_pair else declared.verdicts)
    }


def has_scale(declared: Declaration) -> bool:
    """Tell whether a judge has a scale of its own beside pass and fail, or a, tie and b."""
    return declared.question in ("labels", "score")


def word(found: object, place: str, meanings: Mapping[str, str], declared: Declaration) -> str:
    """Return the word of a judge's scale that somebody's word stands for.

    Raises:
        DataError: It stands for none.
    """
    meant = meanings.get(" ".join(str(found).split()).casefold())
    if meant is None:
        legal = list(spellings(declared))
        shown = f"{legal[0]} to {legal[-1]}" if declared.question == "score" else ", ".join(legal)
        raise DataError(
            f"{place}: the label is {str(found)[:SHOWN]!r}, expected one of {shown}: correct it, or say what it means "
            "with --map"
        )
    return meant


def outcome(meant: str, declared: Declaration) -> Outcome:
    """Return whether a word of a judge's scale passes; of a pair the word itself."""
    if declared.is_pair:
        return cast("Outcome", meant)
    return "pass" if meant in declared.passing else "fail"


def annotator(found: object, place: str, noun: str = "annotator") -> str:
    """Return a person's name as we write names: small letters of any script, no blanks; 7 is `annotator-7`.

    A name in Latin letters keeps those from a to z, without accents, as all names did before.

    Args:
        found: As the file has it.
        place: Where it stands.
        noun: What the person is called.

    Raises:
        DataError: Nothing is left of it.
    """
    text = str(found or "").strip()
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    is_latin = all("LATIN" in unicodedata.name(letter, "") for letter in bare if letter.isalpha())
    written = bare if is_latin else unicodedata.normalize("NFKC", text)
    kept = "".join(letter if _is_of_name(letter, is_latin=is_latin) else " " for letter in written.casefold())
    name = "-".join(kept.split()).strip("-._")
    while name and unicodedata.category(name[0]) in MARKS:
        name = name[1:].lstrip("-._")
    name = name[:LONGEST]
    if not name:
        raise DataError(
            f"{place}: the {noun} is {str(found or '')[:SHOWN]!r}, expected a name of letters or digits: "
            f"write it so, or say --{noun} NAME"
        )
    return f"{noun}-{name}"[:LONGEST] if name.isdigit() else name


def _is_of_name(letter: str, *, is_latin: bool) -> bool:
    if letter.isascii():
        return letter.isalnum() or letter in "._-"
    return not is_latin and unicodedata.category(letter) in LETTERS | MARKS


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
