"""The pass rate of a population that a judge has judged whole, from labels on some of it drawn with known chances.

The population falls into parts of which every item had one chance of being labelled, whatever the chance came from: one
draw or several, by the verdict of today's judge or of another. Within a part the labelled items are a random sample,
also where some of what was drawn was never finished, so that no weights are needed and few labels of a small part can
spoil no other's (STATISTICS 3.2 and 3.3; Holt & Smith 1979 on post-stratification).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import InsufficientDataError
from assay.stats.rates import Interval

MIN_LABELS = 50
"""Labels below which no corrected rate is published (STATISTICS 3.2)."""
SMALL = 0.05
"""Share of the population for which labels of others may stand: a part without any is taken together with the next one,
and where a part has no label that was judged one way, all its labels stand for what was."""
NARROW = 0.05
"""Least share of a binary label's variance that votes of several people are taken to have."""
LOST = 2
"""Labels of a part and word that its draws do without: with all of them these items' bounds hold 94 of 100 times."""
CLOSE = 6
"""Digits to which two chances are one."""
NOBODY: NDArray[np.float64] = np.array([])
"""Labels where there are none."""
PASSED, FAILED = 0, 1
"""Places of the judge's words."""
Shares = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Items of a population of which every one had the same chance of being labelled."""

    human_of_passed: Shares
    """Of each labelled item that the judge passes the share of people who pass it, 0 to 1."""
    human_of_failed: Shares
    judged: tuple[float, float] | None = None
    """Items that the judge passes and fails; None where only the size of the part is known."""
    size: float = 0
    """Of the part, where `judged` is None."""

    @property
    def n(self) -> int:
        """Return the number of labelled items."""
        return len(self.human_of_passed) + len(self.human_of_failed)

    @property
    def items(self) -> float:
        """Return the number of items."""
        return self.size if self.judged is None else sum(self.judged)


@dataclass(frozen=True, kw_only=True)
class DoubleSampling:
    """A corrected pass rate, with the judge's rates corrected for which items were labelled."""

    pass_rate: Interval
    tpr: Interval | None
    """None where no human pass was seen."""
    tnr: Interval | None
    """None where no human fail was seen."""
    judged: int
    draws: int


class _Posterior(NamedTuple):
    """Items by the judge's word, and how many of them people pass: the estimate first, then the draws."""

    items: Shares
    passed: Shares


def by_chance(labelled: Iterable[tuple[float, bool, float]]) -> dict[float, tuple[Shares, Shares]]:
    """Return what people say of labelled items, by chance, in its order: of those that the judge passes, and fails.

    Args:
        labelled: Of each item its chance, whether the judge passes it, and the share of people who pass it.
    """
    found: dict[float, tuple[list[float], list[float]]] = {}
    for chance, is_passed, human in labelled:
        found.setdefault(chance, ([], []))[PASSED if is_passed else FAILED].append(human)
    return {chance: (np.array(words[PASSED]), np.array(words[FAILED])) for chance, words in sorted(found.items())}


def of_parts(
    parts: Sequence[Part],
    *,
    is_finite: bool = True,
    least: int = MIN_LABELS,
    rng: np.random.Generator,
    draws: int = 20_000,
    level: float = 0.95,
) -> DoubleSampling:
    """Return the pass rate that people would give to all items, and the judge's TPR and TNR.

    Args:
        parts: The population, in the order of their chances.
        is_finite: It speaks of these very items, of which the labelled ones are known; else of all items of which
            these are a random part.
        least: Labels below which nothing is said.
        rng: Source of the posterior draws.
        draws: How many; 20,000 keeps the bounds within .0005.
        level: Level of the two-sided intervals.

    The bounds are quantiles of Jeffreys draws, of these very items with what is labelled taken as known, widened to
    hold the estimate where that lies on a boundary.

    Raises:
        InsufficientDataError: Fewer labels than that, or more than 5 % of the items were judged one way in a part in
            which none of these is labelled.

    Source:
        Tenenbein (1970); corrected TPR and TNR after Begg & Greenes (1983); Ghosh & Meeden (1997) for these very
        items.
    """
    labels, total = sum(part.n for part in parts), sum(part.items for part in parts)
    if labels < least:
        raise InsufficientDataError(
            f"{labels} judged items have a label that is held out; a corrected rate needs {least}: "
            f"label {least - labels} more of those"
        )
    kept = _joined([part for part in parts if part.items], total)
    _require_labelled(kept, total)
    sizes = _sizes(kept, total, rng, draws, is_finite=is_finite)
    passed, failed = (
        [
            _of_word(part, _labels(part)[word], size[word], rng, is_finite=is_finite)
            for part, size in zip(kept, sizes, strict=True)
        ]
        for word in (PASSED, FAILED)
    )
    hit, miss = (sum((one.passed for one in ones), np.zeros(draws + 1)) for ones in (passed, failed))
    rejected = sum((one.items for one in failed), np.zeros(draws + 1))

    def interval(top: Shares, bottom: Shares, name: str) -> Interval | None:
        if bottom[0] <= 0:
            return None
        found = np.divide(top, bottom, out=np.full_like(top, top[0] / bottom[0]), where=bottom > 0)
        low, high = np.quantile(found[1:], [(1 - level) / 2, (1 + level) / 2])
        point = min(max(float(found[0]), 0.0), 1.0)
        bounds = {"low": max(0.0, min(float(low), point)), "high": min(1.0, max(float(high), point))}
        return Interval(estimate=point, **bounds, n=labels, level=level, method=name)

    rate = interval(hit + miss, np.full(draws + 1, total), "double sampling, Jeffreys draws")
    if rate is None:
        raise InsufficientDataError("0 items are judged; a pass rate needs at least one")
    return DoubleSampling(
        pass_rate=rate,
        tpr=interval(hit, hit + miss, "corrected TPR, Jeffreys draws"),
        tnr=interval(rejected - miss, total - hit - miss, "corrected TNR, Jeffreys draws"),
        judged=round(total),
        draws=draws,
    )


def _joined(parts: Sequence[Part], total: float) -> list[Part]:
    """Return the parts with each small one that has no label taken together with the one after it, else before it."""

    def is_small(part: Part) -> bool:
        return not part.n and part.items <= SMALL * total

    kept: list[Part] = []
    for part in reversed(parts):
        if kept and (is_small(part) or is_small(kept[-1])):
            kept[-1] = _together(part, kept[-1])
        else:
            kept.append(part)
    return kept


def _together(one: Part, other: Part) -> Part:
    words = [np.concatenate(both) for both in zip(_labels(one), _labels(other), strict=True)]
    counts = None
    if one.judged and other.judged:
        counts = (one.judged[0] + other.judged[0], one.judged[1] + other.judged[1])
    return Part(
        human_of_passed=words[PASSED], human_of_failed=words[FAILED], judged=counts, size=one.items + other.items
    )


def _require_labelled(parts: Sequence[Part], total: float) -> None:
    """Refuse labels that say nothing of more than a small share of the items."""
    for part in parts:
        for word, labels, count in zip(("pass", "fail"), _labels(part), part.judged or (0, 0), strict=True):
            if count and not len(labels) and (count > SMALL * total or not part.n):
                raise InsufficientDataError(
                    f"none of the {count:.0f} items with the verdict {word} is labelled, so nothing is known of them; "
                    "label some of them, drawn at random"
                )
        if part.judged is None and not part.n:
            raise InsufficientDataError(f"none of {part.size:.0f} items is labelled; label some, drawn at random")


def _labels(part: Part) -> tuple[Shares, Shares]:
    return part.human_of_passed, part.human_of_failed


def _sizes(
    parts: Sequence[Part], total: float, rng: np.random.Generator, draws: int, *, is_finite: bool
) -> list[tuple[Shares, Shares]]:
    """Return by part how many items the judge passes and fails: the estimate, then the draws.

    What was counted is exact for these very items. Of a part whose verdicts are known on the labelled items alone, the
    draws vary the verdicts' shares by Jeffreys: a judge that turned over none of few may turn over some of many.
    """
    known = np.array([count for part in parts for count in (part.judged or (part.size, 0.0))], dtype=float)
    drawn = np.tile(known[:, None], draws)
    if not is_finite and (some := known > 0).sum() > 1:
        drawn[some] = rng.dirichlet(known[some] + 0.5, draws).T * total
    sizes = np.column_stack([known, drawn]).reshape(len(parts), 2, draws + 1)
    for part, size in zip(parts, sizes, strict=True):
        if part.judged is None:
            share = _share_passed(part, rng, draws)
            size[0], size[1] = size[0] * share, size[0] * (1 - share)
    return [(size[0], size[1]) for size in sizes]


def _share_passed(part: Part, rng: np.random.Generator, draws: int) -> Shares:
    passed, failed = (len(labels) for labels in _labels(part))
    drawn = rng.beta(passed + 0.5, failed + 0.5, draws)
    return np.concatenate([[passed / part.n], drawn])


def _of_word(part: Part, labels: Shares, items: Shares, rng: np.random.Generator, *, is_finite: bool) -> _Posterior:
    """Return how many of a part's items with one word of the judge people pass.

    Args:
        part: The part.
        labels: On what the judge judged so; where there are none, those of the whole part stand for them.
        items: How many items it judged so: the estimate, then the draws.
        rng: As for `of_parts`.
        is_finite: As for `of_parts`.
    """
    own = labels if len(labels) else np.concatenate(_labels(part))
    mean, narrow = float(own.mean()), _narrow(own)
    if is_finite and len(own) > 2 * LOST:
        narrow *= len(own) / (len(own) - LOST)
    agreed, other = own.sum() / narrow, (len(own) - own.sum()) / narrow
    share = rng.beta(agreed + 0.5, other + 0.5, len(items) - 1)
    passed = np.concatenate([[items[0] * mean], items[1:] * share])
    if is_finite:
        rest = np.maximum(items[1:] - len(labels), 0)
        passed[1:] = labels.sum() + rng.binomial(np.round(rest / narrow).astype(int), share) * narrow
    return _Posterior(items, passed)


def _narrow(labels: Shares) -> float:
    """Return which share of a binary label's variance these have; below 1 where several people's votes are averaged."""
    mean = labels.mean()
    binary = mean * (1 - mean)
    return float(min(1.0, max(labels.var() / binary, NARROW))) if binary > 0 else 1.0
