"""Night after night: has the judged pass rate dropped, and was it the product or its judge?

The anchors are the same answers every night, so only the judge can move them. The first 14 nights after a certificate
say how much it moves them by itself; those after an accepted version, how the product's rate varies. Of a date that was
run several times the last run that asked the judge counts, once.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from assay.calibration.certificate import AnchorNight
from assay.calibration.policy import MAX_UNSCORED
from assay.errors import InsufficientDataError
from assay.records.history import last_runs
from assay.records.record import Record
from assay.records.verdict import Verdict
from assay.report.wording import percent
from assay.stats.detector import GUARD_NIGHTS, MIN_NIGHTS, Baseline, Direction, Night, State, attribute, baseline, watch

STREAMS = 2
"""Of one judge: its anchors, and what it says of the product."""


class Watch(Record):
    """What the nights since a judge's certificate say of it, and of the product."""

    state: Literal["learning", "quiet", "judge", "product", "undecided"]
    nights: int
    """Dates since the certificate, tonight included."""
    anchors: int
    """Tonight's, with a verdict."""
    flips: int
    """Those that are judged otherwise than at the certificate."""
    sentence: str


def watched(rows: Iterable[AnchorNight], judge: str, *, judges: int) -> Watch | None:
    """Return what is known of a judge tonight; None before its first night.

    Args:
        rows: One a judge and run, in any order.
        judge: The judge.
        judges: How many are watched; together they share one false alarm a year.
    """
    mine = sorted((row for row in rows if row.judge == judge), key=lambda row: (row.night, row.run))
    if not mine:
        return None
    since = last_runs(row for row in mine if row.issued == mine[-1].issued and row.anchors)
    accepted = [row for row in since if row.baseline == mine[-1].baseline and row.judged]
    anchors = _detector([Night(events=row.flips, n=row.anchors) for row in since], "increase", judges)
    suite = _detector([Night(events=row.passed, n=row.judged) for row in accepted], "drop", judges)
    state, sentence = _word(anchors, suite, since, accepted)
    last = mine[-1]
    return Watch(state=state, nights=len(since), anchors=last.anchors, flips=last.flips, sentence=sentence)


def unheard(name: str, rows: Sequence[Verdict]) -> list[str]:
    """Return why nobody can tell whether a judge is the one that was certified: it said too little of its anchors."""
    anchors = [row for row in rows if row.subject == "anchor"]
    silent = sum(row.status != "ok" for row in anchors)
    if silent <= MAX_UNSCORED * len(anchors):
        return []
    return [f"{name} gave no verdict on {silent} of {len(anchors)} anchors, so nobody can tell whether it has changed"]


def _word(
    anchors: State | None, suite: State | None, since: Sequence[AnchorNight], accepted: Sequence[AnchorNight]
) -> tuple[Literal["learning", "quiet", "judge", "product", "undecided"], str]:
    if anchors and anchors.alarms:
        night = since[MIN_NIGHTS + anchors.alarms[0] - 1].night
        return "judge", (
            f"the judge has changed: since {night} it says of more anchors than usual what it did not say when it was "
            f"certified ({_flips(since[-1])}; usual {percent(anchors.baseline.rate)})"
        )
    if suite and suite.alarms:
        return _dropped(suite, since, accepted, is_watched=anchors is not None)
    if anchors is None or suite is None:
        known = min(len(since), len(accepted))
        return "learning", (
            f"{_flips(since[-1]) if since else 'no anchor has a verdict'}; "
            f"{known} of the {MIN_NIGHTS} nights that tell what is usual are there"
        )
    usual = f"{_flips(since[-1])}, usual {percent(anchors.baseline.rate)}"
    return "quiet", f"{usual}; what it says of the product has not dropped either"


def _dropped(
    suite: State, since: Sequence[AnchorNight], accepted: Sequence[AnchorNight], *, is_watched: bool
) -> tuple[Literal["product", "undecided"], str]:
    """Say who changed when the product's rate has dropped and the anchors have not moved."""
    night = accepted[MIN_NIGHTS + suite.alarms[0] - 1].night
    dropped = f"the judged pass rate has dropped on {night}"
    if not is_watched:
        return "undecided", f"{dropped}; whether the judge moved cannot be told before {MIN_NIGHTS} nights of anchors"
    monitored = [Night(events=row.flips, n=row.anchors) for row in accepted[MIN_NIGHTS:]]
    held: Baseline = baseline([Night(events=row.flips, n=row.anchors) for row in since[:MIN_NIGHTS]], "increase")
    if attribute(suite, watch(held, monitored)) == "product":
        return "product", f"the product has changed, not its judge: {dropped}, and no anchor has moved since"
    left = suite.alarms[0] + GUARD_NIGHTS - suite.nights
    return "undecided", f"{dropped}; whether the product or its judge changed, {left} more nights of anchors will tell"


def _detector(nights: Sequence[Night], direction: Direction, judges: int) -> State | None:
    """Return the detector after all nights but the first, which it is held against; None while those are too few."""
    if len(nights) < MIN_NIGHTS:
        return None
    try:
        held = baseline(nights[:MIN_NIGHTS], direction)
    except InsufficientDataError:
        return None
    return watch(held, nights[MIN_NIGHTS:], streams=STREAMS * judges)


def _flips(row: AnchorNight) -> str:
    return f"{row.flips} of {row.anchors} anchors are judged otherwise than at the certificate"
