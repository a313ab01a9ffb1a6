"""What a judge's word on a new version rests on, and how far that may be wrong before the gate's word is.

A judge was checked on the answers that people labelled. Whether it errs on a new version as on those nobody knows from
its word alone. `publish.judge_transfer` says which of three the gate takes (DECISION 4): it is `assumed`, and the
sentence says until where that holds; it is `tested` by labels on both versions; or the change itself is `labelled`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from assay.calibration.certificate import Certificate, Figure
from assay.records.verdict import Subject
from assay.report.comparison import OVERALL, Comparison, in_both
from assay.report.content import Judge
from assay.report.findings import LEVEL, Outcomes, Rate, rate
from assay.report.grounds import Grounds
from assay.report.joint import Joint
from assay.report.judged import Change, Difference
from assay.stats import transfer
from assay.stats.paired import Trials, trials_change
from assay.stats.rates import Interval

Both = Mapping[tuple[Subject, bool], Outcomes]
"""Outcomes by version, and whether by checks alone."""
NO_RATES = "its certificate has no TPR and TNR, so nobody can say how much of a drop the judge hides: calibrate it anew"
LABEL = "have people label answers of both versions (`assay labels draw`)"


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
    named, verb = " and ".join(judge.name for judge in judges), "err" if len(judges) > 1 else "errs"
    if rates is None:
        return Grounds(kind="assumed", worse=basis.worse, change=None, sentence="", wanting=f"of {named}: {NO_RATES}")
    found = transfer.carried(_seen(outcomes, asked, families), *rates, tolerated=max_drop, rng=rng, draws=draws)
    places = _stricter(basis, found.stricter)
    until = ""
    if places:
        surest = max(places, key=lambda name: places[name])
        where = f" in {surest}" if surest != OVERALL else ""
        until = f", and holds{where} unless the judge is {_points(places[surest])} points stricter there than on those"
    elif found.change.low >= -max_drop:
        until = f", and holds unless the judge is {_points(found.laxer)} points laxer here"
    return Grounds(
        kind="assumed",
        worse=basis.worse,
        change=rate(found.change),
        laxer=found.laxer,
        places=places,
        sentence=f"This assumes that {named} {verb} on this version as on the labelled answers{until}.",
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


def labelled(
    basis: Comparison, checks: Comparison | None, judges: Sequence[Judge], joint: Joint | None = None
) -> Grounds:
    """Return what people's labels on both versions say, and checks; what judges alone find worse is no proof here.

    Args:
        basis: By all scorers.
        checks: By checks alone; None where no case is decided by them.
        judges: Those that the cases rest on.
        joint: What people say of whole cases, where several judges are behind them; where nobody knows, each judge is
            held against people by itself.
    """
    if joint and joint.change and joint.change.rate:
        return _joint(basis, checks, joint, joint.change, joint.change.rate)
    found = [(one.name, one.change.labels, one.change.rate) for one in judges if one.change and one.change.rate]
    silent = [one for one in judges if not (one.change and one.change.rate)]
    is_lower = any(rate.high < 0 for _, _, rate in found)
    worse = sorted({*(checks.worse if checks else []), *([OVERALL] if is_lower else [])})
    told = [f"{name} corrected by labels on {labels} changed cases: {_interval(rate)}" for name, labels, rate in found]
    wanting = "; ".join(
        f"{one.name}: {one.change.note if one.change else 'no case has a verdict on both versions'}" for one in silent
    )
    rates = [*(rate for _, _, rate in found), *([checks.change] if checks else [])]
    return Grounds(
        kind="labelled",
        worse=worse,
        change=None if wanting else min(rates, key=lambda rate: rate.low, default=None),
        labels=min((labels for _, labels, _ in found), default=0),
        sentence=f"As people have it, the change is: {'; '.join(told)}." if told else "",
        wanting=wanting,
        suspected=[name for name in [*basis.worse, *basis.suspected] if name not in worse],
    )


def _joint(basis: Comparison, checks: Comparison | None, joint: Joint, change: Change, found: Rate) -> Grounds:
    """Return what people say of whole cases, each by all its judges' questions."""
    worse = sorted({*(checks.worse if checks else []), *([OVERALL] if found.high < 0 else [])})
    behind = f"by all of {', '.join(joint.judges)}, corrected by labels on {change.labels} changed cases"
    return Grounds(
        kind="labelled",
        worse=worse,
        change=found,
        labels=change.labels,
        sentence=f"As people have it, the change is: {_interval(found)} {behind}.",
        wanting="",
        suspected=[name for name in [*basis.worse, *basis.suspected] if name not in worse],
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
    return together, min(tnrs, key=lambda one: one.low)


def _bounded(figure: Figure | None) -> Interval | None:
    if figure is None or figure.low is None or figure.estimate is None or figure.high is None:
        return None
    bounds = {"estimate": figure.estimate, "low": figure.low, "high": figure.high}
    return Interval(**bounds, n=figure.n, level=LEVEL, method="certificate")


def _seen(outcomes: Both, asked: Collection[str], families: Mapping[str, str]) -> transfer.Seen:
    """Return what judges and checks said of the cases that have an outcome in both versions."""
    cases = in_both(outcomes["target", False], outcomes["baseline", False], families)
    judged = [name for name in cases if name in asked]

    def moved(group: Sequence[Trials]) -> Interval:
        if not group:
            return Interval(estimate=0, low=0, high=0, n=0, level=LEVEL, method="no case")
        found, share = trials_change(group, level=LEVEL), len(group) / len(cases)
        return replace(found, estimate=found.estimate * share, low=found.low * share, high=found.high * share)

    def left_open(version: Subject) -> float:
        checks = outcomes[version, True].by_case
        return sum(checks.get(name) != "fail" for name in judged) / len(cases)

    return transfer.Seen(
        change=moved([cases[name] for name in judged]),
        sure=moved([trials for name, trials in cases.items() if name not in asked]),
        passed_before=sum(sum(cases[name].before) / len(cases[name].before) for name in judged) / len(cases),
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
