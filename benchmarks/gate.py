"""What the gate's word is worth: worlds of nights in which nothing changed or something did, by the product's own code.

A world has cases that a product passes with a chance each (steady ones always or never), a judge that errs, and nights
that ask everything anew. The baseline is one night of it, accepted.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.calibration.assessment import assess
from assay.calibration.policy import SINGLE
from assay.calibration.ratings import Rated, join
from assay.calibration.rounds import Entry, draw_of_round
from assay.calibration.split import TUNE
from assay.errors import InsufficientDataError
from assay.records.history import CaseNight
from assay.records.label import Item, Label
from assay.records.verdict import Outcome, Verdict
from assay.report import comparison, gate, nights
from assay.report.findings import Outcomes
from assay.stats.allocation import sqrt_allocation
from assay.stats.ppi import ppi_change
from assay.stats.rates import Interval, wilson
from assay.stats.transfer import Seen, carried

SEED, ALPHA, MAX_DROP, DRAWS, MONTH, HELDOUT = 20261130, 0.025, 0.05, 2000, 30, 1 - TUNE
VERSION, LEARNT = "product@1", 14
PASSING, CERTIFIED, MOVING = 0.85, 0.75, 15
"""Pass rates of the accepted version and of what a judge is certified on; how many cases newly pass, and fail, where
nothing changes."""
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class World:
    """One kind of product and how it is asked."""

    name: str
    unsteady: float = 0.05
    """Share of the cases that pass with a chance between .2 and .9; the others pass always (85 %) or never."""
    trials: int = 1
    family: int = 1
    """Cases that share the luck of a trial, half of the times."""
    categories: int = 8
    of_each: int = 36
    learnt: int = 0
    """Accepted nights before the first that counts."""


QUIET = (
    *(
        World(name=f"{share:.0%} of the cases unsteady, {trials} trials", unsteady=share, trials=trials)
        for share in (0.05, 0.2)
        for trials in (1, 3, 5)
    ),
    *(World(name=f"families of four, {trials} trials", unsteady=0.2, trials=trials, family=4) for trials in (1, 3)),
    *(
        World(name=f"{share:.0%} unsteady, 14 accepted nights before", unsteady=share, learnt=14)
        for share in (0.05, 0.2)
    ),
)


class Project:
    """One world's set, its baseline and its history."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        """Draw the cases."""
        self.world, self.rng = world, rng
        count = world.categories * world.of_each
        self.names = [f"c{at:04}" for at in range(count)]
        self.categories = {name: f"k{at // world.of_each}" for at, name in enumerate(self.names)}
        self.families = (
            {name: f"f{at // world.family}" for at, name in enumerate(self.names)} if world.family > 1 else {}
        )
        steady = rng.choice([1.0, 0.0], count, p=[0.85, 0.15])
        self.chance = np.where(rng.random(count) < world.unsteady, rng.uniform(0.2, 0.9, count), steady)
        if world.family > 1:
            self.chance = self.chance[np.arange(count) // world.family * world.family]
        self.history: list[CaseNight] = []
        self.baseline = self.ask()
        self.accepted = self.row(self.baseline)

    def ask(self, chance: NDArray[np.float64] | None = None) -> Bools:
        """Return which trials pass, shape (trials, cases)."""
        shape = (self.world.trials, len(self.names))
        luck = self.rng.random(shape)
        if self.world.family > 1:
            family = np.arange(len(self.names)) // self.world.family
            together = self.rng.random((shape[0], family[-1] + 1))
            is_shared = self.rng.random((shape[0], family[-1] + 1)) < 0.5  # noqa: PLR2004 - half of the times
            luck = np.where(is_shared[:, family], together[:, family], luck)
        return np.asarray(luck < (self.chance if chance is None else chance))

    def row(self, passed: Bools) -> CaseNight:
        """Return the history's row of a night that asked everything anew."""
        number = len(self.history)
        name = f"{number:08x}-0000-7000-8000-000000000000"
        fields = {"night": f"{number:06}", "run": name, "target": VERSION, "judge": "j", "evaluation_set": "s"}
        counts = {"cases": len(self.names), "asked": passed.size, "passed": int(passed.sum()), "of": passed.size}
        lists: dict[str, Any] = {"failed": [], "unscored": [], "differing": [], "revisions": {}}
        accepted = self.accepted.run if self.history else name
        found = CaseNight(**fields, **counts, **lists, accepted=accepted)
        self.history.append(found)
        return found

    def night(self, passed: Bools, *, is_known: bool = True) -> str:
        """Return the gate's word on a night.

        Args:
            passed: Which trials pass.
            is_known: The product said that it is the accepted version; otherwise it is a new one.
        """
        row = self.row(passed)
        row = row if is_known else row.model_copy(update={"target": "product@2"})
        found = comparison.compare(
            "all",
            self.categories,
            outcomes(self.names, passed),
            outcomes(self.names, self.baseline),
            alpha=ALPHA,
            look=nights.look(self.history, row, VERSION),
            families=self.families,
        )
        found = found.model_copy(update={"over_nights": nights.dropped(self.history, row, VERSION, ALPHA)})
        self.history[-1] = row.model_copy(update={"worse": found.worse})
        return word(found.worse, found.suspected, found.change.low, look=found.look)


def outcomes(names: list[str], passed: Bools) -> Outcomes:
    """Return a version's outcomes as the report folds them."""
    trials = dict(zip(names, map(tuple, passed.T.tolist()), strict=True))
    return Outcomes({name: "pass" if all(of) else "fail" for name, of in trials.items()}, Counter(), trials=trials)


def word(worse: list[str], suspected: list[str], low: float | None, *, look: int = 1, wanting: str = "") -> str:
    """Return what the gate says of findings, of which nothing is wanting but these."""
    found = gate.Evidence(
        error_share=0,
        max_error_share=0.02,
        worse=worse,
        suspected=[] if worse else suspected,
        low=low,
        look=look,
        max_drop=MAX_DROP,
        standings=["valid"],
        is_set_compared=True,
        wanting=wanting,
    )
    return gate.decide(found)[0]


def quiet(world: World, months: int) -> dict[str, Any]:
    """Return how many months of 30 nights, and single comparisons, of an unchanged product hold a false word."""
    rng, false, singles, words = np.random.default_rng([SEED, *world.name.encode()]), 0, 0, Counter[str]()
    for _ in range(months):
        project = Project(world, rng)
        for _ in range(world.learnt):
            project.row(project.ask())
        said = [project.night(project.ask()) for _ in range(MONTH)]
        false += "regression" in said
        single = Project(world, rng)
        singles += single.night(single.ask(), is_known=False) == "regression"
        words.update(said)
    return {
        "world": world.name,
        "months": months,
        "false_months": round(false / months, 4),
        "false_single_comparisons": round(singles / months, 4),
        "words_of_all_nights": {name: round(count / months / MONTH, 4) for name, count in words.items()},
    }


def drop(unsteady: float, worlds: int, *, is_known: bool) -> dict[str, Any]:
    """Return on which night a drop of ten points overall, of 300 cases by a judge of (.9, .85), is named."""
    world = World(name="drop", unsteady=unsteady, categories=6, of_each=50, learnt=LEARNT)
    rng, found = np.random.default_rng([SEED, int(100 * unsteady), is_known]), []
    tpr, tnr = 0.9, 0.85
    for _ in range(worlds):
        project = Project(world, rng)
        people = project.chance
        project.chance = people * tpr + (1 - people) * (1 - tnr)
        project.history.clear()
        project.baseline = project.ask()
        project.accepted = project.row(project.baseline)
        for _ in range(LEARNT - 1):
            project.row(project.ask())
        fallen = np.where(rng.permutation(len(people)) < 0.1 * len(people) / 0.85, 0.0, people)
        judged = fallen * tpr + (1 - fallen) * (1 - tnr)
        said = [project.night(project.ask(judged), is_known=is_known) for _ in range(MONTH)]
        found.append(said.index("regression") + 1 if "regression" in said else MONTH + 1)
    shares = {f"by_night_{night}": round(float(np.mean(np.array(found) <= night)), 3) for night in (1, 3, 7, 30)}
    version = "a new version" if not is_known else "nobody says that it is new"
    return {
        "world": f"-10 points, {unsteady:.0%} unsteady, {version}",
        "worlds": worlds,
        "median": int(np.median(found)),
    } | shares


def small(worlds: int) -> dict[str, Any]:
    """Return the words where 20 of 20 cases of a category newly fail among 1,000, at every look of a month."""
    rng, words = np.random.default_rng(SEED), Counter[str]()
    for _ in range(worlds):
        project = Project(World(name="small", unsteady=0.05, categories=50, of_each=20), rng)
        project.chance[:20] = 1.0
        project.baseline = project.ask()
        for look in range(1, MONTH + 1):
            passed = project.ask()
            if look in (1, 10, MONTH):
                passed[:, :20] = False
                project.history = [row.model_copy(update={"worse": []}) for row in project.history]
            said = project.night(passed)
            if look in (1, 10, MONTH):
                words[said] += 1
    return {
        "world": "20 of 20 of a category newly fail among 1,000; looks 1, 10, 30",
        "nights": sum(words.values()),
        **words,
    }


def labelled(change: float, laxer: float, stricter: float, worlds: int) -> dict[str, Any]:
    """Return the words of `judge_transfer: labelled` with 400 labels a version, of 1,000 cases that all changed."""
    rng, words = np.random.default_rng([SEED, *f"{change}{laxer}{stricter}".encode()]), Counter[str]()
    count, tpr, tnr = 1000, 0.9, 0.8
    for _ in range(worlds):
        before = rng.permutation(count) < PASSING * count
        now = before.copy()
        now[rng.choice(np.flatnonzero(before), MOVING - int(change * count), replace=False)] = False
        now[rng.choice(np.flatnonzero(~before), MOVING, replace=False)] = True
        said = judge(before, tpr, tnr, rng), judge(now, tpr - stricter, tnr - laxer, rng)
        chance = np.full(count, 0.4)
        drawn = rng.random(count) < chance
        human = now.astype(float) - before
        word_of = said[1].astype(float) - said[0]
        try:
            found = ppi_change(human[drawn], word_of[drawn], chance[drawn], word_of)
        except InsufficientDataError:
            words["inconclusive"] += 1
            continue
        words[word(["overall"] if found.high < 0 else [], [], found.low)] += 1
    return {
        "world": f"labelled, {100 * change:+.0f} points, judge {laxer} laxer, {stricter} stricter",
        "worlds": worlds,
        **{name: round(times / worlds, 4) for name, times in words.items()},
    }


def assumed(worlds: int) -> dict[str, Any]:
    """Return how often the tipping point is right: no drop beyond the tolerated one while the judge is within it."""
    rng, right, words = np.random.default_rng(SEED), Counter[str](), Counter[str]()
    count, tpr, tnr = 1000, 0.9, 0.8
    for _ in range(worlds):
        fall, laxer, stricter = rng.choice([0.0, 0.03, 0.06, 0.08, 0.1]), *rng.choice([0.0, 0.05, 0.1, 0.2, 0.3], 2)
        before = rng.random(count) < PASSING
        now = before & (rng.random(count) >= fall / PASSING)
        said = judge(before, tpr, tnr, rng), judge(now, tpr - stricter, tnr - laxer, rng)
        bounds = (certified(tpr, rng, 120), certified(tnr, rng, 60))
        moved = said[1].astype(float) - said[0]
        change = comparison.paired.mean_change(moved.tolist())
        nothing = Interval(estimate=0, low=0, high=0, n=0, level=0.95, method="no case")
        seen = Seen(change=change, sure=nothing, passed_before=float(said[0].mean()), open_now=1, open_before=1)
        found = carried(seen, *bounds, tolerated=MAX_DROP, rng=rng, draws=DRAWS)
        truth = float(now.mean() - before.mean())
        lost, gained = int((moved < 0).sum()), int((moved > 0).sum())
        worse = comparison.paired.mcnemar_drop(gained, lost) <= ALPHA
        said_word = word(["overall"] if worse else [], [], found.change.low)
        words[said_word] += 1
        if said_word == "pass":
            right["pass"] += truth >= -MAX_DROP or laxer > found.laxer
        elif said_word == "regression":
            right["regression"] += truth < 0 or stricter > min(found.stricter, -change.high / PASSING)
    return {
        "world": "assumed: drops of 0 to 10 points, judges 0 to .3 laxer and stricter",
        "worlds": worlds,
        **{name: round(count / worlds, 4) for name, count in words.items()},
        **{f"tipping_point_right_of_{name}": round(right[name] / words[name], 4) for name in right},
    }


def certificates(judge_is: tuple[float, float], labels: int, flips: float, worlds: int) -> dict[str, Any]:
    """Return how often a judge meets the default floors on planned labels, three quarters of them held out."""
    rng, granted, refused = np.random.default_rng([SEED, int(100 * judge_is[0]), labels]), 0, Counter[str]()
    policy = SINGLE["default"].model_copy(update={"max_flips": None, "max_injected": None})
    for _ in range(worlds):
        people = rng.random(600) < CERTIFIED
        said = judge(people, *judge_is, rng)
        entries = [Entry("pass" if one else "fail", "", float(rng.random()), False) for one in said]
        drawn = draw_of_round(entries, labels, sqrt_allocation)
        heldout = [at for at in drawn.chosen if rng.random() < HELDOUT]
        now = said ^ (rng.random(600) < flips)
        chances = [drawn.chances["pass" if said[at] else "fail"] for at in heldout]
        found = rated(people[heldout], now[heldout], chances)
        try:
            worth = assess(found, found, policy, rng=np.random.default_rng(int(rng.integers(2**31))))
        except InsufficientDataError:
            refused["too few"] += 1
            continue
        missed = [floor.figure for floor in worth.floors if not floor.met]
        granted += not missed
        refused.update(missed)
    return {
        "world": f"certificate, judge {judge_is}, {labels} labels, {flips:.0%} flips",
        "worlds": worlds,
        "granted": round(granted / worlds, 4),
        "missed": dict(refused),
    }


def rated(people: Bools, said: Bools, chances: list[float]) -> Rated:
    """Return labelled items as calibration joins them."""
    words: tuple[Outcome, Outcome] = ("fail", "pass")
    moment = datetime(2026, 11, 30, tzinfo=UTC)
    ids = [f"i{at:04}" for at in range(len(people))]
    texts: dict[str, Any] = {
        "question": "pass-fail",
        "slice": "natural",
        "turns": ["?"],
        "reference": "",
        "response_b": "",
    }
    items = [Item(item_id=one, case_id=one, category="c", response_a=f"answer {one}", **texts) for one in ids]
    by: dict[str, Any] = {
        "annotator": "ada",
        "split": "heldout",
        "sampling_frame": "f",
        "stratum": "",
        "rubric_version": "1",
    }
    labels = [
        Label(item_id=one, outcome=words[int(right)], labelled_at=moment, inclusion_probability=p, **by)
        for one, right, p in zip(ids, people, chances, strict=True)
    ]
    of: dict[str, Any] = {
        "subject": "anchor",
        "trial": 0,
        "scorer": "j",
        "fingerprint": "f",
        "status": "ok",
        "detail": "",
    }
    of |= {"score": None, "as_is": None, "swapped": None}
    verdicts = [Verdict(item_id=one, outcome=words[int(right)], **of) for one, right in zip(ids, said, strict=True)]
    return join("j", items, labels, verdicts)


def judge(people: Bools, tpr: float, tnr: float, rng: np.random.Generator) -> Bools:
    """Return what a judge says."""
    luck = rng.random(len(people))
    return np.where(people, luck < tpr, luck >= tnr)


def certified(rate: float, rng: np.random.Generator, labels: int) -> Interval:
    """Return a rate as a certificate on so many labels says it."""
    return wilson(int(rng.binomial(labels, rate)), labels)


def measure(months: int = 200, worlds: int = 2000) -> list[dict[str, Any]]:
    """Return all worlds."""
    return [
        *(quiet(world, months) for world in QUIET),
        *(drop(unsteady, 200, is_known=known) for unsteady in (0.05, 0.2) for known in (False, True)),
        small(20),
        *(labelled(*kind, worlds) for kind in ((-0.08, 0.2, 0.0), (0.0, 0.0, 0.1), (0.0, 0.0, 0.0), (-0.08, 0.0, 0.0))),
        assumed(worlds),
        certificates((0.97, 0.97), 300, 0.02, worlds // 4),
        certificates((0.75, 0.6), 300, 0.02, worlds // 4),
    ]
