"""Rounds of drawing: which chance had an answer to be labelled, over all the rounds in which it could have been drawn?

Every case has one permanent random number, and a round draws the cases whose number lies below the chance of their
stratum. So whoever was drawn before stays drawn, an answer's chance over several rounds is the greatest of its chances,
and two versions of a product are labelled on the same cases (Ohlsson 1995, permanent random numbers).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.records.label import Draw, Frame, Item, Numbers
from assay.records.record import digest

KEY = 8
"""Digits of an answer's key that are kept: two of 10,000 answers share them once in ninety draws."""


COMMON: Numbers = "common"
"""Every case has one number for all judges, so that their draws are of the same cases."""


def numbers(frames: Sequence[Frame]) -> Numbers:
    """Return whose numbers a judge's next round goes by: those of its rounds before, else the common ones."""
    return frames[0].numbers if frames else COMMON


def place(judge: str, case_id: str, whose: Numbers) -> float:
    """Return the permanent random number of a case, 0 to 1, for a judge's draws."""
    drawn = ["place", case_id] if whose == COMMON else ["place", judge, case_id]
    return int(digest(drawn), 16) / 16**16


class Rounds:
    """The rounds of one judge."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        """Know which answer was in which of them, with which chance."""
        self._chances: dict[str, float] = {}
        for frame in frames:
            for stratum, keys in frame.answers.items():
                for start in range(0, len(keys), KEY):
                    key = keys[start : start + KEY]
                    self._chances[key] = max(self._chances.get(key, 0.0), frame.chances[stratum])

    def chance(self, key: str) -> float:
        """Return the chance over the rounds that an answer was drawn; 0 for one that never could be.

        Args:
            key: As from `questions.answer_key`.
        """
        return self._chances.get(key[:KEY], 0.0)


class Entry(NamedTuple):
    """One answer that can be drawn."""

    stratum: str
    value: str
    """Within a stratum every value gets its share."""
    place: float
    """Its case's permanent random number."""
    is_drawn: bool
    """Before, in a round."""


class Drawn(NamedTuple):
    """What a round draws."""

    chosen: list[int]
    """Numbers of the entries that are drawn now."""
    chances: dict[str, float]
    """By stratum: of every entry in it, drawn before or not."""


def draw_of_round(
    entries: Sequence[Entry], more: int, target: Callable[[Mapping[str, int], int], Mapping[str, int]]
) -> Drawn:
    """Draw so many entries besides those that are drawn.

    Args:
        entries: Everything that can be drawn.
        more: How many are to be drawn now; where fewer are open, all are.
        target: Tells, from the sizes of the strata and a number in all, how many of each should be drawn over all
            rounds.

    In each stratum those with the smallest numbers are drawn, up to a bound that is set so that `more` of them are new;
    whoever lies below it and was drawn before needs no second draw.
    """
    strata: dict[str, list[int]] = {}
    for number in _ordered(entries):
        strata.setdefault(entries[number].stratum, []).append(number)
    sizes = {name: len(numbers) for name, numbers in strata.items()}

    def below(total: int) -> dict[str, int]:
        return dict(target(sizes, total)) if total else dict.fromkeys(sizes, 0)

    def new(bounds: Mapping[str, int]) -> list[int]:
        return [n for name, bound in bounds.items() for n in strata[name][:bound] if not entries[n].is_drawn]

    least = len(sizes)
    totals = range(least, len(entries) + 1)
    place_of = bisect_left(totals, more, key=lambda total: len(new(below(total))))
    bounds = below(totals[min(place_of, len(totals) - 1)])
    while len(chosen := new(bounds)) > more:
        name = max(bounds, key=lambda name: (bounds[name], name))
        bounds[name] -= 1
    return Drawn(chosen, {name: bound / sizes[name] for name, bound in bounds.items()})


def _ordered(entries: Sequence[Entry]) -> list[int]:
    """Return the numbers of the entries by place, those of each value spread over the whole as evenly as they lie."""
    rank = np.zeros(len(entries))
    values = np.array([f"{entry.stratum}\0{entry.value}" for entry in entries])
    places = np.array([entry.place for entry in entries])
    for value in set(values.tolist()):
        mine = np.flatnonzero(values == value)
        rank[mine[np.argsort(places[mine], kind="stable")]] = np.arange(len(mine)) / len(mine)
        rank[mine] += places[mine] / len(mine)
    return np.argsort(rank, kind="stable").tolist()  # type: ignore[no-any-return]


def apart(items: Iterable[Item], draws: Iterable[Draw]) -> set[str]:
    """Return the items that no round has drawn: those of before, and those of a file."""
    by_rounds = {draw.item_id for draw in draws if draw.round}
    return {item.item_id for item in items} - by_rounds
