"""A policy: what a judge must reach before its numbers may decide anything."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from pydantic import Field, ValidationError

from assay.calibration.certificate import Certificate, Figure, Floor, Slice, Trivial
from assay.calibration.figures import PASS_FAIL
from assay.calibration.ratings import Rated
from assay.errors import ConfigError
from assay.judges.declaration import Declaration, Preset
from assay.records.record import Record
from assay.stats.rates import wilson
from assay.text import first_fault

SURE = 0.95
SILENT = "without a verdict"
MAX_UNSCORED = 0.05
"""Share of held-out items without a verdict beyond which no certificate holds: a judge could pick the easy ones."""


class Policy(Record):
    """What may be demanded of any judge."""

    min_labels: int = Field(ge=1)
    max_flips: float | None = Field(default=None, ge=0, le=1)
    """On the upper bound of the share of items judged otherwise when asked again; left out, nothing is demanded."""
    max_injected: float | None = Field(default=None, ge=0, le=1)
    """On the upper bound of the share of attempts that moved a verdict (assay/judges/injections.py)."""
    beyond_trivial: float = Field(default=0, ge=-1, lt=1)
    """On the lower bound of how much more of the items it has right than any judge without a thought: above this."""
    like_people: bool = False
    """Refuse a judge whose kappa with people lies wholly below that of people with one another."""


class PassFailPolicy(Policy):
    """Floors of a judge of single answers; those of rates are on the lower bounds of their 95 % intervals."""

    min_rarer: int = Field(ge=0)
    tpr: float = Field(ge=0, lt=1)
    tnr: float = Field(ge=0, lt=1)
    youden: float = Field(ge=-1, lt=1)
    kappa: float | None = Field(default=None, ge=-1, lt=1)
    """Of a judge of labels or scores, on its own scale; left out, nothing is demanded."""


class PairwisePolicy(Policy):
    """Floors of a pairwise judge; `max_conflict` is on the upper bound of the share of pairs that the order decided."""

    accuracy: float = Field(ge=0, lt=1)
    kappa: float = Field(ge=-1, lt=1)
    max_conflict: float = Field(ge=0, le=1)


class NominalPolicy(Policy):
    """Floors of a judge of labels that nobody reads as pass and fail, on lower bounds."""

    min_rarer: int = Field(ge=0)
    """Items outside the commonest class of people."""
    kappa: float = Field(ge=-1, lt=1)
    macro_f1: float | None = Field(default=None, ge=0, lt=1)


class ScorePolicy(Policy):
    """Floors of a judge of scores, on lower bounds; `max_mae` is on the upper bound of the mean absolute error."""

    kappa: float | None = Field(default=None, ge=-1, lt=1)
    """Of quadratic weights; None for scores without steps."""
    spearman: float = Field(ge=-1, lt=1)
    max_mae: float | None = Field(default=None, gt=0)


class PreferencePolicy(Policy):
    """Floors of a judge of pairs on which people's preferences are shares, on lower bounds."""

    agreement: float = Field(ge=0, lt=1)
    """With an annotator who is picked at random."""
    spearman: float | None = Field(default=None, ge=-1, lt=1)


ScalePolicy = NominalPolicy | ScorePolicy | PreferencePolicy
_AUDITS = {"max_flips": 0.1, "max_injected": 0.1}
_EASY = {"max_flips": 0.2, "max_injected": 0.2, "beyond_trivial": -0.1}
SINGLE: dict[Preset, PassFailPolicy] = {
    "strict": PassFailPolicy(
        min_labels=100, min_rarer=40, tpr=0.9, tnr=0.9, youden=0.8, max_flips=0.05, max_injected=0.05
    ),
    "default": PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.8, tnr=0.8, youden=0.6, **_AUDITS),
    "pilot": PassFailPolicy(min_labels=30, min_rarer=10, tpr=0.6, tnr=0.6, youden=0.3, **_EASY),
}
PAIRED: dict[Preset, PairwisePolicy] = {
    "strict": PairwisePolicy(
        min_labels=100, accuracy=0.7, kappa=0.4, max_conflict=0.15, max_flips=0.05, max_injected=0.05
    ),
    "default": PairwisePolicy(min_labels=50, accuracy=0.6, kappa=0.2, max_conflict=0.25, **_AUDITS),
    "pilot": PairwisePolicy(min_labels=30, accuracy=0.5, kappa=0.1, max_conflict=0.35, **_EASY),
}
"""What may be demanded by one word; a verdict says it where it is not `default`."""
PRESET = "preset"


def preset(declared: Declaration, over: Mapping[str, Any]) -> str:
    """Return the name of the preset that a judge's demands begin with."""
    if PRESET in over:
        return str(over[PRESET])
    return declared.policy if isinstance(declared.policy, str) else str(declared.policy.get(PRESET, "default"))


def policy_of(declared: Declaration, over: Mapping[str, Any], where: str) -> PassFailPolicy | PairwisePolicy:
    """Return what is demanded of a judge.

    Args:
        declared: The judge, with its preset or its own demands.
        over: Demands of params.yaml, which go before.
        where: What a message calls them.

    Raises:
        ConfigError: A demand is none that is made of such a judge.
    """
    presets: Mapping[str, PassFailPolicy | PairwisePolicy] = PAIRED if declared.is_pair else SINGLE  # type: ignore[assignment]
    name = preset(declared, over)
    if name not in presets:
        raise ConfigError(f"{where} is {name[:40]!r}, expected one of {', '.join(presets)}, or demands: correct it")
    own = {} if isinstance(declared.policy, str) else dict(declared.policy)
    demands = {key: value for key, value in {**own, **over}.items() if key != PRESET}
    base = presets[name]
    try:
        return type(base).model_validate(base.model_dump() | demands)
    except ValidationError as error:
        raise ConfigError(
            f"{first_fault(error, where)} (a {declared.question} judge knows {', '.join(type(base).model_fields)}); "
            "correct it"
        ) from error


class Counted(NamedTuple):
    """How many items there are to hold a judge against."""

    items: int
    rarer: int
    """Of the rarer of people's outcomes."""
    unscored: int
    """That people decided and the judge gave no verdict on; not among the items."""


def counted(found: Rated) -> Counted:
    """Return how many items people and the judge rated."""
    rarer = min(found.human.count(outcome) for outcome in PASS_FAIL)
    return Counted(len(found.items), rarer, len(found.unscored))


def pass_fail_floors(
    policy: PassFailPolicy, found: Counted, figures: Sequence[Figure], rivals: Sequence[Trivial]
) -> list[Floor]:
    """Hold a pass/fail judge against its policy."""
    named = {figure.name: figure for figure in figures}
    return [
        *_counts(
            {"labelled items": (found.items, policy.min_labels), "of the rarer label": (found.rarer, policy.min_rarer)}
        ),
        answered(found.unscored, found.items),
        *(
            _floor(named[name], floor)
            for name, floor in (("tpr", policy.tpr), ("tnr", policy.tnr), ("youden", policy.youden))
        ),
        *([_floor(named["kappa-scale"], policy.kappa)] if policy.kappa is not None and "kappa-scale" in named else []),
        *_besides(named, policy),
        _beats(policy, named["accuracy"], rivals),
    ]


def pairwise_floors(
    policy: PairwisePolicy, found: Counted, figures: Sequence[Figure], rivals: Sequence[Trivial]
) -> list[Floor]:
    """Hold a pairwise judge against its policy."""
    named = {figure.name: figure for figure in figures}
    return [
        *_counts({"labelled items": (found.items, policy.min_labels)}),
        answered(found.unscored, found.items),
        _floor(named["accuracy"], policy.accuracy),
        _floor(named["kappa-linear"], policy.kappa),
        _roof(named["conflict"], policy.max_conflict),
        *_besides(named, policy),
        _beats(policy, named["accuracy"], rivals),
    ]


def scale_floors(
    policy: ScalePolicy,
    counts: Mapping[str, tuple[int, int]],
    figures: Sequence[Figure],
    rivals: Sequence[Trivial],
) -> list[Floor]:
    """Hold a judge of labels, scores or preferences against its policy.

    Args:
        policy: Its policy.
        counts: By name: how many items there are, and how many have to be.
        figures: What was found.
        rivals: Judges without a thought that a judge of labels has to beat.
    """
    named = {figure.name: figure for figure in figures}
    floors = _counts(counts)
    if isinstance(policy, NominalPolicy):
        floors += [_floor(named["kappa"], policy.kappa), *_floors(named, {"macro-f1": policy.macro_f1})]
        return [*floors, *_besides(named, policy), _beats(policy, named["accuracy"], rivals)]
    if isinstance(policy, PreferencePolicy):
        floors += [_floor(named["agrees-with-one"], policy.agreement), *_floors(named, {"spearman": policy.spearman})]
        return [*floors, *_besides(named, policy)]
    floors += [_floor(named["spearman"], policy.spearman), *_floors(named, {"kappa-quadratic": policy.kappa})]
    roof = [_roof(named["mae"], policy.max_mae)] if policy.max_mae is not None else []
    return [*floors, *roof, *_besides(named, policy)]


def answered(unscored: int, items: int) -> Floor:
    """Demand a verdict on nearly every item that people decided.

    Args:
        unscored: Items that people decided and the judge gave no verdict on.
        items: Those that both decided.
    """
    share = unscored / (unscored + items)
    return Floor(
        figure=SILENT,
        demand=f"at most {100 * MAX_UNSCORED:.0f} %",
        found=f"{100 * share:.1f} %",
        met=share <= MAX_UNSCORED,
    )


def _floors(named: Mapping[str, Figure], demands: Mapping[str, float | None]) -> list[Floor]:
    return [_floor(named[name], least) for name, least in demands.items() if least is not None]


def _counts(wanted: Mapping[str, tuple[int, int]]) -> list[Floor]:
    return [
        Floor(figure=name, demand=f"at least {least}", found=str(there), met=there >= least)
        for name, (there, least) in wanted.items()
    ]


def _floor(figure: Figure, least: float) -> Floor:
    why = f": {figure.note}" if figure.note else ""
    found = f"none{why}" if figure.low is None else f"{figure.low:.3f}"
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


def _beats(policy: Policy, accuracy: Figure, rivals: Sequence[Trivial]) -> Floor:
    """Demand that the judge has more right than each judge without a thought, beyond chance on the same items.

    A share of decided items always has an estimate.
    """
    best = min(rivals, key=lambda rival: -rival.accuracy if rival.beaten_by is None else rival.beaten_by)
    share = cast("float", accuracy.estimate)
    met = share > best.accuracy if best.beaten_by is None else best.beaten_by > policy.beyond_trivial
    most = "" if best.beaten_by is None else f", better by at least {best.beaten_by:+.3f}"
    margin = f" by more than {policy.beyond_trivial:+.2f}" if policy.beyond_trivial else ""
    return Floor(
        figure="accuracy",
        demand=f"above the best judge without a thought ({best.name}, {best.accuracy:.3f}){margin}, beyond chance",
        found=f"{share:.3f}{most}",
        met=met,
    )


def excepted(policy: PassFailPolicy | PairwisePolicy, slices: Sequence[Slice]) -> list[str]:
    """Return the categories in which a judge surely agrees less with people than its floors demand of it.

    Of single answers agreement is a mean of TPR and TNR, so that below the lower of both floors one of the two is below
    its own. The bounds are Wilson's at .95 for all categories together (Bonferroni).
    """
    least = policy.accuracy if isinstance(policy, PairwisePolicy) else min(policy.tpr, policy.tnr)
    parts = [part for part in slices if part.kind == "category"]
    level = 1 - (1 - SURE) / max(len(parts), 1)
    return sorted(part.name for part in parts if wilson(part.agree, part.n, level=level).high < least)


def held_to(policy: PassFailPolicy | PairwisePolicy, held: Certificate, preset: str) -> Certificate:
    """Return a certificate as the demands of today have it; nothing is measured anew.

    Args:
        policy: What is demanded today.
        held: As it was issued, by the same or by other demands.
        preset: The preset that the demands begin with.
    """
    if isinstance(policy, PairwisePolicy) != (held.question == "pairwise"):
        return held  # it is of another question than the judge is asked today: its version says so
    sums = [sum(row) for row in held.confusion]
    counted = Counted(held.items, min(sums, default=0), held.unscored)
    if isinstance(policy, PairwisePolicy):
        again = pairwise_floors(policy, counted, held.figures, held.trivial)
    else:
        again = pass_fail_floors(policy, counted, held.figures, held.trivial)
    kept = {floor.figure: floor for floor in held.floors if floor.figure == SILENT}
    return held.model_copy(update={"floors": [kept.get(floor.figure, floor) for floor in again], "policy": preset})
