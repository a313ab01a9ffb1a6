"""What a judge's word on a new version rests on, and how far that may be wrong before the gate's word is.

A judge was checked on the answers that people labelled. Whether it errs on a new version as on those nobody knows from
its word alone. `publish.judge_transfer` says which of three the gate takes (DECISION 4): it is `assumed`, and the
sentence says until where that holds; it is `tested` by labels on both versions; or the change itself is `labelled`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from assay.calibration.certificate import Certificate
from assay.records.verdict import Subject
from assay.report.comparison import OVERALL, Comparison
from assay.report.content import Judge
from assay.report.findings import LEVEL, Outcomes, Rate, rate
from assay.report.grounds import Grounds
from assay.report.judged import Difference
from assay.stats import transfer
from assay.stats.paired import mean_change
from assay.stats.rates import Interval

Both = Mapping[tuple[Subject, bool], Outcomes]
"""Outcomes by version, and whether by checks alone."""
NO_RATES = "its certificate has no TPR and TNR, so nobody can say how much of a drop the judge hides: calibrate it anew"
LABEL = "have people label answers of both versions (`assay labels draw`)"
DECIDED = ("pass", "fail")


def assumed(
    basis: Comparison,
    judges: Sequence[Judge],
    outcomes: Both,
    asked: Collection[str],
    families: Mapping[str, str],
    *,
    max_drop: float,
    rng: np.random.Generator,
    draws: int,
) -> Grounds:
    """Return what the comparison is worth while the judges err on both versions alike.

    Args:
        basis: By all scorers.
        judges: Those that the cases rest on, each certified.
        outcomes: By version and scorers.
        asked: Cases on which one of these judges gave a verdict.
        families: Family by case.
        max_drop: The drop that is to be excluded.
        rng: Source of draws.
        draws: How many.
    """
    rates = _errors([judge.certificate for judge in judges])
    named = " and ".join(judge.name for judge in judges)
    if rates is None:
        return Grounds(kind="assumed", worse=basis.worse, change=None, sentence="", wanting=f"of {named}: {NO_RATES}")
    found = transfer.carried(_seen(outcomes, asked, families), *rates, tolerated=max_drop, rng=rng, draws=draws)
    places = _stricter(basis, found.stricter)
    surest = max(places, key=lambda name: places[name], default=OVERALL)
    stricter = places.get(surest, 0.0)
    until = ""
    if basis.worse:
        where = f" in {surest}" if surest != OVERALL else ""
        until = f", and holds{where} unless the judge is {_points(stricter)} points stricter there than on those"
    elif found.change.low >= -max_drop:
        until = f", and holds unless the judge is {_points(found.laxer)} points laxer here"
    return Grounds(
        kind="assumed",
        worse=basis.worse,
        change=rate(found.change),
        laxer=found.laxer,
        stricter=stricter,
        places=places,
        sentence=f"This assumes that {named} errs on this version as on the labelled answers{until}.",
    )


def tested(found: Grounds, differences: Mapping[str, Difference]) -> Grounds:
    """Return the same where labels on both versions bound how far the judges' errors differ.

    Args:
        found: As from `assumed`.
        differences: By judge.
    """
    told = "; ".join(_told(name, difference) for name, difference in differences.items())
    laxer = max((one.laxer.high if one.laxer else 1.0 for one in differences.values()), default=1.0)
    stricter = max((one.stricter.high if one.stricter else 1.0 for one in differences.values()), default=1.0)
    changes: dict[str, object] = {"kind": "tested", "sentence": f"By labels on both versions {told}."}
    if laxer >= found.laxer and not found.wanting:
        least = min(min(one.labels) for one in differences.values())
        more = f", some {ceil(least * (laxer / found.laxer) ** 2):,} of each" if least and found.laxer else ""
        changes["wanting"] = (
            f"a drop is excluded unless the judge is {_points(found.laxer)} points laxer on this version, and labels "
            f"exclude {_points(laxer)} at most: {LABEL}{more}"
        )
    proved = [name for name in found.worse if stricter < found.places.get(name, 0.0)]
    changes |= {"worse": proved, "suspected": [name for name in found.worse if name not in proved]}
    return found.model_copy(update=changes)


def labelled(basis: Comparison, checks: Comparison | None, judges: Sequence[Judge]) -> Grounds:
    """Return what people's labels on both versions say, and checks; what judges alone find worse is no proof here.

    Args:
        basis: By all scorers.
        checks: By checks alone; None where no case is decided by them.
        judges: Those that the cases rest on; of several each is held against people by itself.
    """
    changes = {judge.name: judge.change for judge in judges}
    rates = {name: change.rate for name, change in changes.items() if change and change.rate}
    worse = sorted(
        {*(checks.worse if checks else []), *([OVERALL] if any(one.high < 0 for one in rates.values()) else [])}
    )
    told = [
        f"{name} corrected by labels on {changes[name].labels} changed cases: {_interval(found)}"  # type: ignore[union-attr]
        for name, found in rates.items()
    ]
    wanting = "; ".join(
        f"{name}: {change.note if change else 'no case has a verdict on both versions'}"
        for name, change in changes.items()
        if name not in rates
    )
    lowest = min([*rates.values(), *([checks.change] if checks else [])], key=lambda one: one.low, default=None)
    alone = [name for name in [*basis.worse, *basis.suspected] if name not in worse]
    return Grounds(
        kind="labelled",
        worse=worse,
        change=None if wanting else lowest,
        labels=min((changes[name].labels for name in rates), default=0),  # type: ignore[union-attr]
        sentence=f"As people have it, the change is: {'; '.join(told)}." if told else "",
        wanting=wanting,
        suspected=alone,
    )


def _errors(certificates: Sequence[Certificate | None]) -> tuple[Interval, Interval] | None:
    """Return TPR and TNR of the judges together; None where a certificate does not say them.

    A case passes when all of them pass it. So of what people pass no more is lost than all judges lose together; and
    what people fail for one thing alone is found by one judge, at worst by the one that finds least.
    """
    found = []
    for held in certificates:
        figures = {figure.name: figure for figure in held.figures} if held else {}
        rates = [_bounded(figures.get(name)) for name in ("tpr", "tnr")]
        if None in rates:
            return None
        found.append(rates)
    tprs, tnrs = ([one for one in column if one] for column in zip(*found, strict=True))
    lost = {name: sum(1 - getattr(one, name) for one in tprs) for name in ("estimate", "low", "high")}
    passes = {name: max(0.0, 1 - share) for name, share in lost.items()}
    together = Interval(n=tprs[0].n, level=LEVEL, method="one minus the sum of what each loses", **passes)
    return tprs[0] if len(tprs) == 1 else together, min(tnrs, key=lambda one: one.low)


def _bounded(figure: object) -> Interval | None:
    low, estimate, high = (getattr(figure, name, None) for name in ("low", "estimate", "high"))
    if low is None or estimate is None or high is None:
        return None
    return Interval(estimate=estimate, low=low, high=high, n=getattr(figure, "n", 0), level=LEVEL, method="certificate")


def _seen(outcomes: Both, asked: Collection[str], families: Mapping[str, str]) -> transfer.Seen:
    """Return what judges and checks said of the cases that have an outcome in both versions."""
    now, before = outcomes["target", False], outcomes["baseline", False]
    both = [name for name, outcome in now.by_case.items() if {outcome, before.by_case.get(name)} <= set(DECIDED)]
    judged = [name for name in both if name in asked]
    others = [name for name in both if name not in asked]

    def share(of: Outcomes, name: str) -> float:
        trials = of.trials.get(name, (of.by_case[name] == "pass",))
        return sum(trials) / len(trials)

    def moved(names: Sequence[str]) -> Interval:
        if not names:
            return Interval(estimate=0, low=0, high=0, n=0, level=LEVEL, method="no case")
        apart = [share(now, name) - share(before, name) for name in names]
        step = 1 / max(min(len(of.trials.get(name, (True,))) for of in (now, before)) for name in names)
        found = mean_change(apart, step=step, families=[families.get(name, name) for name in names])
        whole = len(names) / len(both)
        low, high = found.low * whole, found.high * whole
        return replace(found, estimate=found.estimate * whole, low=low, high=high)

    def left_open(version: Subject) -> float:
        checks = outcomes[version, True].by_case
        return sum(checks.get(name) != "fail" for name in judged) / len(both)

    return transfer.Seen(
        change=moved(judged),
        sure=moved(others),
        passed_before=sum(share(before, name) for name in judged) / len(both),
        open_now=left_open("target"),
        open_before=left_open("baseline"),
    )


def _stricter(basis: Comparison, overall: float) -> dict[str, float]:
    """Return of each place that is worse how much stricter a judge must be there to make it look so.

    Args:
        basis: The comparison.
        overall: The same over all cases.
    """
    found = {
        row.category: max(0.0, -row.change.high) / max(row.baseline.high, 1e-9) for row in basis.slices if row.is_worse
    }
    return found or ({OVERALL: overall} if basis.worse else {})


def _told(name: str, difference: Difference) -> str:
    now, before = difference.labels
    return (
        f"{name} is laxer by {_interval(difference.laxer)} and stricter by {_interval(difference.stricter)} on this "
        f"one ({now} labelled answers against {before})"
    )


def _interval(found: Rate | None) -> str:
    if found is None:
        return "nobody knows how much"
    return f"{100 * found.estimate:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
