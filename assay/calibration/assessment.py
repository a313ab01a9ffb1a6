"""A judge held against people: every figure, every floor, by whatever way the labels and the verdicts came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.calibration.certificate import Figure, Floor, Slice, Trivial
from assay.calibration.figures import (
    PAIRWISE,
    PASS_FAIL,
    confusion,
    pairwise_figures,
    pass_fail_figures,
    slices,
    trivial,
)
from assay.calibration.policy import PairwisePolicy, PassFailPolicy, pairwise_floors, pass_fail_floors
from assay.calibration.ratings import Rated
from assay.calibration.scale import scale_figures
from assay.judges.declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What a certificate says of a judge, apart from who it is and until when that holds."""

    figures: list[Figure]
    floors: list[Floor]
    confusion: list[list[int]]
    """Counts, rows human, columns judge, in the order of the question's outcomes."""
    slices: list[Slice]
    trivial: list[Trivial]


def assess(
    found: Rated,
    everything: Rated,
    policy: PassFailPolicy | PairwisePolicy,
    *,
    rng: np.random.Generator,
    audits: Sequence[Figure] = (),
    scale: Declaration | None = None,
) -> Assessment:
    """Return what a judge is worth.

    Args:
        found: The items that count.
        everything: The same with constructed items, for the slices.
        policy: Of the question that the judge answers.
        rng: Source of draws and bootstraps.
        audits: Figures that the judge had to be asked for.
        scale: The judge's declaration, where it has a scale of its own; None for verdicts alone.

    Raises:
        InsufficientDataError: The labels cannot carry a figure that the policy is about; the text says what to add.
    """
    rivals = trivial(found)
    if isinstance(policy, PairwisePolicy):
        figures = [*pairwise_figures(found, rng), *audits]
        floors = pairwise_floors(policy, found, figures, rivals)
    else:
        figures = [*pass_fail_figures(found, rng), *(scale_figures(found, scale) if scale else []), *audits]
        floors = pass_fail_floors(policy, found, figures, rivals)
    classes = PAIRWISE if isinstance(policy, PairwisePolicy) else PASS_FAIL
    return Assessment(
        figures=figures,
        floors=floors,
        confusion=confusion(found, classes),
        slices=slices(everything),
        trivial=rivals,
    )
