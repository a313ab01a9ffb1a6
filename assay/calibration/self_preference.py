"""Does a judge favour what its own model wrote, where it is known who wrote what?"""

from collections.abc import Mapping

from assay.calibration.certificate import Figure
from assay.calibration.ratings import Rated
from assay.errors import InsufficientDataError
from assay.stats.preference import self_preference, self_preference_of_pairs
from assay.stats.rates import Interval

FLIPPED = {"a": "b", "b": "a", "tie": "tie"}


def own_figures(found: Rated, own: Mapping[str, str]) -> list[Figure]:
    """Return how much more a judge errs in favour of its own answers than of others that people judge alike.

    Args:
        found: What people and the judge said.
        own: By item: `pass` for an answer of the judge's own model and `fail` for another's; of a pair, which of the
            two is the judge's own, `a` or `b`. An item that is not there, or `tie`, is left out.
    """
    rows = [
        (human, str(verdict.outcome), own[item.item_id])
        for item, human, verdict in zip(found.items, found.human, found.judge, strict=True)
        if own.get(item.item_id, "tie") != "tie"
    ]
    try:
        if found.items[0].question == "pairwise":
            turned = [[FLIPPED[said] if mine == "b" else said for said in both] for *both, mine in rows]
            return [_figure("self-preference", self_preference_of_pairs(*_columns(turned)))]
        human, judge, mine = ([word == "pass" for word in column] for column in _columns(rows, 3))
        both = self_preference(human, judge, mine)
    except InsufficientDataError as refusal:
        return [
            Figure(name="self-preference", estimate=None, low=None, high=None, n=0, method="none", note=str(refusal))
        ]
    return [_figure("self-preference-tpr", both.tpr), _figure("self-preference-tnr", both.tnr)]


def _columns(rows: list[list[str]] | list[tuple[str, str, str]], width: int = 2) -> list[list[str]]:
    return [[row[at] for row in rows] for at in range(width)]


def _figure(name: str, found: Interval) -> Figure:
    return Figure(name=name, estimate=found.estimate, low=found.low, high=found.high, n=found.n, method=found.method)
