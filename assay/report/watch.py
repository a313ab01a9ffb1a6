"""Night after night: has the judged pass rate dropped, and was it the product or its judge?

The anchors are the same answers every night, so only the judge can move them. The first 14 nights of a certified judge
say how much it moves them by itself, and a renewed certificate of the same judge keeps them; those of an accepted
version say how the product's rate varies. Of a date that was run several times the last run that asked the judge
counts, once.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Literal

from scipy.stats import binom

from assay.calibration.certificate import AnchorNight
from assay.calibration.policy import MAX_UNSCORED
from assay.errors import InsufficientDataError
from assay.records.history import last_runs, place
from assay.records.record import Record
from assay.records.verdict import Verdict
from assay.report.wording import percent
from assay.stats.detector import GUARD_NIGHTS, MIN_NIGHTS, Baseline, Direction, Night, State, attribute, baseline, watch

USUAL = 0.1
"""Share of verdicts that a judge may turn over where its certificate does not say."""
SUDDEN = 1e-4
"""Chance of so many flips on one night, beyond which they are none of a judge that is as it was."""
UNHEARD = "gave no verdict on"
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


def watched(rows: Iterable[AnchorNight], judge: str, *, judges: int, usual: float = USUAL) -> Watch | None:
    """Return what is known of a judge tonight; None before its first night.

    Args:
        rows: One a judge and run, in any order.
        judge: The judge.
        judges: How many are watched; together they share one false alarm a year.
        usual: Share of its verdicts that it turns over at most when it is asked again, by its certificate.
    """
    mine = sorted((row for row in rows if row.judge == judge), key=place)
    if not mine:
        return None
    last = mine[-1]
    watched_on = [row for row in mine if row.anchors and _is_of(row, last)]
    anchors = _Stream(
        last_runs(watched_on),
        lambda row: Night(events=row.flips, n=row.anchors),
        "increase",
        last,
        judges,
    )
    suite = _Stream(
        last_runs(row for row in watched_on if row.judged and row.baseline == last.baseline),
        lambda row: Night(events=row.passed, n=row.judged),
        "drop",
        last,
        judges,
    )
    found = _word(anchors, suite)
    state, sentence = found if found[0] == "judge" else _sudden(last, usual) or found
    since = [row for row in anchors.rows if row.issued == last.issued]
    return Watch(state=state, nights=len(since), anchors=last.anchors, flips=last.flips, sentence=sentence)


def _sudden(last: AnchorNight, usual: float) -> tuple[Literal["judge"], str] | None:
    """Return that the judge has changed where one night shows it by itself, before or after the fortnight."""
    if not last.anchors or binom.sf(last.flips - 1, last.anchors, min(usual, 1.0)) > SUDDEN:
        return None
    return "judge", (
        f"the judge has changed: {_flips(last)}, and by its certificate it turns over {percent(usual)} of its verdicts "
        "at most"
    )


def _is_of(row: AnchorNight, last: AnchorNight) -> bool:
    """Tell whether a night is of the judge that is certified now, by whichever of its certificates."""
    return row.issued == last.issued or (row.fingerprint != "" and row.fingerprint == last.fingerprint)


class _Stream:
    """The nights of one figure: those that tell what is usual, and those since the certificate that are watched."""

    def __init__(
        self,
        rows: list[AnchorNight],
        count: Callable[[AnchorNight], Night],
        direction: Direction,
        last: AnchorNight,
        judges: int,
    ) -> None:
        self.rows, self.watched = rows, [row for row in rows[MIN_NIGHTS:] if row.issued == last.issued]
        self.held: Baseline | None = None
        self.state: State | None = None
        if len(rows) < MIN_NIGHTS:
            return
        with suppress(InsufficientDataError):
            self.held = baseline([count(row) for row in rows[:MIN_NIGHTS]], direction)
            self.state = watch(self.held, map(count, self.watched), streams=STREAMS * judges)

    @property
    def alarm(self) -> str:
        """Return the night of the first alarm; empty where there is none."""
        return self.watched[self.state.alarms[0] - 1].night if self.state and self.state.alarms else ""


def unheard(name: str, rows: Sequence[Verdict]) -> list[str]:
    """Return why nobody can tell whether a judge is the one that was certified: it said too little of its anchors."""
    anchors = [row for row in rows if row.subject == "anchor"]
    silent = sum(row.status != "ok" for row in anchors)
    if silent <= MAX_UNSCORED * len(anchors):
        return []
    return [f"{name} {UNHEARD} {silent} of {len(anchors)} anchors, so nobody can tell whether it has changed"]


def _word(
    anchors: _Stream, suite: _Stream
) -> tuple[Literal["learning", "quiet", "judge", "product", "undecided"], str]:
    last = anchors.rows[-1] if anchors.rows else None
    if anchors.held and anchors.alarm and last:
        return "judge", (
            f"the judge has changed: since {anchors.alarm} it says of more anchors than usual what it did not say when "
            f"it was certified ({_flips(last)}; usual {percent(anchors.held.rate)})"
        )
    if suite.alarm:
        return _dropped(anchors, suite)
    if anchors.held is None or suite.held is None or last is None:
        return "learning", (
            f"{_flips(last) if last else 'no anchor has a verdict'}; "
            f"{len(suite.rows)} of the {MIN_NIGHTS} nights that tell what is usual are there"
        )
    usual = f"{_flips(last)}, usual {percent(anchors.held.rate)}"
    return "quiet", f"{usual}; what it says of the product has not dropped either"


def _dropped(anchors: _Stream, suite: _Stream) -> tuple[Literal["product", "undecided"], str]:
    """Say who changed when the product's rate has dropped and the anchors have not moved."""
    dropped = f"the judged pass rate has dropped on {suite.alarm}"
    if anchors.held is None or suite.state is None:
        return "undecided", f"{dropped}; whether the judge moved cannot be told before {MIN_NIGHTS} nights of anchors"
    meanwhile = watch(anchors.held, [Night(events=row.flips, n=row.anchors) for row in suite.watched])
    if attribute(suite.state, meanwhile) == "product":
        return "product", f"the product has changed, not its judge: {dropped}, and no anchor has moved since"
    left = suite.state.alarms[0] + GUARD_NIGHTS - suite.state.nights
    return "undecided", f"{dropped}; whether the product or its judge changed, {left} more nights of anchors will tell"


def _flips(row: AnchorNight) -> str:
    return f"{row.flips} of {row.anchors} anchors are judged otherwise than at the certificate"
