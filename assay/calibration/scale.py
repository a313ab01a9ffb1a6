"""The scale of a judge that gives labels or scores: how far it agrees with people beyond pass and fail."""

from collections import Counter
from collections.abc import Sequence
from statistics import median_low

from assay.calibration import selection
from assay.calibration.certificate import Figure
from assay.calibration.figures import BY_VERDICT, kappa_figure
from assay.calibration.ratings import Rated
from assay.judges.declaration import Declaration
from assay.records.label import Label
from assay.stats import agreement

KAPPA = "kappa-scale"
NO_WORD = "no item has a label of people in the judge's own scale: label some with it"


def scale_figures(found: Rated, declared: Declaration) -> list[Figure]:
    """Return kappa on the judge's own scale: of labels as they are, of scores with quadratic weights.

    Several people's word on an item is their commonest label, or the lower median of their scores; an item whose
    commonest labels draw level is left out.

    Source:
        Cohen (1968), Weighted kappa.
    """
    if declared.question not in ("labels", "score"):
        return []
    human = _human(found.labels, declared)
    pairs = [
        (human[item.item_id], verdict.label)
        for item, verdict in zip(found.items, found.judge, strict=True)
        if item.item_id in human and verdict.label in declared.verdicts
    ]
    weights: agreement.Weights = "quadratic" if declared.question == "score" else "none"
    place = declared.verdicts.index
    if not pairs:
        return [Figure(name=KAPPA, estimate=None, low=None, high=None, n=0, method="none", note=NO_WORD)]
    table = agreement.cross_table(
        [place(mine) for mine, _ in pairs], [place(theirs) for _, theirs in pairs], classes=len(declared.verdicts)
    )
    figure = kappa_figure(KAPPA, agreement.cohen(table, weights=weights).estimate, len(pairs), table, weights)
    return [figure.model_copy(update={"note": BY_VERDICT}) if selection.is_uneven(found) else figure]


def _human(labels: Sequence[Label], declared: Declaration) -> dict[str, str]:
    """Return people's word on each item, in the judge's scale."""
    said: dict[str, list[str]] = {}
    for label in labels:
        if label.label in declared.verdicts:
            said.setdefault(label.item_id, []).append(label.label)
    if declared.question == "score":
        return {item_id: str(median_low(map(int, words))) for item_id, words in said.items()}
    counts = {item_id: Counter(words).most_common(2) for item_id, words in said.items()}
    return {item_id: first[0][0] for item_id, first in counts.items() if len(first) == 1 or first[0][1] > first[1][1]}
