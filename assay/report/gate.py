"""The gate: one word on a run, and the exit code that says it to a machine."""

from collections.abc import Sequence
from itertools import compress
from math import ceil
from typing import Literal

from pydantic import Field

from assay.records.record import Record
from assay.records.run import Times

Word = Literal["pass", "regression", "inconclusive", "incomplete", "uncalibrated", "judge-changed", "set-changed"]

EXIT: dict[Word, int] = {
    "pass": 0,
    "regression": 1,
    "incomplete": 3,
    "uncalibrated": 4,
    "judge-changed": 5,
    "set-changed": 6,
    "inconclusive": 7,
}
"""2 is left to usage errors and bad input, as in every command."""


MEND = (
    "`assay cases --unscored` says of each why: mend that, then run `assay nightly` again: only the failed calls are "
    "asked"
)
REPORT_BUG = "run `assay doctor`, which names the file with the traceback, and report the bug"
LABEL_BOTH = (
    "have people label answers of both versions (`assay labels draw`), then run `assay nightly` again: what was "
    "answered is kept"
)
ACCEPT = "run `assay accept` when tonight is good"
SILENT = "see why it gives none (`assay judges try` shows prompt and reply), then run `assay nightly` again"
NO_BASELINE = "there is no baseline yet"


class Evidence(Record):
    """What the decision rests on; every field is a finding of the run."""

    error_share: float
    """Share of planned cases without a score in either version because the wire or a scorer failed."""
    unscorable_share: float = 0
    """Share of planned cases that nothing scores: they have neither an expectation nor a reference."""
    max_error_share: float
    worse: list[str]
    """Where the target is worse than the baseline beyond chance; `overall` or a category."""
    low: float | None
    """Lower bound of the paired difference of pass rates; None when no pair could be compared."""
    max_drop: float
    """The drop that the policy tolerates without proof of absence."""
    estimate: float | None = None
    """The change itself; None where nothing could be compared."""
    n: int = 0
    """Cases that it is of."""
    is_of_people: bool = False
    """Is the change people's, the judge's own errors taken out of it?"""
    labels: int = 0
    """Cases labelled in both versions that the change rests on; 0 where it rests on what scorers said."""
    suspected: list[str] = Field(default=[])
    """Where it looks worse and is not proved to be."""
    look: int = 1
    """How often this version has been looked at; the later, the more it takes to prove that it is worse."""
    wanting: str = ""
    """Why what the judges said cannot let it pass; empty where it can."""
    standings: list[str]
    """What the certificate of each judge that spoke is worth today; none for a run that checks alone decided."""
    judges: list[str] = Field(default=[])
    """Their names, in the same order; without them the reason names none."""
    unwatched: str = ""
    """Why nobody can say whether a judge has changed since its certificate; empty where somebody can."""
    is_silent: bool = False
    """Is that because a judge said too little of its anchors?"""
    is_set_compared: bool
    """Has every case of the evaluation set an accepted answer to compare with?"""
    has_baseline: bool = True
    """Was anything ever accepted?"""


class Gate(Times):
    """The decision on a run, with its reason and what to do next."""

    word: Word
    reason: str
    next: str
    sentence: str
    """The first sentence of the report."""
    answers: str = ""
    """What of the answers was kept or continued, and since when, in one sentence."""


def decide(found: Evidence) -> tuple[Word, str, str]:
    """Return the word, why, and what to do next; the first rule that applies holds.

    An incomplete run proves nothing either way, so it comes first. A regression that was proved stands whatever else is
    wanting: where a judge may not be believed, `worse` and `low` must come from checks alone. Where nothing could be
    compared, the word is the reason for that: no judge to believe, no accepted answer, or else an incomplete run. A
    judge that nobody could watch may have changed: whatever it said, the run is incomplete.
    """
    if found.error_share > found.max_error_share:
        reason = (
            f"{_percent(found.error_share)} of the cases have no score, at most {_percent(found.max_error_share)} may"
        )
        return "incomplete", reason, MEND
    if found.error_share + found.unscorable_share > found.max_error_share:
        reason = f"nothing scores {_percent(found.unscorable_share)} of the cases"
        return (
            "incomplete",
            reason,
            "give each of them an expectation or a reference (`assay cases --unscored` lists them)",
        )
    if found.worse:
        return (
            "regression",
            f"worse than the baseline beyond chance: {', '.join(found.worse)}",
            "read the newly failing cases (`assay cases --failing` lists them)",
        )
    if distrusted := _distrusted(found):
        return distrusted
    if not found.has_baseline:
        return "set-changed", NO_BASELINE, ACCEPT
    if not found.is_set_compared:
        worse = f"; of the others it may be worse in {', '.join(found.suspected)}" if found.suspected else ""
        return (
            "set-changed",
            f"some cases have no accepted answer to compare with{worse}",
            f"{found.wanting}; {ACCEPT}" if found.wanting else ACCEPT,
        )
    if found.low is None and not found.wanting:
        return "incomplete", "no case has a score in both versions", MEND
    return _undecided(found) or (
        "pass",
        "no worse than the baseline within the tolerated drop",
        "run `assay accept` to make it the baseline",
    )


def _undecided(found: Evidence) -> tuple[Word, str, str] | None:
    """Return why a run that is not worse may not pass either; None where it may."""
    if found.suspected:
        look = f"after {found.look} looks at this version" if found.look > 1 else "not surely enough"
        reason = f"it may be worse in {', '.join(found.suspected)}, {look}"
        if found.wanting:
            return "inconclusive", f"{reason}; {found.wanting}", LABEL_BOTH
        then = "read the newly failing cases (`assay cases --failing`); more trials, or labels on them, would decide"
        return "inconclusive", reason, then
    if found.low is not None and found.low < -found.max_drop:
        people = ", the judge's own errors counted," if found.is_of_people else ""
        reason = (
            f"a drop of {_points(found.low)} points{people} cannot be excluded, at most {_points(found.max_drop)} are "
            "tolerated"
        )
        return "inconclusive", reason, _more(found)
    if found.wanting:
        return "inconclusive", found.wanting, LABEL_BOTH
    return None


def _more(found: Evidence) -> str:
    """Return how many cases, or labels, would decide, if the change stays what it is."""
    if found.low is None or found.estimate is None or found.estimate <= -found.max_drop:
        return "as it looks, the drop is larger than is tolerated: more cases or trials would prove it"
    room, half = found.estimate + found.max_drop, found.estimate - found.low
    if found.labels:
        needed = ceil(found.labels * (half / room) ** 2)
        return f"have people label more: some {needed:,} changed cases labelled in both versions would decide"
    then = "; labels that tell more of the judge (`assay labels draw`) help too" if found.is_of_people else ""
    return f"add cases or trials: some {ceil(found.n * (half / room) ** 2):,} cases like these would decide{then}"


def _distrusted(found: Evidence) -> tuple[Word, str, str] | None:
    """Return what follows from a judge that may not be believed; None where there is no such judge."""
    if "judge-changed" in found.standings:
        return "judge-changed", "the judge is not the one that was calibrated", "run `assay calibrate`"
    if found.unwatched:
        return "incomplete", found.unwatched, SILENT if found.is_silent else REPORT_BUG
    if unproved := sorted(set(found.standings) - {"valid"}):
        reason = "; ".join(_worth(found, standing) for standing in unproved)
        first = next(iter(_named(found, unproved)), "")
        which = f" --judge {first}" if first else ""
        label = f"have people label answers (`assay labels draw{which}` draws them), then run `assay calibrate`"
        return "uncalibrated", reason, f"{label}; `assay next` says what each judge lacks"
    return None


def _named(found: Evidence, standings: Sequence[str]) -> list[str]:
    """Return the judges whose certificates are worth so little."""
    return list(compress(found.judges, (worth in standings for worth in found.standings)))


def _worth(found: Evidence, standing: str) -> str:
    """Return of which judges the certificate is worth so little."""
    named = _named(found, [standing])
    who = " and ".join(named) or "a judge"
    verb = "have" if len(named) > 1 else "has"
    if standing == "failed":
        return f"{who} failed a floor of the certificate"
    return f"{who} {verb} no certificate" if standing == "none" else f"the certificate of {who} is {standing}"


def _points(share: float) -> str:
    return f"{100 * abs(share):.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
