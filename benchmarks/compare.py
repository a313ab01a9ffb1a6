"""What a comparison of two versions is worth: how often it calls a product other than itself, and what it names.

A world has cases that a product passes with a chance each (steady ones always or never), as in `benchmarks.gate`; two
versions are asked anew, and the comparison is the product's own function.
"""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.records.result import TrialResult, VersionResults
from assay.report.versions import VersionPair, compare_versions

SEED, COMPARISONS, WORLDS = 20261201, 1000, 2000
OF_CATEGORY, CATEGORIES, DROP = 80, 6, 0.1
Chances = NDArray[np.float64]


class Version(NamedTuple):
    """How a product is compared with itself."""

    cases: int
    unsteady: float
    """Share of the cases that pass with a chance between .2 and .9; the others pass always (85 %) or never."""
    trials: int = 1
    family: int = 1
    """Cases that share the luck of a trial."""
    categories: int = 8


QUIET = (
    *(Version(cases, unsteady) for cases in (300, 1000) for unsteady in (0.05, 0.2, 0.5)),
    Version(1000, 1.0),
    Version(4000, 0.5),
    Version(1000, 0.2, trials=3),
    Version(1000, 0.5, trials=3),
    Version(1000, 0.5, family=4),
    Version(1000, 0.5, categories=40),
)


def chances(of: Version, rng: np.random.Generator) -> Chances:
    """Return how likely each case passes."""
    steady = rng.choice([1.0, 0.0], of.cases, p=[0.85, 0.15])
    found = np.where(rng.random(of.cases) < of.unsteady, rng.uniform(0.2, 0.9, of.cases), steady)
    return np.asarray(found[np.arange(of.cases) // of.family * of.family])


def asked(name: str, of: Version, chance: Chances, rng: np.random.Generator) -> VersionResults:
    """Return one version's results; cases of a family have one luck."""
    luck = rng.random((of.trials, of.cases))[:, np.arange(of.cases) // of.family * of.family]
    results = [
        TrialResult(
            f"c{at}",
            bool(passed),
            category=f"k{at * of.categories // of.cases}",
            family=f"f{at // of.family}" if of.family > 1 else "",
        )
        for trial in luck < chance
        for at, passed in enumerate(trial)
    ]
    return VersionResults(name, "", "", "", results)


def null(of: Version, comparisons: int) -> dict[str, Any]:
    """Return how often a product is called worse or better than itself."""
    rng, words = np.random.default_rng([SEED, of.cases, int(100 * of.unsteady), of.trials, of.family]), Counter[str]()
    for _ in range(comparisons):
        chance = chances(of, rng)
        words[compare_versions(asked("a", of, chance, rng), asked("b", of, chance, rng)).word] += 1
    false = words["regression"] + words["improvement"]
    return {**of._asdict(), "comparisons": comparisons, "worse_or_better": round(false / comparisons, 4)} | {
        word: round(count / comparisons, 4) for word, count in words.items()
    }


def dropped(unsteady: float, worlds: int, *, is_exact: bool) -> dict[str, Any]:
    """Return how often a category of 80 cases of 480 is named that is ten points worse.

    Args:
        unsteady: As of `Version`.
        worlds: How many.
        is_exact: Eight cases that passed always fail now; else each case fails now with a chance of a tenth.
    """
    of = Version(OF_CATEGORY * CATEGORIES, unsteady, categories=CATEGORIES)
    rng, named, words = np.random.default_rng([SEED, int(100 * unsteady), is_exact]), 0, Counter[str]()
    for _ in range(worlds):
        before = chances(of, rng)
        before[:OF_CATEGORY] = np.where(before[:OF_CATEGORY] == 0, 1.0, before[:OF_CATEGORY])
        now = before.copy()
        lost = rng.permutation(OF_CATEGORY)[: int(DROP * OF_CATEGORY)] if is_exact else _tenth(rng)
        now[lost] = 0.0
        found: VersionPair = compare_versions(asked("a", of, before, rng), asked("b", of, now, rng))
        named += "k0" in found.worse
        words[found.word] += 1
    world = (
        f"-10 points in 80 of 480 cases, {'exactly' if is_exact else 'each case by chance'}, {unsteady:.0%} unsteady"
    )
    return {"world": world, "worlds": worlds, "named": round(named / worlds, 4)} | {
        word: round(count / worlds, 4) for word, count in words.items()
    }


def _tenth(rng: np.random.Generator) -> NDArray[np.intp]:
    return np.flatnonzero(rng.random(OF_CATEGORY) < DROP)


def measure(comparisons: int = COMPARISONS, worlds: int = WORLDS) -> list[dict[str, Any]]:
    """Return the figures of docs/compare.md."""
    found = [null(of, comparisons) for of in QUIET]
    return found + [
        dropped(unsteady, worlds, is_exact=is_exact) for unsteady in (0.0, 0.02) for is_exact in (True, False)
    ]
