"""Which of several systems is best, from verdicts on pairs of them? For two systems, take `pairs.win_rate`.

A strength is a log-odds against the reference. The order in which the verdicts came in does not matter, as in Elo it
does; the order in which a judge was shown two answers must be balanced beforehand (`pairs.position_bias`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logsumexp

from assay.errors import DataError, InsufficientDataError
from assay.stats.annotators import percentile_bounds, resampled
from assay.stats.pairs import SCALE
from assay.stats.rates import Interval

Ties = Literal["half", "drop", "davidson", "rao-kupper"]
MODELS: dict[Ties, str] = {
    "half": "Bradley-Terry, a tie as half a win each",
    "drop": "Bradley-Terry, ties dropped",
    "davidson": "Davidson",
    "rao-kupper": "Rao-Kupper",
}
MIN_SYSTEMS = 3
MIN_PROMPTS = 30
"""With fewer prompts no simple clustered interval holds its level (STATISTICS 4.2)."""
STEPS = 100
"""Newton's method needs fewer than ten where a fit exists."""
TOLERANCE = 1e-9
"""A step smaller than this ends the fit."""
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One verdict on one pair of systems."""

    prompt: str
    """Verdicts on one prompt are resampled together."""
    a: str
    """The system whose win the outcome `a` is."""
    b: str
    outcome: str
    """`a`, `b` or `tie`."""


@dataclass(frozen=True, kw_only=True)
class Strength(Interval):
    """How much stronger a system is than the reference, in log-odds of winning; `n` counts the prompts."""

    system: str
    se: float
    """From the curvature of the likelihood; it takes verdicts on one prompt for independent, the interval does not."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The strengths of all systems but the reference, whose strength is 0."""

    model: str
    reference: str
    strengths: list[Strength]
    """The strongest first."""
    tie: float | None
    """Davidson's nu or Rao and Kupper's theta, which grow with the share of ties; None in Bradley and Terry's model."""
    log_likelihood: float
    """Comparable between models of ties alone; where a tie is half a win it is a quasi-likelihood."""
    n: int
    """Comparisons in the fit."""
    prompts: int
    caution: str
    """One sentence when the intervals are narrower than their level says; empty otherwise."""


@dataclass(frozen=True, kw_only=True)
class _Slopes:
    """The log-likelihood of many tables at once, with its derivatives in the log-odds of pairs and in the tie term."""

    value: Floats
    odds: Floats
    """Shape (tables, pairs), like `odds_twice` and `mixed`; the others are of shape (tables,)."""
    tie: Floats
    odds_twice: Floats
    mixed: Floats
    tie_twice: Floats


@dataclass(frozen=True, kw_only=True)
class _Design:
    """Who meets whom, and by which model."""

    systems: list[str]
    """The reference first."""
    pairs: NDArray[np.int64]
    """Shape (pairs, 2): numbers of systems."""
    ties: Ties

    def contrasts(self) -> Floats:
        """Return +1 for the first and -1 for the second of each pair, without the reference, whose strength is 0."""
        one = np.eye(len(self.systems))
        return np.asarray((one[self.pairs[:, 0]] - one[self.pairs[:, 1]])[:, 1:])


def rank(
    comparisons: Iterable[Comparison],
    *,
    reference: str,
    ties: Ties = "half",
    rng: np.random.Generator,
    draws: int = 2_000,
    level: float = 0.95,
) -> Ranking:
    """Return the strength of each system, with percentile intervals of a bootstrap over prompts.

    Measured with 100 prompts, each with effects of its own (SD 1) on four systems, 400 runs: the intervals of `half` /
    `davidson` / `rao-kupper` cover .955 / .942 / .948, the model's standard error .953 / .927 / .926; with three
    verdicts on each pair .938 / .943 / .956 against .854 / .818 / .825.

    Args:
        comparisons: Verdicts on pairs, in any order.
        reference: The system whose strength is fixed at 0.
        ties: `half` counts a tie as half a win each, `drop` leaves ties out, `davidson` and `rao-kupper` model them.
        rng: Source of the bootstrap.
        draws: How many resamples.
        level: Level of the two-sided intervals.

    Raises:
        InsufficientDataError: Fewer than three systems or two prompts; a system or group that never won against the
            others or never lost to them, so that no finite fit exists; or a model of ties without any tie, or with wins
            that never form a cycle, which leaves the strengths as open.
        DataError: An outcome is none of the three, or a system was compared with itself.
        ValueError: The reference was compared with nobody.

    Source:
        Bradley & Terry (1952); Davidson (1970); Rao & Kupper (1967); STATISTICS 5.
    """
    rows = [row for row in map(_checked, comparisons) if not (ties == "drop" and row.outcome == "tie")]
    design = _design(rows, reference, ties)
    tables, times = _tables(rows, design)
    whole = (times[None] @ tables).reshape(1, -1, 3)
    _require_fit(design, whole[0])
    start = np.zeros(len(design.systems))
    start[-1] = 1.0 if ties == "rao-kupper" else 0.0
    fitted = _fit(design, whole, start)[0]
    slopes = _slopes(design, whole, fitted[None])
    errors = np.sqrt(np.linalg.inv(_information(design.contrasts(), slopes)[0]).diagonal())
    drawn = np.concatenate(
        [
            _refit(design, (counts @ tables).reshape(len(counts), -1, 3), fitted)
            for counts in resampled(times, draws=draws, rng=rng)
        ]
    )
    strengths = [
        _strength(system, *numbers, prompts=int(times.sum()), model=MODELS[ties], level=level)
        for system, *numbers in zip(design.systems[1:], fitted[:-1], errors[:-1], drawn.T[:-1], strict=True)
    ]
    return Ranking(
        model=MODELS[ties],
        reference=reference,
        strengths=sorted(strengths, key=lambda one: -one.estimate),
        tie=float(np.exp(fitted[-1])) if ties in ("davidson", "rao-kupper") else None,
        log_likelihood=float(slopes.value[0]),
        n=len(rows),
        prompts=int(times.sum()),
        caution=_caution(int(times.sum()), level),
    )


def _checked(row: Comparison) -> Comparison:
    if row.outcome not in SCALE:
        raise DataError(
            f"prompt {row.prompt} has the outcome {row.outcome!r} for {row.a} and {row.b}; expected a, b or tie; "
            "leave unscored pairs out"
        )
    if row.a == row.b:
        raise DataError(f"prompt {row.prompt} compares {row.a} with itself; expected two systems: drop the row")
    return row


def _design(rows: Sequence[Comparison], reference: str, ties: Ties) -> _Design:
    names = {name for row in rows for name in (row.a, row.b)}
    if len(names) < MIN_SYSTEMS:
        raise InsufficientDataError(
            f"{len(names)} systems were compared; a ranking needs {MIN_SYSTEMS}: for two, take the win rate of pairs"
        )
    if reference not in names:
        raise ValueError(f"the reference is {reference!r}; expected one of {', '.join(sorted(names))}")
    systems = [reference, *sorted(names - {reference})]
    met = {frozenset((row.a, row.b)) for row in rows}
    pairs = [pair for pair in combinations(range(len(systems)), 2) if frozenset(systems[one] for one in pair) in met]
    return _Design(systems=systems, pairs=np.array(pairs), ties=ties)


def _tables(rows: Sequence[Comparison], design: _Design) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distinct tables of a prompt, shape (kinds, pairs * 3): win of the first, tie, win of the second.

    Beside them, how many prompts have each.
    """
    number = {system: index for index, system in enumerate(design.systems)}
    column = {(int(one), int(other)): 3 * index for index, (one, other) in enumerate(design.pairs)}
    cells: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        one, other, place = number[row.a], number[row.b], SCALE[row.outcome]
        cells[row.prompt].append(column[one, other] + place if one < other else column[other, one] + 2 - place)
    if len(cells) < 2:  # noqa: PLR2004 - a spread needs two
        raise InsufficientDataError(f"{len(cells)} prompts were judged; an interval needs at least two: add prompts")
    kinds, times = zip(*sorted(Counter(tuple(sorted(places)) for places in cells.values()).items()), strict=True)
    width = 3 * len(design.pairs)
    tables = np.array([np.bincount(places, minlength=width) for places in kinds], dtype=float)
    return tables, np.array(times)


def _paths(edges: Flags) -> Flags:
    """Return which systems lead to which along the edges in one step or more, shape (tables, systems, systems)."""
    found = edges.astype(np.float32)
    for _ in range(edges.shape[-1].bit_length()):
        found = np.minimum(found + found @ found, 1)
    return np.asarray(found > 0)


def _wins(design: _Design, tables: Floats, *, with_ties: bool) -> Flags:
    """Return who ever won against whom, with a tie as a win of both or of none."""
    found = np.zeros((len(tables), len(design.systems), len(design.systems)), dtype=np.bool_)
    one, other = design.pairs.T
    drawn = (tables[:, :, 1] > 0) & with_ties
    found[:, one, other] = (tables[:, :, 0] > 0) | drawn
    found[:, other, one] = (tables[:, :, 2] > 0) | drawn
    return found


def _has_fit(design: _Design, tables: Floats) -> Flags:
    """Return which tables have a finite fit, shape (tables,).

    Every system must lead to every other by wins and ties (Ford 1957). A model of ties needs a tie, and a cycle of wins
    besides: else all strengths could spread together with the share of ties, and the likelihood would only rise.
    """
    linked = np.asarray(_paths(_wins(design, tables, with_ties=True)).all(axis=(1, 2)))
    if design.ties in ("half", "drop"):
        return linked
    cycles = _paths(_wins(design, tables, with_ties=False)).diagonal(axis1=1, axis2=2).any(axis=1)
    return np.asarray(linked & cycles & (tables[:, :, 1].sum(axis=1) > 0))


def _require_fit(design: _Design, table: Floats) -> None:
    if _has_fit(design, table[None])[0]:
        return
    paths = _paths(_wins(design, table[None], with_ties=True))[0]
    if paths.all():
        raise InsufficientDataError(
            f"{MODELS[design.ties]}'s model needs a tie and wins that form a cycle, and {table[:, 1].sum():.0f} of "
            f"{table.sum():.0f} comparisons are ties; take ties as half a win, or compare on more prompts"
        )
    groups = [(row | (np.arange(len(row)) == index), "won against") for index, row in enumerate(paths)]
    groups += [(row | (np.arange(len(row)) == index), "lost to") for index, row in enumerate(paths.T)]
    group, word = min(groups, key=lambda each: int(each[0].sum()))
    names = [name for name, is_in in zip(design.systems, group, strict=True) if is_in]
    raise InsufficientDataError(
        f"{' and '.join(names)} never {word} any of the other {len(design.systems) - len(names)} systems, so no finite "
        "strength fits; compare them on more prompts, or leave them out"
    )


def _refit(design: _Design, tables: Floats, start: Floats) -> Floats:
    """Return the coefficients of each resample, shape (tables, coefficients); NaN where none fit."""
    found = np.full((len(tables), len(start)), np.nan)
    fits = _has_fit(design, tables)
    if fits.any():
        found[fits] = _fit(design, tables[fits], start)
    return found


def _fit(design: _Design, tables: Floats, start: Floats) -> Floats:
    """Return the strengths and the tie term of each table by Newton's method, all tables at once."""
    contrasts = design.contrasts()
    found = np.tile(start, (len(tables), 1))
    slopes = _slopes(design, tables, found)
    for _ in range(STEPS):
        gradient = np.column_stack([slopes.odds @ contrasts, slopes.tie])
        step = np.linalg.solve(_information(contrasts, slopes), gradient[:, :, None])[:, :, 0]
        if np.abs(step).max() < TOLERANCE:
            return found
        reached = _slopes(design, tables, found + step)
        while (fell := ~(reached.value >= slopes.value - TOLERANCE * np.abs(slopes.value))).any():
            step[fell] /= 2
            reached = _slopes(design, tables, found + step)
        found, slopes = found + step, reached
    raise InsufficientDataError(
        f"the fit of {len(design.systems)} systems did not settle in {STEPS} steps, as some hardly ever win or lose; "
        "compare them on more prompts"
    )


def _information(contrasts: Floats, slopes: _Slopes) -> Floats:
    """Return minus the second derivatives, shape (tables, coefficients, coefficients)."""
    k = contrasts.shape[1]
    products = (contrasts[:, :, None] * contrasts[:, None, :]).reshape(-1, k * k)
    found = np.empty((len(slopes.tie), k + 1, k + 1))
    found[:, :k, :k] = (slopes.odds_twice @ products).reshape(-1, k, k)
    found[:, :k, k] = found[:, k, :k] = slopes.mixed @ contrasts
    found[:, k, k] = slopes.tie_twice
    return -found


def _slopes(design: _Design, tables: Floats, coefficients: Floats) -> _Slopes:
    models: dict[Ties, Callable[[Floats, Floats, Floats], _Slopes]] = {
        "half": _bradley_terry,
        "drop": _bradley_terry,
        "davidson": _davidson,
        "rao-kupper": _rao_kupper,
    }
    return models[design.ties](tables, coefficients[:, :-1] @ design.contrasts().T, coefficients[:, -1:])


def _bradley_terry(tables: Floats, odds: Floats, tie: Floats) -> _Slopes:
    """P(first) = 1 / (1 + e^-odds); there is no tie term, so its curvature of -1 keeps it where it is."""
    first, n = tables[:, :, 0] + tables[:, :, 1] / 2, tables.sum(axis=2)
    chance = expit(odds)
    return _Slopes(
        value=(first * log_expit(odds) + (n - first) * log_expit(-odds)).sum(axis=1),
        odds=first - n * chance,
        tie=np.zeros(len(tie)),
        odds_twice=-n * chance * (1 - chance),
        mixed=np.zeros_like(odds),
        tie_twice=np.full(len(tie), -1.0),
    )


def _davidson(tables: Floats, odds: Floats, tie: Floats) -> _Slopes:
    """P(first) : P(tie) : P(second) = e^(odds/2) : nu : e^(-odds/2), with nu = e^tie."""
    n = tables.sum(axis=2)
    scores = np.stack([odds / 2, np.broadcast_to(tie, odds.shape), -odds / 2], axis=2)
    logs = scores - logsumexp(scores, axis=2, keepdims=True)
    first, drawn, second = np.moveaxis(np.exp(logs), 2, 0)
    return _Slopes(
        value=(tables * logs).sum(axis=(1, 2)),
        odds=(tables[:, :, 0] - tables[:, :, 2] - n * (first - second)) / 2,
        tie=(tables[:, :, 1] - n * drawn).sum(axis=1),
        odds_twice=-n * (first + second - (first - second) ** 2) / 4,
        mixed=n * (first - second) * drawn / 2,
        tie_twice=-(n * drawn * (1 - drawn)).sum(axis=1),
    )


def _rao_kupper(tables: Floats, odds: Floats, tie: Floats) -> _Slopes:
    """P(first) = 1 / (1 + theta e^-odds), P(second) = 1 / (1 + theta e^odds), with theta = e^tie above 1."""
    not_second, not_first = tables[:, :, 0] + tables[:, :, 1], tables[:, :, 2] + tables[:, :, 1]
    above, below = odds - tie, -odds - tie
    up, down = not_second * expit(-above), not_first * expit(-below)
    bend_up, bend_down = up * expit(above), down * expit(below)
    drawn, grown = tables[:, :, 1].sum(axis=1), np.expm1(2 * np.maximum(tie[:, 0], 0))
    with np.errstate(divide="ignore"):
        value = (not_second * log_expit(above) + not_first * log_expit(below)).sum(axis=1) + drawn * np.log(grown)
        return _Slopes(
            value=value,
            odds=up - down,
            tie=-(up + down).sum(axis=1) + drawn * 2 * (1 + 1 / grown),
            odds_twice=-(bend_up + bend_down),
            mixed=bend_up - bend_down,
            tie_twice=-(bend_up + bend_down).sum(axis=1) - drawn * 4 * (1 + 1 / grown) / grown,
        )


def _strength(
    system: str, estimate: float, se: float, drawn: Floats, *, prompts: int, model: str, level: float
) -> Strength:
    low, high = percentile_bounds(
        drawn, level, lacking="left no finite fit, as a system never won or never lost; compare on more prompts"
    )
    return Strength(
        system=system,
        estimate=float(estimate),
        se=float(se),
        low=low,
        high=high,
        n=prompts,
        level=level,
        method=f"{model}, bootstrap over prompts",
    )


def _caution(prompts: int, level: float) -> str:
    if prompts >= MIN_PROMPTS:
        return ""
    return (
        f"{prompts} prompts, fewer than {MIN_PROMPTS}: the intervals hold the truth less often than {level:.0%}; "
        "add prompts"
    )
