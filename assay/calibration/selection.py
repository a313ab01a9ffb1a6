"""How the held-out items were chosen, and what that does to TPR and TNR.

Items drawn at random carry both as they are. Items drawn by a judge's verdict (more of its fails than of its passes, as
it should be) do not: a raw TNR of .96 was .79 in truth (STATISTICS 3.3). Then both are corrected, by the chance that
each item had, so that it does not matter whose verdict that was, nor whether this judge says the same again.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from assay.calibration.ratings import Rated
from assay.stats.sampled import CLOSE, DoubleSampling, Part, by_chance, of_parts

DRAWS = 20_000
LEAST = 20
"""Labels below which no rate is corrected; how many a certificate needs beyond them is its policy's matter."""


class Chance(NamedTuple):
    """How an item came to be labelled."""

    frame: str
    probability: float | None
    """None for an item that nobody drew: a row of a file that says nothing of it, or one that was constructed."""


def chances(found: Rated) -> list[Chance]:
    """Return the chance of every item, in order."""
    by_item = {label.item_id: Chance(label.sampling_frame, label.inclusion_probability) for label in found.labels}
    return [by_item[item.item_id] for item in found.items]


def is_uneven(found: Rated) -> bool:
    """Tell whether some items were drawn with another chance than others of their frame: then rates are weighted."""
    seen: dict[str, set[float | None]] = defaultdict(set)
    for chance in chances(found):
        seen[chance.frame].add(None if chance.probability is None else round(chance.probability, CLOSE))
    return any(len(probabilities) > 1 for probabilities in seen.values())


def corrected(found: Rated, rng: np.random.Generator) -> DoubleSampling:
    """Return pass rate, TPR and TNR of a pass/fail judge whose labels were drawn with unequal chances.

    Every label stands for as many answers as its chance says, whatever verdict of whichever judge it was drawn by.

    Raises:
        InsufficientDataError: Fewer than 20 labels.

    Source:
        Begg & Greenes (1983), with Jeffreys draws; STATISTICS 3.3.
    """
    exact = [chance.probability or 1 for chance in chances(found)]
    rounded = [round(chance, CLOSE) for chance in exact]
    sizes: dict[float, float] = defaultdict(float)
    for chance, near in zip(exact, rounded, strict=True):
        sizes[near] += 1 / chance
    human = by_chance(
        (near, verdict.outcome == "pass", float(outcome == "pass"))
        for near, outcome, verdict in zip(rounded, found.human, found.judge, strict=True)
    )
    parts = [
        Part(human_of_passed=passed, human_of_failed=failed, size=sizes[chance])
        for chance, (passed, failed) in human.items()
    ]
    return of_parts(parts, is_finite=False, least=LEAST, rng=rng, draws=DRAWS)
