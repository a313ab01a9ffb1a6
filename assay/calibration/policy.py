"""A policy: what a judge must reach before its numbers may decide anything."""

from collections.abc import Mapping, Sequence

from assay.calibration.certificate import Figure, Floor, Trivial
from assay.calibration.figures import PASS_FAIL
from assay.calibration.ratings import Rated
from assay.records.record import Record

MAX_UNSCORED = 0.05
"""Share of held-out items without a verdict beyond which no certificate holds: a judge could pick the easy ones."""


class Policy(Record):
    """What may be demanded of any judge."""

    min_labels: int
    max_flips: float | None = None
    """On the upper bound of the share of items judged otherwise when asked again; left out, nothing is demanded."""
    max_injected: float | None = None
    """On the upper bound of the share of attempts that moved a verdict (assay/judges/injections.py)."""
    like_people: bool = False
    """Refuse a judge whose kappa with people lies wholly below that of people with one another."""


class PassFailPolicy(Policy):
    """Floors of a pass/fail judge; those of rates are on the lower bounds of their 95 % intervals."""

    min_rarer: int
    tpr: float
    tnr: float
    youden: float


class PairwisePolicy(Policy):
    """Floors of a pairwise judge; `max_conflict` is on the upper bound of the share of pairs that the order decided."""

    accuracy: float
    kappa: float
    max_conflict: float


def pass_fail_floors(
    policy: PassFailPolicy, found: Rated, figures: Sequence[Figure], rivals: Sequence[Trivial]
) -> list[Floor]:
    """Hold a pass/fail judge against its policy."""
    rarer = min(found.human.count(outcome) for outcome in PASS_FAIL)
    named = {figure.name: figure for figure in figures}
    return [
        *_counts(
            {"labelled items": (len(found.items), policy.min_labels), "of the rarer label": (rarer, policy.min_rarer)}
        ),
        _answers(found),
        *(
            _floor(named[name], floor)
            for name, floor in (("tpr", policy.tpr), ("tnr", policy.tnr), ("youden", policy.youden))
        ),
        *_besides(named, policy),
        _beats(named["accuracy"], rivals),
    ]


def pairwise_floors(
    policy: PairwisePolicy, found: Rated, figures: Sequence[Figure], rivals: Sequence[Trivial]
) -> list[Floor]:
    """Hold a pairwise judge against its policy."""
    named = {figure.name: figure for figure in figures}
    return [
        *_counts({"labelled items": (len(found.items), policy.min_labels)}),
        _answers(found),
        _floor(named["accuracy"], policy.accuracy),
        _floor(named["kappa-linear"], policy.kappa),
        _roof(named["conflict"], policy.max_conflict),
        *_besides(named, policy),
        _beats(named["accuracy"], rivals),
    ]


def _counts(wanted: Mapping[str, tuple[int, int]]) -> list[Floor]:
    return [
        Floor(figure=name, demand=f"at least {least}", found=str(there), met=there >= least)
        for name, (there, least) in wanted.items()
    ]


def _answers(found: Rated) -> Floor:
    """Demand a verdict on nearly every item that people decided."""
    share = len(found.unscored) / (len(found.unscored) + len(found.items))
    return Floor(
        figure="without a verdict",
        demand=f"at most {100 * MAX_UNSCORED:.0f} %",
        found=f"{100 * share:.1f} %",
        met=share <= MAX_UNSCORED,
    )


def _floor(figure: Figure, least: float) -> Floor:
    found = "none" if figure.low is None else f"{figure.low:.3f}"
    met = figure.low is not None and figure.low >= least
    return Floor(figure=figure.name, demand=f"lower bound at least {least:.2f}", found=found, met=met)


def _roof(figure: Figure | None, most: float, name: str = "") -> Floor:
    high = figure.high if figure else None
    return Floor(
        figure=figure.name if figure else name,
        demand=f"upper bound at most {most:.2f}",
        found="none" if high is None else f"{high:.3f}",
        met=high is not None and high <= most,
    )


def _besides(named: Mapping[str, Figure], policy: Policy) -> list[Floor]:
    """Demand what a policy may demand besides; an audit that was not made meets nothing."""
    demands = {"flips": policy.max_flips, "injected": policy.max_injected}
    found = [_roof(named.get(name), most, name) for name, most in demands.items() if most is not None]
    return [*found, _like_people(named["kappa-over-human"])] if policy.like_people else found


def _like_people(gap: Figure) -> Floor:
    return Floor(
        figure=gap.name,
        demand="interval not wholly below 0",
        found="none" if gap.high is None else f"upper bound {gap.high:.3f}",
        met=gap.high is not None and gap.high >= 0,
    )


def _beats(accuracy: Figure, rivals: Sequence[Trivial]) -> Floor:
    best = max(rivals, key=lambda rival: rival.accuracy)
    return Floor(
        figure="accuracy",
        demand=f"above the best judge without a thought ({best.name}, {best.accuracy:.3f})",
        found=f"{accuracy.estimate:.3f}",
        met=accuracy.estimate is not None and accuracy.estimate > best.accuracy,
    )
