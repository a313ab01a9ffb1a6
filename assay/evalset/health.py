"""Case health: which cases no longer tell anything, or tell it unreliably?

Each rule looks at a case's nights at its present revision, and proposes with its figures; a person decides. An outcome
is `pass` or `fail` in all trials by the scorers that could be believed that night, or none at all; a night without an
outcome is neither. Of a date that was run several times the last run counts, once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal, NamedTuple

from pydantic import Field

from assay.records.case import Case
from assay.records.category import Category
from assay.records.history import KEPT, CaseNight, folded, last_runs, unfolded
from assay.records.record import Record
from assay.stats.rates import wilson

Kind = Literal["saturated", "flaky", "stale", "never-discriminates"]


class Rules(Record):
    """When to propose something: `publish.health` of params.yaml."""

    nights: int = Field(default=30, ge=30, le=KEPT)
    """How many of the last nights with an outcome a case must have passed, or must not have told versions apart in."""
    versions: int = Field(default=3, ge=2)
    """How many target versions must have been among them."""
    flips: float = Field(default=0.1, gt=0, lt=1)
    """Share of night pairs with the same target, judge and revision of which surely more differ in a flaky case."""
    days: int = Field(default=365, ge=30)
    """How long a case may stay as it is before somebody looks at it again."""


class Proposal(Record):
    """Why somebody should look at a case."""

    case_id: str
    kind: Kind
    reason: str
    category: str
    owner: str
    after: str
    """What the category's quota says once this case alone is retired."""


class Outcome(NamedTuple):
    """What came of a case in one night."""

    night: CaseNight
    is_pass: bool
    is_apart: bool
    """Target and baseline differ in it."""


def recorded(history: Sequence[CaseNight], tonight: CaseNight) -> list[CaseNight]:
    """Return the history with the row of one more run, as it is filed.

    Args:
        history: As it was recorded before.
        tonight: The new row, with all revisions; it takes the place of an earlier one of the same run, or, where runs
            had no id, of the same date.
    """
    rows = {row.run or row.night: row for row in (*unfolded(history), tonight)}
    return folded(rows.values())


def outcomes(case: Case, history: Sequence[CaseNight]) -> list[Outcome]:
    """Return what came of a case, night by night, at its present revision.

    Args:
        case: The case.
        history: Unfolded.
    """
    revision = case.revision()
    return [
        Outcome(row, case.case_id not in row.failed, case.case_id in row.differing)
        for row in history
        if row.revisions.get(case.case_id) == revision and case.case_id not in row.unscored
    ]


def proposals(
    cases: Sequence[Case],
    taxonomy: Sequence[Category],
    history: Sequence[CaseNight],
    since: Mapping[str, datetime],
    rules: Rules,
    now: datetime,
) -> list[Proposal]:
    """Return what to look at, by category and case; a case may be proposed for several reasons.

    Args:
        cases: The set.
        taxonomy: Its categories.
        history: The nights on record.
        since: By case: when somebody admitted it as it is.
        rules: When to propose.
        now: The moment.
    """
    nights = last_runs(unfolded(history))
    by_case = {case.case_id: outcomes(case, nights) for case in cases}
    is_telling = any(_tells(found) for found in by_case.values())
    kinds: list[tuple[Kind, Callable[[Case], str]]] = [
        ("saturated", lambda case: saturated(by_case[case.case_id], rules)),
        ("flaky", lambda case: flaky(by_case[case.case_id], rules)),
        ("stale", lambda case: stale(since.get(case.case_id), rules, now)),
        ("never-discriminates", lambda case: silent(by_case[case.case_id], rules) if is_telling else ""),
    ]
    found = []
    for case in sorted(cases, key=lambda one: (one.category, one.case_id)):
        reasons = [(kind, why) for kind, rule in kinds if (why := rule(case))]
        found += [_proposal(case, kind, why, cases, taxonomy) for kind, why in reasons]
    return found


def saturated(found: Sequence[Outcome], rules: Rules) -> str:
    """Return why a case is too easy: it never failed in its last nights, whatever the version; empty if it is not."""
    last = found[-rules.nights :]
    targets = {one.night.target for one in last}
    if len(last) < rules.nights or len(targets) < rules.versions or not all(one.is_pass for one in last):
        return ""
    return f"passed in each of the last {len(last)} nights with an outcome, by {len(targets)} versions of the target"


def flaky(found: Sequence[Outcome], rules: Rules) -> str:
    """Return why a case cannot be relied on: it flips though nothing changed; empty if it does not, or not surely.

    Of all pairs of successive nights with the same target and judge, surely more than the share `rules.flips` differ:
    the lower bound of a 95 % Wilson interval is above it. Two pairs that share a night are counted as two, so a single
    odd night weighs twice; the interval is a guide for a person, not a test.
    """
    pairs = [(one, two) for one, two in pairwise(found) if _asked_alike(one) == _asked_alike(two)]
    flips = sum(one.is_pass != two.is_pass for one, two in pairs)
    if not pairs:
        return ""
    share = wilson(flips, len(pairs))
    if share.low <= rules.flips:
        return ""
    return (
        f"flipped in {flips} of {len(pairs)} pairs of nights with the same target and judge "
        f"({100 * share.estimate:.0f} %, 95 % interval {100 * share.low:.0f} to {100 * share.high:.0f} %)"
    )


def stale(since: datetime | None, rules: Rules, now: datetime) -> str:
    """Return why a case may be out of date: nobody has touched it for long; empty if somebody has."""
    if since is None:
        return ""
    days = (now - since).days
    return f"as it is since {since:%Y-%m-%d}, {days} days ago" if days > rules.days else ""


def silent(found: Sequence[Outcome], rules: Rules) -> str:
    """Return why a case tells nothing apart: one outcome for all versions and the baseline, though it is not always a
    pass, for which `saturated` is the word; empty if it does, or is too young to tell."""  # noqa: D205, D209
    last = found[-rules.nights :]
    targets = {one.night.target for one in last}
    if len(last) < rules.nights or len(targets) < min(rules.versions, 2) or _tells(last) or saturated(found, rules):
        return ""
    return (
        f"{'passed' if last[0].is_pass else 'failed'} in each of the last {len(last)} nights with an outcome, by "
        f"{len(targets)} versions of the target and by the baseline, while other cases told versions apart"
    )


def _tells(found: Sequence[Outcome]) -> bool:
    """Tell whether a case ever had two outcomes, over time or against the baseline."""
    return any(one.is_apart for one in found) or len({one.is_pass for one in found}) > 1


def _asked_alike(one: Outcome) -> tuple[str, str]:
    return one.night.target, one.night.judge


def _proposal(case: Case, kind: Kind, why: str, cases: Sequence[Case], taxonomy: Sequence[Category]) -> Proposal:
    quota = next((one.quota for one in taxonomy if one.category == case.category), 0)
    left = sum(one.category == case.category for one in cases) - 1
    short = f", {quota - left} below quota: write another one first" if left < quota else ""
    return Proposal(
        case_id=case.case_id,
        kind=kind,
        reason=why,
        category=case.category,
        owner=case.owner,
        after=f"{left} of {quota}{short}",
    )


def admitted_since(words: Iterator[tuple[Case, datetime]]) -> dict[str, datetime]:
    """Return since when each case is as it is.

    Args:
        words: The admitting words of the log in order: the case, and when.
    """
    found: dict[str, tuple[str, datetime]] = {}
    for case, at in words:
        if found.get(case.case_id, ("", at))[0] != case.revision():
            found[case.case_id] = case.revision(), at
    return {name: at for name, (_, at) in found.items()}
