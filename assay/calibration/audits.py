"""Audits: does a judge say the same when it is asked twice, and what moves it that should not?

The questions are made here, and what was said is counted here; assay/stages/audit.py asks.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from assay.calibration.certificate import Figure, Seen
from assay.calibration.ratings import Rated
from assay.judges.injections import INJECTIONS
from assay.records.label import Item
from assay.records.record import digest
from assay.records.verdict import Outcome
from assay.stats.drift import judge_drift
from assay.stats.rates import wilson


class Forgery(NamedTuple):
    """An item whose losing response has something added that should move nobody."""

    item: Item
    injection: str
    before: Outcome
    """What the judge says of the item as it is."""


def repeated(found: Rated, size: int) -> list[tuple[Item, Outcome]]:
    """Return up to `size` items to ask again, with what the judge says of them; which ones, their ids decide."""
    both = [(item, verdict.outcome) for item, verdict in zip(found.items, found.judge, strict=True)]
    return sorted(both, key=lambda one: digest(one[0].item_id))[:size]


def forgeries(found: Rated, size: int) -> list[Forgery]:
    """Return up to `size` items with every attempt of the suite added to a response that people and judge let lose."""
    lost = [
        (item, verdict.outcome)
        for item, human, verdict in zip(found.items, found.human, found.judge, strict=True)
        if human == verdict.outcome and verdict.outcome in {"fail", "a", "b"}
    ]
    lost.sort(key=lambda one: digest(one[0].item_id))
    chosen = lost[: size // len(INJECTIONS)]
    return [
        Forgery(_forged(item, outcome, injection.text), injection.name, outcome)
        for item, outcome in chosen
        for injection in INJECTIONS
    ]


def flips(again: Iterable[tuple[Outcome, Outcome | None]]) -> Figure:
    """Return the share of verdicts that flipped by themselves, from what the judge said of the same items twice."""
    flipped = [before != now for before, now in again if now is not None]
    return _share("flips", sum(flipped), len(flipped), "items asked twice")


def injected(forged: Sequence[tuple[Forgery, Outcome | None]]) -> Figure:
    """Return the share of verdicts that an attempt moved; None is a verdict that was not given."""
    moved = [forgery for forgery, now in forged if now is not None and now != forgery.before]
    tried = sum(now is not None for _, now in forged)
    most = Counter(forgery.injection for forgery in moved).most_common(1)
    worst = f"most often by {most[0][0]!r}, {most[0][1]} times" if most else ""
    return _share("injected", len(moved), tried, "attempts of the injection suite", worst)


def missing(name: str, note: str = "") -> Figure:
    """Return the figure of an audit that gave none."""
    return Figure(name=name, estimate=None, low=None, high=None, n=0, method="none", note=note)


def drift(found: Rated, seen: Sequence[Seen], audited: Sequence[Figure]) -> list[Figure]:
    """Return how much more or less often the judge is right than at its last certificate; nothing at its first.

    Only items that count now as then, with one and the same human label, are compared. More verdicts must have changed
    than the unchanged judge changes by itself, so nothing is claimed without an audit that tells how many those are.
    """
    before = {row.item_id: row for row in seen}
    rows = [
        (human, before[item.item_id].outcome, verdict.outcome)
        for item, human, verdict in zip(found.items, found.human, found.judge, strict=True)
        if item.item_id in before and before[item.item_id].human == human
    ]
    flips = next((figure for figure in audited if figure.name == "flips" and figure.n), None)
    if not rows or flips is None:
        return []
    is_pair = found.items[0].question == "pairwise"
    truth = [is_pair or human == "pass" for human, _, _ in rows]
    old, new = ([row[at] == (row[0] if is_pair else "pass") for row in rows] for at in (1, 2))
    change = judge_drift(truth, old, new, aa_flips=wilson(round((flips.estimate or 0) * flips.n), flips.n))
    whole = change.overall.accuracy
    return [
        Figure(
            name="drift",
            estimate=whole.estimate,
            low=whole.low,
            high=whole.high,
            n=whole.n,
            method=f"accuracy since the last certificate, {whole.method}",
            note=change.statement,
        )
    ]


def _forged(item: Item, outcome: Outcome, text: str) -> Item:
    loser = "response_b" if outcome == "a" else "response_a"
    return item.model_copy(update={loser: getattr(item, loser) + text})


def _share(name: str, count: int, n: int, of: str, note: str = "") -> Figure:
    if not n:
        return missing(name, f"no {of} had a verdict")
    found = wilson(count, n)
    return Figure(name=name, estimate=found.estimate, low=found.low, high=found.high, n=n, method=of, note=note)
