"""How the held-out items were chosen, and what that does to TPR and TNR.

Items drawn at random carry both as they are. Items drawn by a judge's verdict (more of its fails than of its passes, as
it should be) do not: a raw TNR of .96 was .79 in truth (STATISTICS 3.3). Then both are corrected, by the chance that
each item had, so that it does not matter whose verdict that was, nor whether this judge says the same again.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from assay.calibration.ratings import Rated
from assay.stats.sampled import FAILED, PASSED, DoubleSampling, Part, of_parts

DRAWS = 20_000
LEAST = 20
"""Labels below which no rate is corrected; how many a certificate needs beyond them is its policy's matter."""
CLOSE = 6
"""Digits to which two chances of being drawn are compared."""


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
    human: dict[float, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    sizes: dict[float, float] = defaultdict(float)
    for chance, outcome, verdict in zip(chances(found), found.human, found.judge, strict=True):
        one = chance.probability or 1
        sizes[round(one, CLOSE)] += 1 / one
        words = human[round(one, CLOSE)]
        words[PASSED if verdict.outcome == "pass" else FAILED].append(float(outcome == "pass"))
    parts = [
        Part(
            human_of_passed=np.array(words[PASSED]),
            human_of_failed=np.array(words[FAILED]),
            size=sizes[chance],
        )
        for chance, words in sorted(human.items())
    ]
    return of_parts(parts, is_finite=False, least=LEAST, rng=rng, draws=DRAWS)
