"""The cases that two versions have in common, and by which names they go together."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

from assay.records.result import TrialResult
from assay.stats.paired import Trials

UNNAMED = "(none)"
"""The name of cases that have none, where others do."""


class CommonCase(NamedTuple):
    """One case that both versions have an outcome of."""

    case_id: str
    category: str
    layer: str
    trials: Trials
    before: list[TrialResult]
    now: list[TrialResult]


class Overlap(NamedTuple):
    """How two versions' cases go together."""

    cases: list[CommonCase]
    only_before: int
    only_now: int
    changed: int
    without: int


def overlap(before: Iterable[TrialResult], now: Iterable[TrialResult]) -> Overlap:
    """Return the cases that both versions have an outcome of, and how many others there are."""
    first, second = _by_case(before), _by_case(now)
    cases, changed, without = [], 0, 0
    for case_id, theirs in first.items():
        mine = second.get(case_id)
        if mine is None:
            continue
        revisions = {row.revision for row in chain(theirs, mine)} - {""}
        said = [tuple(row.passed for row in rows) for rows in (mine, theirs)]
        if len(revisions) > 1:
            changed += 1
        elif None in said[0] or None in said[1]:
            without += 1
        else:
            cases.append(_common(case_id, theirs, mine, said))  # type: ignore[arg-type]
    shared = len(cases) + changed + without
    return Overlap(cases, len(first) - shared, len(second) - shared, changed, without)


def _by_case(results: Iterable[TrialResult]) -> dict[str, list[TrialResult]]:
    found: dict[str, list[TrialResult]] = defaultdict(list)
    for row in results:
        found[row.case_id].append(row)
    return dict(found)


def _common(
    case_id: str, theirs: list[TrialResult], mine: list[TrialResult], said: list[tuple[bool, ...]]
) -> CommonCase:
    one, other = theirs[0], mine[0]
    trials = Trials(said[0], said[1], one.family or other.family)
    return CommonCase(case_id, one.category or other.category, one.layer or other.layer, trials, theirs, mine)


def grouped(cases: Iterable[CommonCase], key: Callable[[CommonCase], str]) -> dict[str, list[Trials]]:
    """Return the cases by a name that some of them have; empty where none has one."""
    groups: dict[str, list[Trials]] = defaultdict(list)
    for one in cases:
        groups[key(one) or UNNAMED].append(one.trials)
    return {} if set(groups) == {UNNAMED} else dict(groups)


def by_scorer(cases: Iterable[CommonCase]) -> dict[str, list[Trials]]:
    """Return by scorer what it said of the cases on which it said something in every trial of both versions."""
    groups: dict[str, list[Trials]] = defaultdict(list)
    for one in cases:
        names = dict.fromkeys(chain.from_iterable(row.scorers for row in one.now))
        for name in names:
            now, before = (tuple(row.scorers.get(name) for row in rows) for rows in (one.now, one.before))
            if None not in now and None not in before:
                groups[name].append(Trials(now, before, one.trials.family))  # type: ignore[arg-type]
    return dict(groups)
