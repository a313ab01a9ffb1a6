"""The scale that a flat file is on: seen from what people and the judge say, or named by whoever knows.

Words of two kinds are never guessed at: `pass`, `fail` and `partly` may be three classes or a slip of the pen, and so
they are refused until somebody says which.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.interchange.flat_file import SCALES, Column, plain, quoted, vocabulary

Scale = Literal["pass-fail", "pairwise", "nominal", "ordinal", "shares"]
NAMES: tuple[Scale, ...] = ("pass-fail", "pairwise", "nominal", "ordinal", "shares")
MOST_CLASSES = 50
"""Different words beyond which a column holds texts, not classes."""
MOST_STEPS = 101
"""Steps of a scale of scores, as of 0 to 100; finer numbers have no steps."""
SIDES = {"a": 1.0, "tie": 0.5, "b": 0.0}
"""What a preference is worth as a share of people who prefer A."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_WHOLE = re.compile(r"^([+-]?\d+)\.0+$", re.ASCII)
_RANGE = re.compile(r"(-?\d+)-(-?\d+)", re.ASCII)
_ADVICE = "correct it, empty the cell, or say what it means with --map"


class Asked(NamedTuple):
    """The scale that the user names; nothing where the words are to tell."""

    scale: Scale | None = None
    low: int | None = None
    """The least score; None where the scores themselves tell."""
    high: int | None = None


class Taken(NamedTuple):
    """The scale that is taken, and why."""

    scale: Scale
    why: str


class Grades(NamedTuple):
    """Columns on one scale: places in it, and what the places stand for."""

    classes: tuple[str, ...]
    """In their natural order, or of the alphabet."""
    values: NDArray[np.float64] | None
    """What the classes of a scale of scores are as numbers; None for names."""
    has_steps: bool
    """Whether the scores are whole or half numbers, so that a table of them means something."""
    places: list[NDArray[np.int64]]
    """By column, shape (items,); -1 where there is nothing."""


def asked(text: str) -> Asked:
    """Return the scale that an option names: one of the names, or a range of scores such as `1-5`.

    Raises:
        ConfigError: It is neither.
    """
    if not text:
        return Asked()
    if text in NAMES:
        return Asked(text)
    if (found := _RANGE.fullmatch(text)) and int(found[1]) < int(found[2]):
        return Asked("ordinal", int(found[1]), int(found[2]))
    raise ConfigError(
        f"--scale is {quoted(text)}, expected one of {', '.join(NAMES)}, or the least and the highest score such as "
        "1-5: correct it"
    )


def taken(told: Asked, judge: Sequence[Column], human: Sequence[Column], maps: Sequence[str] = ()) -> Taken:
    """Return the scale that the words of people and judge are on.

    Args:
        told: What the user says of it.
        judge: The judge's verdicts.
        human: The columns of the annotators.
        maps: As for `vocabulary`, or with a class or number of another scale behind the last `=`.

    Raises:
        DataError: The words are of two kinds; the text names the row and says how to tell which is meant.
        InsufficientDataError: No person says anything.
    """
    meanings = _Told(maps)
    said, human_said = _said([*judge, *human], meanings), _said(human, meanings)
    if not human_said:
        names = ", ".join(quoted(column.name) for column in human)
        raise InsufficientDataError(f"no cell of the columns {names} holds a label, expected some: label items")
    if told.scale:
        return Taken(told.scale, "--scale says so")
    words = {one.word for one in said}
    for scale in SCALES:
        if all(meanings.known.get(word) in SCALES[scale] for word in words):
            return Taken(scale, f"every word is one of {', '.join(SCALES[scale])}")
    numbers = {word for word in words if _number(word) is not None}
    if numbers == words:
        return _scores({one.word for one in human_said}, {one.word for one in _said(judge, meanings)})
    if _is_share(numbers) and all(meanings.known.get(word) in SIDES for word in words - numbers):
        return Taken("shares", "a and b stand beside shares from 0 to 1")
    if numbers or any(word in meanings.known for word in words):
        raise _mixed(said, meanings)
    return Taken("nominal", f"{len(words)} words stand for themselves")


def grades(scale: Asked, judge: Sequence[Column], human: Sequence[Column], maps: Sequence[str] = ()) -> Grades:
    """Return columns of names, scores or preferences, the judge's first.

    Args:
        scale: The scale, and its range as far as it is told.
        judge: The judge's verdicts.
        human: The columns of the annotators.
        maps: As for `taken`.

    Raises:
        DataError: A word is no number, or beyond the range; or there are too many classes.
        InsufficientDataError: All say one and the same, so that nothing can be told apart.
    """
    told, every = _Told(maps), [*judge, *human]
    if scale.scale == "nominal":
        return _named(every, human, told)
    numbers = [_numbers(column, scale, told) for column in every]
    found = np.unique(np.concatenate(numbers))
    found = found[~np.isnan(found)]
    steps = _steps(scale, found)
    values = found if steps is None else steps
    return Grades(
        classes=tuple(f"{value:g}" for value in values),
        values=values,
        has_steps=steps is not None,
        places=[np.where(np.isnan(one), -1, np.searchsorted(values, one)) for one in numbers],
    )


class _Told:
    """What words mean: those that need no telling, and what the user tells."""

    def __init__(self, maps: Sequence[str]) -> None:
        self.known = vocabulary()
        self._told: dict[str, str] = {}
        for text in maps:
            raw, _, meant = text.rpartition("=")
            word = plain(raw)
            if not word or not meant.strip():
                raise ConfigError(f"--map has {quoted(text)}, expected WORD=MEANING: correct it")
            if plain(self._told.setdefault(word, meant.strip())) != plain(meant):
                raise ConfigError(f"--map has {quoted(word)} twice with two meanings, expected one: drop the other")

    def meant(self, word: str) -> str | None:
        """Return the word that a word stands for, in plain; None for no verdict or label."""
        found = plain(self.spelled(word))
        return None if found == "unscored" and plain(word) in self._told else found

    def spelled(self, word: str) -> str:
        """Return it as it is shown; 4.0 is what pandas makes of 4 in a column with a gap."""
        return _WHOLE.sub(r"\1", " ".join(self._told.get(plain(word), word).split()))


class _Said(NamedTuple):
    """A word of a column, as it is understood, and where it stands first."""

    word: str
    item: int
    column: Column
    code: int


def _said(columns: Sequence[Column], told: _Told) -> list[_Said]:
    """Return the words of some columns, in the order of the rows."""
    found = [
        _Said(meant, column.first(code), column, code)
        for column in columns
        for code, meant in enumerate(map(told.meant, column.words))
        if meant is not None
    ]
    return sorted(found, key=lambda one: one.item)


def _scores(human: set[str], judge: set[str]) -> Taken:
    """Return the scale of numbers; people who say 0 and 1 alone beside a judge who says more may mean either."""
    sides = [[number for word in words if (number := _number(word)) is not None] for words in (human, judge)]
    if set(sides[0]) <= {0.0, 1.0}:
        raise DataError(
            "people say 0 and 1 alone and the judge other numbers too, expected one scale: say what the numbers mean "
            "with --map, or --scale ordinal if all are scores, or --scale shares if the judge gives the chance of 1"
        )
    people, ours = (f"{min(side):g} to {max(side):g}" if side else "none" for side in sides)
    return Taken("ordinal", f"every word is a number, people's {people}, the judge's {ours}")


def _mixed(said: Sequence[_Said], told: _Told) -> DataError:
    """Say which word is of another kind than most."""

    def kind(word: str) -> str:
        its = next((scale for scale in SCALES if told.known.get(word) in SCALES[scale]), "")
        return "number" if are_scores and _number(word) is not None else its

    are_scores = any(_number(one.word) is not None and one.word not in told.known for one in said)
    kinds = Counter(kind(word) for word in {one.word for one in said})
    usual = max([*SCALES, "number", ""], key=lambda name: (kinds[name], name != ""))
    strange = next(one for one in said if kind(one.word) != usual)
    others = list(dict.fromkeys(one.word for one in said if kind(one.word) == usual))[:3]
    return DataError(
        f"{strange.column.place(strange.item)}: found {quoted(strange.column.words[strange.code])} beside "
        f"{', '.join(map(quoted, others))}, expected words of one scale: {_ADVICE}, or say --scale nominal if all are "
        "classes"
    )


def _named(every: Sequence[Column], human: Sequence[Column], told: _Told) -> Grades:
    spelled: dict[str, str] = {}
    for column in (*human, *every):
        for word in column.words:
            meant = told.meant(word)
            if meant is not None:
                spelled.setdefault(meant, told.spelled(word))
    if len(spelled) > MOST_CLASSES:
        raise DataError(
            f"{every[0].file}: found {len(spelled)} different words in the columns of judge and people, expected at "
            f"most {MOST_CLASSES} classes: name a column of labels, or bring words together with --map"
        )
    names = sorted(spelled)
    if len(names) < 2:  # noqa: PLR2004 - the least that can differ
        raise InsufficientDataError(
            f"{every[0].file}: people and judge gave one and the same label throughout, expected two at least: label "
            "items of another kind"
        )
    place: dict[str | None, int] = {name: number for number, name in enumerate(names)} | {None: -1}
    # An empty cell has the code -1, so its place is the last one.
    places = [np.array([*(place[told.meant(word)] for word in one.words), -1], dtype=np.int64) for one in every]
    return Grades(
        classes=tuple(spelled[name] for name in names),
        values=None,
        has_steps=True,
        places=[table[one.codes] for table, one in zip(places, every, strict=True)],
    )


def _numbers(column: Column, scale: Asked, told: _Told) -> NDArray[np.float64]:
    """Return the scores of a column, NaN where there is none."""
    found = [_score(column, code, scale, told) for code in range(len(column.words))]
    return np.array([*found, np.nan])[column.codes]


def _score(column: Column, code: int, scale: Asked, told: _Told) -> float:
    meant = told.meant(column.words[code])
    if meant is None:
        return np.nan
    value = _number(meant)
    low, high = scale.low, scale.high
    expected = "a number" if low is None else f"a number from {low} to {high}"
    if scale.scale == "shares":
        low, high, expected = 0, 1, "a, b, tie, or the share from 0 to 1 of those who prefer A"
        value = SIDES.get(told.known.get(meant, ""), value) if value is None else value
    if value is None or (low is not None and high is not None and not low <= value <= high):
        raise DataError(
            f"{column.place(column.first(code))}: found {quoted(column.words[code])}, expected {expected}: {_ADVICE}"
        )
    return value


def _steps(scale: Asked, found: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return every step of the scale, or None where the numbers have none.

    Raises:
        InsufficientDataError: All numbers are one and the same.
    """
    low = float(found[0]) if scale.low is None else scale.low
    high = float(found[-1]) if scale.high is None else scale.high
    if low == high:
        raise InsufficientDataError(
            f"people and judge gave the score {low:g} throughout, expected two at least: label items of another kind"
        )
    for step in (1.0, 0.5):
        count = (high - low) / step + 1
        if np.equal(np.mod(found - low, step), 0).all() and count <= MOST_STEPS and scale.scale == "ordinal":
            return np.asarray(low + step * np.arange(round(count)))
    return None


def _number(word: str) -> float | None:
    return float(word) if _NUMBER.fullmatch(word) else None


def _is_share(words: set[str]) -> bool:
    """Tell whether numbers can be shares and no others: one of them at least lies between 0 and 1."""
    found = [_number(word) or 0.0 for word in words]
    return bool(found) and all(0 <= value <= 1 for value in found) and any(0 < value < 1 for value in found)
