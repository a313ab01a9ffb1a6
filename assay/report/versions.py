"""Any two versions case by case: is the second worse or better than the first beyond chance, where, and by how much?

It speaks of cases like these, not of these alone: trials of a case and cases of a family count once. One budget of
false alarms is for all that a comparison says: of twenty comparisons of a product with itself one at most calls it
worse or better. Half of it is for the whole, either way, and half for categories that are worse.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from scipy.stats import norm

from assay.errors import InsufficientDataError
from assay.records.record import Record
from assay.records.result import TrialResult, VersionResults
from assay.report.findings import Rate, rate
from assay.report.version_cases import CommonCase, Overlap, by_scorer, grouped, overlap
from assay.report.version_groups import GroupChange, group_change, listed, mean_share, tested, turned
from assay.stats import paired
from assay.stats.flips import FlipShares, flip_shares
from assay.stats.paired import Trials
from assay.stats.rates import Interval, z_quantile
from assay.stats.scores import mean_interval
from assay.stats.slices import ALPHA, SliceCounts, counted
from assay.stats.weighted import Stratum, post_stratified

Word = Literal["regression", "improvement", "no difference shown", "inconclusive", "uncalibrated"]
OVERALL = ALPHA / 2
"""One-sided, of the whole in either direction; the categories that are worse have `ALPHA` together (DECISION 2)."""
POWER = 0.8
MAX_DROP = 0.05
"""Drop that is tolerated without proof of absence, where no project says another one."""


class Rules(NamedTuple):
    """What a comparison goes by."""

    max_drop: float = MAX_DROP
    pairs: int = 1
    """Comparisons that share the budget of false alarms."""
    weights: Mapping[str, float] | None = None
    """Share of each category in production."""

    @property
    def overall(self) -> float:
        """Return the one-sided level of the whole."""
        return OVERALL / self.pairs

    @property
    def level(self) -> float:
        """Return the level of the interval of the whole: it excludes 0 where the whole is worse or better."""
        return 1 - 2 * self.overall


class AmountChange(Record):
    """The change of what a case costs, or how long its answer takes, over cases where both versions tell it."""

    n: int
    before: float
    now: float
    low: float | None
    """Bounds of the mean of the paired differences; None where all are alike."""
    high: float | None


class WeightedChange(Record):
    """The change on production's mix of categories."""

    change: Rate
    n_effective: float
    deff: float
    caution: str


class FlipOrigin(Record):
    """Where differing outcomes come from."""

    n: int
    differ: float
    own: float
    change: Rate | None
    steady: int


class VersionPair(Record):
    """One version against another on the cases that both have an outcome of."""

    before: str
    now: str
    is_same: bool
    """Both names are of the same results."""
    word: Word
    sentence: str = ""
    basis: str
    scorers: Literal["all", "checks"]
    common: int
    """Cases compared."""
    only_before: int
    only_now: int
    changed: int
    """Cases whose content differs, so that their outcomes are not of the same thing."""
    without: int
    """Cases in both that have no outcome in one of them."""
    rate_before: float
    rate_now: float
    change: Rate
    gained: int
    lost: int
    p_worse: float
    """Exact, one-sided."""
    p_better: float
    detectable: float | None
    """The smallest change that so many cases find with 80 % power; None where they find none."""
    needed: int | None
    """Cases like these that would exclude the tolerated drop, where they would decide."""
    trials: str
    """How many trials are compared with how many; empty where there is one of each."""
    categories: list[GroupChange]
    """The largest drop first, as in the other lists."""
    layers: list[GroupChange]
    by_scorer: list[GroupChange]
    cost_usd: AmountChange | None
    latency_s: AmountChange | None
    flips: FlipOrigin | None
    """None without several trials of both versions."""
    weighted: WeightedChange | None
    newly_failing: list[str]
    fixed: list[str]
    by_all: GroupChange | None = None
    """What all scorers say, where checks alone decide since the judges may not be believed."""

    @property
    def worse(self) -> list[str]:
        """Return the categories that are worse beyond chance."""
        return [row.name for row in self.categories if row.word == "worse"]


def compare_versions(before: VersionResults, now: VersionResults, rules: Rules = Rules()) -> VersionPair:  # noqa: B008
    """Compare two versions case by case.

    Where the judges of a version may not be believed, checks alone decide, and what all scorers say stands beside it;
    without checks the word is `uncalibrated`.

    Raises:
        InsufficientDataError: They have no case in common with an outcome in both; the text says how many there are.

    Source:
        STATISTICS 4.3, 7.3 and 8.1; DECISION 1, 2 and 4.
    """
    is_certified = before.is_certified and now.is_certified
    sides = None if is_certified else _by_checks(before, now)
    first, second = sides or (before.results, now.results)
    found = _compared(before, now, overlap(first, second), rules)
    if is_certified or found.is_same:
        return found
    if sides is None:
        return found.model_copy(update={"word": "uncalibrated"})
    everything = overlap(before.results, now.results).cases
    raw = group_change("all scorers", [one.trials for one in everything]) if everything else None
    return found.model_copy(update={"scorers": "checks", "by_all": raw})


def _by_checks(before: VersionResults, now: VersionResults) -> tuple[list[TrialResult], list[TrialResult]] | None:
    """Return what checks say of both versions; None where they say nothing of a common case."""
    if before.by_checks is None or now.by_checks is None or not overlap(before.by_checks, now.by_checks).cases:
        return None
    return before.by_checks, now.by_checks


def _compared(before: VersionResults, now: VersionResults, of: Overlap, rules: Rules) -> VersionPair:
    if not of.cases:
        raise InsufficientDataError(_disjoint(before.name, now.name, of))
    trials = [one.trials for one in of.cases]
    whole = counted("overall", trials)
    p_worse, p_better = whole.p_value, turned(whole).p_value
    change = whole.change(rules.level)
    better_at = rules.overall if p_better <= rules.overall else 0.0
    rows = tested(grouped(of.cases, lambda one: one.category), ALPHA / rules.pairs, better_at)
    is_same = bool(before.identity) and before.identity == now.identity
    word = "no difference shown" if is_same else _word(p_worse, p_better, rows, change, rules)
    return VersionPair(
        before=before.name,
        now=now.name,
        is_same=is_same,
        word=word,
        basis=before.basis if before.basis == now.basis else f"{before.basis} against {now.basis}",
        scorers="all",
        common=len(of.cases),
        only_before=of.only_before,
        only_now=of.only_now,
        changed=of.changed,
        without=of.without,
        rate_before=mean_share([one.before for one in trials]),
        rate_now=mean_share([one.now for one in trials]),
        change=rate(change),
        gained=whole.gained,
        lost=whole.lost,
        p_worse=p_worse,
        p_better=p_better,
        detectable=detectable(whole, change),
        needed=_needed(change, rules.max_drop) if word == "inconclusive" else None,
        trials=_trials(trials),
        categories=rows,
        layers=listed(grouped(of.cases, lambda one: one.layer)),
        by_scorer=listed(by_scorer(of.cases)),
        cost_usd=_amount(of.cases, lambda row: row.cost_usd),
        latency_s=_amount(of.cases, lambda row: row.latency_s),
        flips=_flips(trials),
        weighted=_weighted(of.cases, rules),
        newly_failing=[one.case_id for one in of.cases if one.trials.difference < 0],
        fixed=[one.case_id for one in of.cases if one.trials.difference > 0],
    )


def _disjoint(before: str, now: str, of: Overlap) -> str:
    whole = of.only_before + of.only_now + of.changed + of.without
    why = [f"{of.changed} with another content"] if of.changed else []
    why += [f"{of.without} without an outcome in one of them"] if of.without else []
    beside = f" ({', '.join(why)})" if why else ""
    return (
        f"{before} and {now} have 0 of {whole:,} cases in common{beside}, expected the same ids in both: name the "
        "column of the id with `--map id=COLUMN`, or compare results of one set"
    )


def _word(p_worse: float, p_better: float, rows: Sequence[GroupChange], change: Interval, rules: Rules) -> Word:
    if p_worse <= rules.overall or any(row.word == "worse" for row in rows):
        return "regression"
    if p_better <= rules.overall:
        return "improvement"
    return "inconclusive" if change.low < -rules.max_drop else "no difference shown"


def _needed(change: Interval, max_drop: float) -> int | None:
    """Return how many cases would exclude the tolerated drop if the change stays what it is; None where none would."""
    room = change.estimate + max_drop
    return round(change.n * ((change.estimate - change.low) / room) ** 2) + 1 if room > 0 else None


def detectable(whole: SliceCounts, change: Interval) -> float | None:
    """Return the smallest change that would have been found with 80 % power; None where none would.

    Of single trials Connor's; of trials and families what the interval's own width comes to.
    """
    if whole.trials:
        z = z_quantile(change.level)
        return min(1.0, (change.high - change.low) / 2 * (1 + float(norm.ppf(POWER)) / z))
    discordant = max((whole.gained + whole.lost) / whole.n, 1 / whole.n)
    effect = paired.minimum_detectable_effect(whole.n, discordant, power=POWER, level=change.level).effect
    return effect or paired.smallest_drop(whole.n, power=POWER, level=change.level)


def _trials(cases: Sequence[Trials]) -> str:
    sizes = [
        sorted({len(trials) for trials in of}) for of in zip(*((one.before, one.now) for one in cases), strict=True)
    ]
    if sizes == [[1], [1]]:
        return ""
    before, now = (" or ".join(map(str, of[:3])) + (" or more" if len(of) > 3 else "") for of in sizes)  # noqa: PLR2004
    return f"the mean over {now} trials a case, against {before}"


def _amount(cases: Iterable[CommonCase], of: Callable[[TrialResult], float | None]) -> AmountChange | None:
    pairs = []
    for one in cases:
        now, before = ([value for row in rows if (value := of(row)) is not None] for rows in (one.now, one.before))
        if len(now) == len(one.now) and len(before) == len(one.before):
            pairs.append((sum(before) / len(before), sum(now) / len(now)))
    if not pairs:
        return None
    before_, now_ = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    try:
        found = mean_interval([now - before for before, now in pairs], what="difference")
    except InsufficientDataError:
        return AmountChange(n=len(pairs), before=before_, now=now_, low=None, high=None)
    return AmountChange(n=len(pairs), before=before_, now=now_, low=found.low, high=found.high)


def _flips(trials: Sequence[Trials]) -> FlipOrigin | None:
    try:
        found: FlipShares = flip_shares(trials)
    except InsufficientDataError:
        return None
    return FlipOrigin(**(vars(found) | {"change": found.change and rate(found.change)}))


def _weighted(cases: Iterable[CommonCase], rules: Rules) -> WeightedChange | None:
    if rules.weights is None:
        return None
    groups = grouped(cases, lambda one: one.category)
    strata = {
        name: Stratum(
            values=[one.difference for one in of], families=[one.family or f"{at}" for at, one in enumerate(of)]
        )
        for name, of in groups.items()
    }
    found = post_stratified(strata, rules.weights)
    return WeightedChange(change=rate(found), n_effective=found.n_effective, deff=found.deff, caution=found.caution)
