"""How the held-out items were chosen, and what that does to TPR and TNR.

Items drawn at random carry both as they are. Items drawn by the judge's verdict (more of its fails than of its passes,
as it should be) do not: a raw TNR of .96 was .79 in truth (STATISTICS 3.3). Then both are corrected.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from assay.calibration.ratings import Rated
from assay.errors import InsufficientDataError
from assay.stats.corrected import Confusion, DoubleSampling, double_sampling

DRAWS = 20_000
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


def is_by_verdict(found: Rated) -> bool:
    """Tell whether the items were drawn by this judge's verdict rather than at random.

    Raises:
        InsufficientDataError: They were drawn unevenly, but not by this judge's verdicts.
    """
    seen: dict[str, dict[str, set[float | None]]] = defaultdict(lambda: defaultdict(set))
    for chance, verdict in zip(chances(found), found.judge, strict=True):
        rounded = None if chance.probability is None else round(chance.probability, CLOSE)
        seen[chance.frame][verdict.outcome].add(rounded)
    uneven = {frame: strata for frame, strata in seen.items() if len(set().union(*strata.values())) > 1}
    for frame, strata in uneven.items():
        if any(len(probabilities) > 1 for probabilities in strata.values()):
            raise InsufficientDataError(
                f"the labels of {frame!r} were drawn with unequal chances, but not by this judge's verdicts, so its "
                "TPR and TNR cannot be told from them: draw new ones with `assay labels draw`"
            )
    return bool(uneven)


def corrected(found: Rated, rng: np.random.Generator) -> DoubleSampling:
    """Return pass rate, TPR and TNR of a pass/fail judge whose labels were drawn by its verdicts.

    Raises:
        InsufficientDataError: Fewer than 50 labels, or none of one of the verdicts.

    Source:
        Begg & Greenes (1983), with Jeffreys draws; STATISTICS 3.3.
    """
    stand_for = {"pass": 0.0, "fail": 0.0}
    for chance, verdict in zip(chances(found), found.judge, strict=True):
        stand_for[verdict.outcome] += 1 / (chance.probability or 1)
    cells = list(zip(found.human, (verdict.outcome for verdict in found.judge), strict=True))
    labelled = Confusion(
        tp=cells.count(("pass", "pass")),
        fp=cells.count(("fail", "pass")),
        fn=cells.count(("pass", "fail")),
        tn=cells.count(("fail", "fail")),
    )
    passes, fails = round(stand_for["pass"]), round(stand_for["fail"])
    return double_sampling(labelled, judge_pass=passes, judged=passes + fails, rng=rng, draws=DRAWS)
