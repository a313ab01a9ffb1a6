"""Cases as they are met in another tool's file: made into ours one by one, and all that has no place in one counted.

Nothing is dropped in silence: `leave` takes what a case cannot hold, by kind, and a reading says of each kind how many
there were and where the first one stands.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import ValidationError

from assay.checks import registry
from assay.errors import DataError
from assay.judges.draft import JudgeDraft
from assay.records import named
from assay.records.attachment import Attachment
from assay.records.case import Case, Expectation, Layer, SimulatedUser
from assay.records.record import digest
from assay.text import first_fault

SHOWN = 80
"""Characters of what was found that a message quotes."""
LONGEST = 1_000_000
"""Characters of one text of a case."""
NAME = 100
"""Characters of a name."""
KINDS = 200
"""Kinds of what was left out that are told apart: a hostile file could name a million fields."""
OPENING, STOP = "Hello.", "The goal is reached, or it is plain that it cannot be."
"""What a simulated user begins with, and when it stops, where a file does not say."""
TURNS = 10
"""Simulated turns at most where a file does not say, as in DeepEval and promptfoo."""
RUBRIC_JUDGE = "rubric"
"""The judge that goes by each case's own rubric: what other tools have a model grade becomes a rubric for it."""
Provenance = Literal["written", "generated", "production"]
T = TypeVar("T")


class Filling(NamedTuple):
    """What every case gets that the file says nothing of."""

    category: str
    """Empty: the file has to say it, row by row."""
    layer: Layer
    owner: str


class Reading(NamedTuple):
    """What a file holds."""

    cases: list[Case]
    not_understood: list[str]
    """One sentence for each kind of thing that has no place in a case: how many, and where the first stands."""
    became: Mapping[tuple[str, str], int] = MappingProxyType({})
    """How many assertions of a type became what: type, what, count."""
    files: Mapping[Attachment, Path] = MappingProxyType({})
    """Where the attachments lie that are not in the project yet."""
    judges: tuple[JudgeDraft, ...] = ()
    """Judges that the file declares."""


@dataclass
class Draft:
    """A case on its way, in the file's own words; what the file does not say is empty."""

    place: str
    """What a message calls the place in the file."""
    turns: list[str] = field(default_factory=list)
    reference: str = ""
    expectations: list[Expectation] = field(default_factory=list)
    case_id: object = None
    """As the file spells it."""
    title: str = ""
    """What it may be named after where it has no id; two cases can have the same."""
    category: object = None
    tags: object = None
    """Where the category is looked for when nobody says it otherwise."""
    case_tags: list[str] = field(default_factory=list)
    """By which judges are chosen for the case."""
    layer: Layer | None = None
    owner: str = ""
    provenance: Provenance = "written"
    parent: str = ""
    user: SimulatedUser | None = None
    criteria: list[str] = field(default_factory=list)
    """What the judge `rubric` has to look at; all of it has to hold."""
    rubric: dict[str, str] = field(default_factory=dict)
    """By judge: what it has to look at."""
    references: list[str] = field(default_factory=list)
    """Further right answers."""
    attachments: list[Attachment] = field(default_factory=list)
    """Files that are in the project already."""
    thresholds: dict[str, int] = field(default_factory=dict)
    """By judge of scores."""
    contexts: list[str] = field(default_factory=list)
    """Documents that go with the question."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """Named JSON values beside what the user says."""


class Listing:
    """What was left out, by kind."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._left: dict[tuple[str, str], tuple[int, str, str]] = {}

    def leave(self, noun: str, which: str, place: str, why: str = "") -> None:
        """Leave out one thing.

        Args:
            noun: What it is, in the singular, such as `field`.
            which: What tells its kind from others.
            place: Where it stands.
            why: Why, where that is not plain; the first of a kind counts.
        """
        kind = noun, which
        if kind not in self._left and len(self._left) >= KINDS:
            kind, why = ("thing", "of further kinds"), ""
        count, first, reason = self._left.get(kind, (0, place, why))
        self._left[kind] = count + 1, first, reason

    def count(self, noun: str) -> int:
        """Return how many things of this noun were left out whole."""
        return sum(count for (kind, _), (count, _, _) in self._left.items() if kind == noun)

    def lines(self) -> list[str]:
        """Return one sentence a kind, in the order in which they were met."""
        return [
            f"{count} {_plural(noun) if count > 1 else noun} {which}, {'the first ' if count > 1 else ''}in {place}"
            + (f": {why}" if why else "")
            for (noun, which), (count, place, why) in self._left.items()
        ]


class Gathering:
    """The cases of one file, each of its own name, and what was left out."""

    def __init__(self, file_name: str, filling: Filling) -> None:
        """Begin with nothing."""
        self.file_name, self.filling = file_name, filling
        self._cases: dict[str, Case] = {}
        self._places: dict[str, str] = {}
        self._listing = Listing()
        self.leave = self._listing.leave
        self._became: Counter[tuple[str, str]] = Counter()
        self._judges: list[JudgeDraft] = []

    def account(self, kind: str, what: str) -> None:
        """Count an assertion of a type that became this."""
        self._became[kind, what] += 1

    def judge(self, draft: JudgeDraft) -> None:
        """Take a judge; the same one twice is one."""
        if draft.mark not in {one.mark for one in self._judges}:
            self._judges.append(draft)

    @property
    def has_judges(self) -> bool:
        """Tell whether any judge was taken."""
        return bool(self._judges)

    def fault(self, place: str, sentence: str) -> DataError:
        """Return the error that names the place and says what was found there, what was expected and what to do."""
        return DataError(f"{self.file_name}, {place}{sentence}")

    def expect(self, draft: Draft, expectation: Expectation, noun: str, place: str) -> bool:
        """Add an expectation to a case, and say so; one that could not be scored is left out, and told."""
        try:
            registry.validate(expectation)
        except DataError as error:
            self.leave(noun, f"that no check can score as `{expectation.check}`", place, one_line(str(error)))
            return False
        draft.expectations.append(expectation)
        return True

    def give(self, draft: Draft, name: str, value: object, path: str) -> bool:
        """Take a named value of a case, and say so; one that no input can be is left to be told."""
        try:
            named.as_text({name: value})
        except ValueError as error:
            self.leave("value", f"`{shown(path)}` that no input can be", draft.place, one_line(str(error)))
            return False
        draft.inputs.setdefault(name, value)
        return True

    def add(self, draft: Draft) -> None:
        """Take a case; one in which the user says nothing is left out, and told.

        Raises:
            DataError: It has no category, a text that cannot be kept, or the name of an earlier case.
        """
        for _ in (turn for turn in draft.turns if not turn.strip()):
            self.leave("turn", "without a word", draft.place)
        draft.turns = [turn for turn in draft.turns if turn.strip()]
        if not draft.turns:
            self.leave("row", "in which a user says nothing", draft.place)
            return
        case = self._case(draft)
        if draft.case_id in (None, "") and case.case_id in self._cases:
            self.leave("row", f"with the words of an earlier one ({case.case_id[:SHOWN]})", draft.place)
            return
        if case.case_id in self._cases:
            found = f": the id {quoted(str(draft.case_id))} is that of {self._places[case.case_id]} too"
            raise self.fault(
                draft.place, f"{found}, expected each id once, whatever its case ({case.case_id}): rename one of them"
            )
        self._cases[case.case_id], self._places[case.case_id] = case, draft.place

    def reading(self) -> Reading:
        """Return what was met.

        Raises:
            DataError: Not one case was, and no judge.
        """
        if not self._cases and not self._judges:
            left = "; ".join(self._listing.lines()[:3]) or "nothing at all"
            raise DataError(
                f"{self.file_name} holds no case ({left[:300]}), expected rows in which a user says something: "
                "correct the file, or name its format"
            )
        return Reading(list(self._cases.values()), self._listing.lines(), self._became, judges=tuple(self._judges))

    def _case(self, draft: Draft) -> Case:
        category = self._category(draft)
        if draft.criteria:
            draft.rubric = {**draft.rubric, RUBRIC_JUDGE: _all_of(draft.criteria)}
        if draft.references and not draft.reference:
            draft.reference, *draft.references = draft.references
        for text in (*draft.turns, draft.reference, draft.owner, draft.parent, *_written(draft)):
            self._require_whole(text, draft.place)
        try:
            case = Case(
                case_id="unnamed",
                layer=draft.layer or self.filling.layer,
                category=category,
                turns=draft.turns,
                reference=draft.reference,
                expectations=draft.expectations,
                provenance=draft.provenance,
                parent=draft.parent,
                owner=draft.owner or self.filling.owner,
                user=draft.user,
                rubric=draft.rubric,
                inputs=draft.inputs,
                references=draft.references,
                attachments=draft.attachments,
                contexts=draft.contexts,
                thresholds=draft.thresholds,
                tags=draft.case_tags,
            )
        except ValidationError as error:
            raise self.fault(draft.place, f": {first_fault(error)}; correct it") from error
        own = name(draft.case_id)
        if not own:
            own = self._named(case, name(draft.title) or "case")
        return case.model_copy(update={"case_id": own})

    def _named(self, case: Case, title: str) -> str:
        """Return an id of a case's own: the same as before cases had inputs, unless another case has it here."""
        bare = case.model_copy(update={"inputs": named.NONE})
        own = f"{title[: NAME - 17]}-{bare.revision()}"
        there = self._cases.get(own)
        if there is None or there.inputs == case.inputs:
            return own
        return f"{title[: NAME - 17]}-{case.revision()}"

    def _category(self, draft: Draft) -> str:
        """Return the category that the file says, or else the one that all cases get."""
        found = draft.category
        tags = draft.tags if isinstance(draft.tags, list) else [draft.tags] if draft.tags else []
        if not found and not self.filling.category:
            found = _tagged(tags)
            tags = []
        for tag in tags:
            self.leave("tag", f"`{shown(tag)}`", draft.place)
        category = name(found) or self.filling.category
        if not category:
            raise self.fault(
                draft.place,
                ": no category, expected one in `category`, `metadata.category` or a single tag: "
                "write it there, or name one for all cases",
            )
        return category

    def _require_whole(self, text: str, place: str) -> None:
        found = ""
        if len(text) > LONGEST:
            found = f"a text of {len(text):,} characters, expected at most {LONGEST:,}: shorten it"
        elif "\0" in text:
            found = "the character U+0000 in a text, expected letters only: remove it"
        if found:
            raise self.fault(place, f" has {found}")


def name(found: object) -> str:
    """Return an id or a category as we write names: lower case, no accents, no blanks; empty where nothing is there.

    Where more than case, accents and separators is lost on the way, a hash of the whole keeps two names apart.
    """
    text = str(found if found is not None else "").strip()
    bare = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()
    plain = re.sub(r"[^a-z0-9._-]+", "-", letters).strip("-._")
    if letters.isascii() and len(plain) <= NAME and (plain or not text):
        return plain
    return f"{plain[: NAME - 17]}-{digest(text)}".lstrip("-")


def shown(found: object) -> str:
    """Return the beginning of a foreign name on one line, without what cannot be printed."""
    return repr(str(found)[:SHOWN])[1:-1].replace("`", "'")


def quoted(found: object) -> str:
    """Return the beginning of what was found, in quotes, on one line."""
    text = found if isinstance(found, str) else repr(found)
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def one_line(text: str) -> str:
    """Return a reason on one line, cut to what a list can show."""
    return " ".join(text.split())[:200]


def only(found: Iterable[T]) -> T | None:
    """Return the one thing there is; None for none and for several."""
    several = list(found)
    return several[0] if len(several) == 1 else None


def _plural(noun: str) -> str:
    head, of, rest = noun.partition(" of ")
    return f"{head}s{of}{rest}"


def _written(draft: Draft) -> Iterator[str]:
    """Yield the texts of a draft that its records do not look at."""
    for expectation in draft.expectations:
        yield from expectation.values
        for call in expectation.calls:
            yield from (call.name, call.arguments)
    yield from (*draft.rubric.values(), *draft.references, *draft.contexts, *draft.case_tags)
    yield from map(named.shown, draft.inputs.values())
    if draft.user is not None:
        yield from (draft.user.goal, draft.user.persona, draft.user.stop)


def _all_of(criteria: list[str]) -> str:
    """Return several criteria as one rubric: all of them have to hold."""
    different = list(dict.fromkeys(one.strip() for one in criteria))
    if len(different) == 1:
        return different[0]
    return "All of these hold:\n" + "\n".join(f"{number}. {one}" for number, one in enumerate(different, 1))


def _tagged(tags: list[object]) -> object:
    """Return the category that tags tell: `category:refunds`, or the only tag."""
    for tag in tags:
        head, mark, rest = str(tag).replace("=", ":").partition(":")
        if mark and head.strip().casefold() == "category":
            return rest.strip()
    return only(tags)
