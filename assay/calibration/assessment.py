"""A judge held against people: every figure, every floor, by whatever way the labels and the verdicts came."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.calibration.certificate import AnnotatorFigure, ClassFigure, Figure, Floor, Slice, Trivial
from assay.calibration.figures import (
    PAIRWISE,
    PASS_FAIL,
    confusion,
    pairwise_figures,
    parts,
    pass_fail_figures,
    rival,
    slices,
    trivial,
    unscored_as_wrong,
)
from assay.calibration.policy import (
    NominalPolicy,
    PairwisePolicy,
    PassFailPolicy,
    PreferencePolicy,
    ScalePolicy,
    ScorePolicy,
    answered,
    counted,
    excepted,
    pairwise_floors,
    pass_fail_floors,
    scale_floors,
)
from assay.calibration.ratings import Rated
from assay.calibration.scale import (
    Ratings,
    annotator_figures,
    class_figures,
    macro_figures,
    nominal_figures,
    one_figures,
    people_figures,
    preference_figures,
    ratings_of,
    scale_figures,
    score_figures,
    signs,
)
from assay.calibration.selection import is_uneven
from assay.judges.declaration import Declaration
from assay.stats.agreement import cross_table
from assay.stats.alternative import EPSILON
from assay.stats.each_annotator import NONE


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What a certificate says of a judge, apart from who it is and until when that holds."""

    figures: list[Figure]
    floors: list[Floor]
    confusion: list[list[int]]
    """Counts, rows human, columns judge, in the order of the question's outcomes."""
    slices: list[Slice]
    trivial: list[Trivial]
    by_class: list[ClassFigure]
    by_annotator: list[AnnotatorFigure]
    excepted: list[str] = field(default_factory=list)
    """Categories of what counts in which the judge surely agrees too little with people."""


def assess(
    found: Rated,
    everything: Rated,
    policy: PassFailPolicy | PairwisePolicy,
    *,
    rng: np.random.Generator,
    audits: Sequence[Figure] = (),
    scale: Declaration | None = None,
    epsilon: float = EPSILON,
) -> Assessment:
    """Return what a judge is worth.

    Args:
        found: The items that count.
        everything: The same with constructed items, for the slices.
        policy: Of the question that the judge answers.
        rng: Source of draws and bootstraps.
        audits: Figures that the judge had to be asked for.
        scale: The judge's declaration, where it has a scale of its own; None for verdicts alone.
        epsilon: Of the alternative annotator test.

    Raises:
        InsufficientDataError: The labels cannot carry a figure that the policy is about; the text says what to add.
    """
    rivals, ratings = trivial(found), ratings_of(found, scale)
    has_own = scale is not None and scale.question in ("labels", "score")
    is_weighted = not has_own and is_uneven(found)
    if isinstance(policy, PairwisePolicy):
        figures = [*pairwise_figures(found, rng, epsilon=epsilon), *one_figures(ratings), *audits]
        floors = pairwise_floors(policy, counted(found), figures, rivals)
    else:
        figures = pass_fail_figures(found, rng, epsilon=epsilon)
        if scale is not None and has_own:
            figures += scale_figures(found, scale, rng)
        elif not is_weighted:
            figures += macro_figures(ratings, rng)
        figures += audits
        floors = pass_fail_floors(policy, counted(found), figures, rivals)
    return Assessment(
        figures=figures,
        floors=floors,
        confusion=confusion(found, PAIRWISE if isinstance(policy, PairwisePolicy) else PASS_FAIL),
        slices=slices(everything),
        trivial=rivals,
        excepted=excepted(policy, slices(found)),
        by_class=[] if isinstance(policy, PairwisePolicy) or is_weighted else class_figures(ratings),
        by_annotator=annotator_figures(ratings),
    )


def assess_scale(
    found: Ratings,
    groups: Sequence[str],
    policy: ScalePolicy,
    *,
    rng: np.random.Generator,
    epsilon: float = EPSILON,
) -> Assessment:
    """Return what a judge is worth by a scale of labels, scores or preferences alone.

    Args:
        found: What people and the judge said.
        groups: The name of each item's part, shape (items,).
        policy: Of the scale.
        rng: Source of bootstraps.
        epsilon: As for `assess`.

    Raises:
        InsufficientDataError: As for `assess`.
    """
    if isinstance(policy, ScorePolicy) and not found.has_steps:
        return _fine(found, policy, rng, epsilon)
    graded = signs(found) if isinstance(policy, PreferencePolicy) else found
    human = graded.settled()
    both = (human != NONE) & (graded.judge != NONE)
    table = cross_table(human[both], graded.judge[both], classes=len(graded.classes))
    n, counts = int(both.sum()), table.sum(axis=1)
    agreed, common = human[both] == graded.judge[both], human[both] == int(counts.argmax())
    rivals = [rival("constant", float(counts.max()) / n, agreed.tolist(), common.tolist())]
    wanted = {"labelled items": (n, policy.min_labels)}
    if isinstance(policy, NominalPolicy):
        wanted["outside the commonest class"] = (n - int(counts.max()), policy.min_rarer)
    unscored = int(((human != NONE) & (graded.judge == NONE)).sum())
    own = [*_own_figures(found, policy, rng), *unscored_as_wrong(int(table.trace()), n, unscored)]
    known = {figure.name for figure in own}
    figures = [*own, *(figure for figure in people_figures(graded, rng, epsilon) if figure.name not in known)]
    kept = np.flatnonzero(both)
    return Assessment(
        figures=figures,
        floors=[*scale_floors(policy, wanted, figures, rivals), answered(unscored, n)],
        confusion=table.astype(int).tolist(),
        slices=parts(
            [("category", [groups[int(index)] for index in kept])],
            human[both],
            graded.judge[both],
            classes=len(graded.classes),
            weights=graded.weights,
        ),
        trivial=rivals,
        by_class=class_figures(graded) if isinstance(policy, NominalPolicy) else [],
        by_annotator=annotator_figures(graded),
    )


def _fine(found: Ratings, policy: ScorePolicy, rng: np.random.Generator, epsilon: float) -> Assessment:
    """Return what a judge is worth by scores that have no steps: nobody counts how often two of them are equal."""
    is_settled, is_scored = found.is_settled(), found.judge != NONE
    n, unscored = int((is_settled & is_scored).sum()), int((is_settled & ~is_scored).sum())
    figures = [*score_figures(found, rng), *people_figures(found, rng, epsilon)]
    floors = [*scale_floors(policy, {"labelled items": (n, policy.min_labels)}, figures, []), answered(unscored, n)]
    return Assessment(figures=figures, floors=floors, confusion=[], slices=[], trivial=[], by_class=[], by_annotator=[])


def _own_figures(found: Ratings, policy: ScalePolicy, rng: np.random.Generator) -> list[Figure]:
    if isinstance(policy, NominalPolicy):
        return nominal_figures(found, rng)
    return preference_figures(found, rng) if isinstance(policy, PreferencePolicy) else score_figures(found, rng)
