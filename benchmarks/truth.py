"""Is what is published true on the paths that users walk? Worlds: plan, draw, label, change the product, draw again.

Everything below the tables is the product's own code: permanent random numbers, rounds, parts, estimators. A world has
its cases, what people would say of each answer, a judge that errs and now and then says else, and people who label.
"""

from typing import Any, NamedTuple

import numpy as np

from assay.calibration.rounds import Entry, draw_of_round
from assay.calibration.split import TUNE
from assay.errors import InsufficientDataError
from assay.stats.allocation import sqrt_allocation
from assay.stats.ppi import ppi_change
from assay.stats.sampled import FAILED, PASSED, Part, of_parts

CASES, DRAWS, HELDOUT = 600, 400, 1 - TUNE
SEED, Z, ROUNDING = 20261130, 1.959964, 1e-9


class Cell(NamedTuple):
    """One named combination of circumstances."""

    name: str
    pass_rate: float = 0.85
    judge: tuple[float, float] = (0.9, 0.8)
    """TPR and TNR."""
    flips: float = 0.0
    """Share of its verdicts that a judge turns over when it is asked again."""
    labels: tuple[int, ...] = (200,)
    """Wanted in all, by round."""
    changed: float = 0.0
    """Share of the answers that the second version gives otherwise."""
    borderline: float = 0.0
    """Share of answers that every annotator passes with chance one half."""
    people: int = 1
    finished: float = 1.0
    """Share of the drawn answers that are labelled."""
    cases: int = CASES
    drop: float | None = None
    """Of a cell that is about the change of the pass rate: how much lower it is on the answers that changed."""


CELLS = (
    *(
        Cell(f"one round, judge {judge}, {rate:.0%} pass, {labels} labels", rate, judge, labels=(labels,))
        for judge in ((0.97, 0.97), (0.9, 0.8), (0.85, 0.65))
        for rate, labels in ((0.05, 100), (0.5, 90), (0.5, 200), (0.85, 100), (0.85, 400), (0.95, 200))
    ),
    *(
        Cell(f"flips {flips:.0%}, judge {judge}", judge=judge, flips=flips)
        for judge in ((0.97, 0.97), (0.9, 0.8))
        for flips in (0.01, 0.02, 0.04)
    ),
    *(
        Cell(f"second round, {changed:.0%} changed, flips {flips:.0%}", changed=changed, flips=flips, labels=labels)
        for changed in (0.0, 0.1, 0.3, 0.5)
        for flips, labels in ((0.0, (200, 200)), (0.02, (200, 300)), (0.0, (300, 300)))
    ),
    *(Cell(f"second round after {first} of 600", labels=(first, first + 100)) for first in (200, 300, 400)),
    *(
        Cell(f"two annotators, {share:.0%} borderline, {rate:.0%} pass", rate, borderline=share, people=2)
        for share in (0.1, 0.2, 0.3)
        for rate in (0.5, 0.85)
    ),
    Cell("one annotator, 20 % borderline", borderline=0.2),
    *(
        Cell(f"{share:.0%} finished, {rate:.0%} pass", rate, finished=share)
        for share in (0.95, 0.8)
        for rate in (0.5, 0.9)
    ),
    *(Cell(f"2,000 cases, judge {judge}", judge=judge, cases=2000) for judge in ((0.97, 0.97), (0.9, 0.8))),
    Cell("2,000 cases, flips 2 %, second round, 30 % changed", cases=2000, flips=0.02, changed=0.3, labels=(200, 300)),
    *(
        Cell(
            f"the change, {changed:.0%} changed, {drop:.0%} of these lower",
            changed=changed,
            labels=(300, 300),
            drop=drop,
        )
        for changed in (0.2, 0.5, 1.0)
        for drop in (0.0, 0.2)
    ),
    Cell("the change, 50% changed, judge (0.97, 0.97)", judge=(0.97, 0.97), changed=0.5, labels=(300, 300), drop=0.1),
)


class Version(NamedTuple):
    """One version's answers."""

    truth: np.ndarray[Any, np.dtype[np.float64]]
    """Of each answer the chance that an annotator passes it."""
    votes: np.ndarray[Any, np.dtype[np.float64]]
    """What people say of it when asked: the mean of their votes."""
    verdict: np.ndarray[Any, np.dtype[np.bool_]]


def version(cell: Cell, rng: np.random.Generator) -> Version:
    """Return a version with the pass rate of the cell, and the judge's first word on it."""
    truth = (rng.random(cell.cases) < cell.pass_rate).astype(float)
    truth[rng.random(cell.cases) < cell.borderline] = 0.5
    leaning = np.where(truth == 0.5, rng.random(cell.cases) < 0.5, truth == 1)  # noqa: PLR2004 - borderline
    tpr, tnr = cell.judge
    verdict = np.where(leaning, rng.random(cell.cases) < tpr, rng.random(cell.cases) >= tnr)
    votes = rng.binomial(cell.people, truth) / cell.people
    return Version(truth, votes, verdict)


def change(cell: Cell, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Walk one world of two versions; return by how much people's pass rate changed, and the published change."""
    before, other = version(cell, rng), version(cell._replace(pass_rate=cell.pass_rate - (cell.drop or 0)), rng)
    changed = rng.random(cell.cases) < cell.changed
    now = Version(*(np.where(changed, new, old) for new, old in zip(other, before, strict=True)))
    place, heldout = rng.random(cell.cases), rng.random(cell.cases) < HELDOUT
    chances, drawn = [], np.zeros(cell.cases, bool)
    for said, wanted in zip((before.verdict, now.verdict), cell.labels, strict=True):
        entries = [Entry("pass" if v else "fail", "", p, d) for v, p, d in zip(said, place, drawn, strict=True)]
        found = draw_of_round(entries, max(0, wanted - int(drawn.sum())), sqrt_allocation)
        chances.append(np.where(said, found.chances.get("pass", 0), found.chances.get("fail", 0)))
        drawn[found.chosen] = True
        drawn &= ~changed
    least = np.minimum(*chances)
    both = changed & (place < least) & heldout
    people, word = now.truth - before.truth, now.verdict.astype(float) - before.verdict
    told = ppi_change(people[both], word[both], least[both], word[changed & (least > 0)])
    share = float(changed.mean())
    return float(people.mean()), told.estimate * share, told.low * share, told.high * share


def world(cell: Cell, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Walk one world; return what people would say of all of tonight's answers, and the published rate with bounds."""
    now = version(cell, rng)
    place, chance = rng.random(cell.cases), np.zeros(cell.cases)
    drawn, labelled = np.zeros(cell.cases, bool), np.zeros(cell.cases, bool)
    heldout = rng.random(cell.cases) < HELDOUT
    for number, wanted in enumerate(cell.labels):
        if number:
            then = version(cell, rng)
            changed = rng.random(cell.cases) < cell.changed
            now = Version(*(np.where(changed, new, old) for new, old in zip(then, now, strict=True)))
            drawn, labelled, chance = drawn & ~changed, labelled & ~changed, np.where(changed, 0, chance)
        now = now._replace(verdict=now.verdict ^ (rng.random(cell.cases) < cell.flips))
        entries = [Entry("pass" if v else "fail", "", p, d) for v, p, d in zip(now.verdict, place, drawn, strict=True)]
        found = draw_of_round(entries, max(0, wanted - int(drawn.sum())), sqrt_allocation)
        chance = np.maximum(chance, np.where(now.verdict, found.chances.get("pass", 0), found.chances.get("fail", 0)))
        drawn[found.chosen] = True
        labelled[found.chosen] = rng.random(len(found.chosen)) < cell.finished
    verdict = now.verdict ^ (rng.random(cell.cases) < cell.flips)
    told = of_parts(parts(verdict, np.round(chance, 6), labelled & heldout, now.votes), rng=rng, draws=DRAWS).pass_rate
    return (
        float(now.votes.mean() if cell.people > 1 or cell.borderline else now.truth.mean()),
        told.estimate,
        told.low,
        told.high,
    )


def parts(verdict: Any, chance: Any, labelled: Any, votes: Any) -> list[Part]:
    """Return tonight's answers by their chance of being labelled."""
    made = []
    for one in np.unique(chance[chance > 0]):
        mine = chance == one
        human = {word: votes[mine & labelled & (verdict == (word == PASSED))] for word in (PASSED, FAILED)}
        passes = int((mine & verdict).sum())
        made.append(
            Part(
                human_of_passed=human[PASSED],
                human_of_failed=human[FAILED],
                judged=(passes, int(mine.sum()) - passes),
            )
        )
    return made


def coverage(cell: Cell, worlds: int, seed: int = SEED) -> dict[str, Any]:
    """Return how often the published interval holds the truth, its half-width, and the bias in half-widths."""
    rng, held, refused = np.random.default_rng([seed, *cell.name.encode()]), 0, 0
    errors, widths = [], []
    for _ in range(worlds):
        try:
            truth, estimate, low, high = (world if cell.drop is None else change)(cell, rng)
        except InsufficientDataError:
            refused += 1
            continue
        held += low - ROUNDING <= truth <= high + ROUNDING
        errors.append(estimate - truth)
        widths.append(high - low)
    half = float(np.mean(widths)) / 2
    return {
        "cell": cell.name,
        "coverage": round(held / len(errors), 4),
        "half_width": round(half, 4),
        "bias_in_half_widths": round(float(np.mean(errors)) / half, 3),
        "width_over_reference": round(half / (Z * float(np.std(errors))), 3),
        "refused": round(refused / worlds, 3),
    }


def measure(worlds: int = 2000) -> list[dict[str, Any]]:
    """Return the coverage of every cell; the reference is the normal interval at the error that the estimates had."""
    return [coverage(cell, worlds) for cell in CELLS]
