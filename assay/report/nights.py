"""The nights together: how often has this version been looked at, and has the pass rate left the accepted level?

Only what was freshly asked is a new look: answers that were kept of an earlier run say nothing new.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from math import inf

import numpy as np

from assay.errors import InsufficientDataError
from assay.records.history import CaseNight, last_runs, place
from assay.report.comparison import TESTS_SHARE, Look
from assay.stats.detector import MIN_NIGHTS, Night, baseline, start, step

TRIED = 3
"""Runs from which on the best of them is likely to owe much of its rate to chance."""
MONTH = 30
"""Nights over which the chance of a false alarm is shared."""


def look(history: Sequence[CaseNight], tonight: CaseNight, accepted: str) -> Look:
    """Return which look at this version against this baseline tonight is, and what the one before it found worse.

    Args:
        history: Rows of any runs; those of before it was kept what was accepted are no looks.
        tonight: Tonight's row, as far as it is known before the comparison.
        accepted: Fingerprint of the accepted version.
    """
    before = [
        row
        for row in sorted(history, key=place)
        if place(row) < place(tonight)
        and (row.accepted, row.target) == (tonight.accepted, tonight.target)
        and row.accepted
    ]
    looks = sum(row.asked > 0 for row in before) + (tonight.asked > 0)
    named = frozenset(before[-1].worse) if before else frozenset()
    return Look(max(1, looks), named, is_new=tonight.target != accepted)


def picked(history: Sequence[CaseNight], run: str, accepted: str) -> int:
    """Return of how many runs this one passed most, where it may have been picked for that; 0 where it was not.

    Counted are fresh runs against one baseline, on one set and by one judge: those of the accepted version where this
    is one of them, else those of all other versions that were tried.

    Args:
        history: Rows of any runs.
        run: Its id.
        accepted: Fingerprint of the version that was accepted until now.
    """
    mine = next((row for row in history if run and row.run == run and row.is_fresh and row.of), None)
    if mine is None:
        return 0
    tried = [
        row
        for row in history
        if row.is_fresh and row.of and (row.target == accepted) == (mine.target == accepted)
        if (row.accepted, row.judge, row.evaluation_set) == (mine.accepted, mine.judge, mine.evaluation_set)
    ]
    is_best = all(row.passed / row.of < mine.passed / mine.of for row in tried if row is not mine)
    return len(tried) if is_best and len(tried) >= TRIED else 0


def dropped(history: Sequence[CaseNight], tonight: CaseNight, accepted: str, alpha: float) -> str:
    """Return why the pass rate of the last nights is below the accepted version's; empty where that is not proved.

    The first 14 fresh nights of the accepted version, on this set and by this judge, say what its level is; a person
    who accepts a night that was found worse begins them anew, as another version or judge does.

    Args:
        history: Rows of any runs.
        tonight: Tonight's row.
        accepted: Fingerprint of the accepted version.
        alpha: Chance that a month of nights that are like those 14 is called worse.

    Source:
        Shin, Ramdas & Rinaldo (2022), E-detectors: R - n is a supermartingale, so of N nights R reaches N / alpha with
        a chance of alpha at most. What has alarmed stands while tonight, too, is below the level.
    """
    rows = [
        row
        for row in last_runs([*(row for row in history if place(row) < place(tonight)), tonight])
        if row.is_fresh and row.of and (row.judge, row.evaluation_set) == (tonight.judge, tonight.evaluation_set)
    ]
    first = next((at for at, row in enumerate(rows) if row.run == tonight.accepted and row.worse), 0)
    level = [row for row in rows[first:] if row.target == accepted][:MIN_NIGHTS]
    since = [row for row in rows if len(level) == MIN_NIGHTS and place(row) > place(level[-1])]
    if not since or since[-1] is not tonight:
        return ""
    try:
        held = baseline([_counted(row) for row in level], "drop")
    except InsufficientDataError:
        return ""
    silent = replace(start(held), threshold=inf)
    state = reduce(step, map(_counted, since), silent)
    alone = step(silent, _counted(tonight))
    if state.statistic < MONTH / (alpha * (1 - TESTS_SHARE)) or max(alone.log_evidence) <= 0:
        return ""
    last = since[-min(len(since), MIN_NIGHTS) :]
    return (
        f"the pass rate has left that of the {MIN_NIGHTS} nights on which it was accepted "
        f"({100 * held.rate:.1f} %, at least {100 * held.bound:.1f}): {_rates(last)}"
    )


def _counted(row: CaseNight) -> Night:
    return Night(events=row.passed, n=row.of)


def _rates(rows: Sequence[CaseNight]) -> str:
    rates = np.array([row.passed / row.of for row in rows])
    if len(rows) == 1:
        return f"{100 * rates[0]:.1f} % tonight"
    return f"{100 * rates.mean():.1f} % over the last {len(rows)} nights, {100 * rates[-1]:.1f} tonight"
