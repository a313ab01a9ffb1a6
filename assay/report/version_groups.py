"""The change in some of the cases: by category, which may be called worse or better, and by what is for reading."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from assay.records.record import Record
from assay.report.findings import Rate, rate
from assay.stats.paired import Trials
from assay.stats.slices import SliceCounts, SliceFinding, counted, find_drops

LEVEL = 0.95


class GroupChange(Record):
    """The change in some of the cases, or by one scorer."""

    name: str
    n: int
    before: float
    now: float
    change: Rate
    """Of a category that is called worse or better, at the FCR-adjusted level."""
    gained: int
    lost: int
    adjusted_p: float | None = None
    """Exact, one-sided, after Holm over the categories that could be called worse at all; None where it was not held
    against the others."""
    word: Literal["worse", "better", ""] = ""


def turned(of: SliceCounts) -> SliceCounts:
    """Return the same with the versions changed places, so that a drop is an improvement."""
    trials = [one.turned for one in of.trials]
    return SliceCounts(name=of.name, n=of.n, gained=of.lost, lost=of.gained, trials=trials)


def tested(groups: Mapping[str, Sequence[Trials]], worse_at: float, better_at: float) -> list[GroupChange]:
    """Return the changes by category, with those that are worse or better beyond chance.

    Args:
        groups: Cases by category.
        worse_at: Chance that any category is called worse where nothing changed.
        better_at: The same of better; 0 where the whole is not better, and no category is called so.

    Categories in which so few cases differ that they could not be called worse if all of these were lost take no part
    in Holm's correction: how many differ says nothing of the direction, so the others keep their level (Tarone 1990).
    Better is said of categories only once the whole is, with the level that this leaves (Bretz et al. 2009).

    Source:
        DECISION 2; Tarone (1990), A modified Bonferroni method for discrete data; Bretz, Maurer, Brannath & Posch
        (2009), A graphical approach to sequentially rejective multiple test procedures.
    """
    found = {name: counted(name, cases) for name, cases in groups.items()}
    worse = _drops(found.values(), worse_at)
    better = _drops([turned(of) for of in found.values()], better_at)
    rows = []
    for name, cases in groups.items():
        drop, rise = worse.get(name), better.get(name)
        is_worse, is_risen = (bool(one and one.flagged) for one in (drop, rise))
        chosen = drop if is_worse else rise if is_risen else None
        row = group_change(name, cases, chosen.change.level if chosen else LEVEL)
        said = {"adjusted_p": drop and drop.adjusted, "word": "worse" if is_worse else "better" if is_risen else ""}
        rows.append(row.model_copy(update=said))
    return sorted(rows, key=lambda row: (row.change.estimate, row.name))


def _drops(of: Iterable[SliceCounts], alpha: float) -> dict[str, SliceFinding]:
    """Return what is found of each category that could be called worse at this level."""
    testable = [one for one in of if _least_p(one) <= alpha]
    return {drop.name: drop for drop in find_drops(testable, alpha=alpha, level=LEVEL)}


def _least_p(of: SliceCounts) -> float:
    """Return the p-value that it would have if all that differs were lost."""
    if not of.trials:
        return 0.5 ** (of.gained + of.lost)
    moved: dict[object, float] = defaultdict(float)
    for at, one in enumerate(of.trials):
        moved[one.family or at] += one.difference
    return float(0.5 ** sum(abs(total) > 1e-9 for total in moved.values()))  # noqa: PLR2004 - a rounding error


def group_change(name: str, cases: Sequence[Trials], level: float = LEVEL) -> GroupChange:
    """Return the change over some cases."""
    of = counted(name, cases)
    before, now = mean_share([one.before for one in cases]), mean_share([one.now for one in cases])
    change = rate(of.change(level))
    return GroupChange(name=name, n=of.n, before=before, now=now, change=change, gained=of.gained, lost=of.lost)


def listed(groups: Mapping[str, Sequence[Trials]]) -> list[GroupChange]:
    """Return the changes of groups that are for reading: nothing is said of whether they are chance."""
    rows = [group_change(name, cases) for name, cases in groups.items()]
    return sorted(rows, key=lambda row: (row.change.estimate, row.name))


def mean_share(trials: Sequence[tuple[bool, ...]]) -> float:
    """Return the mean over cases of the share of trials that pass."""
    return sum(sum(one) / len(one) for one in trials) / len(trials)
