"""What a run found: the outcome of every case, where the planned ones went, and what judges of pairs prefer.

A case is the unit. It passes when all its blocking scorers pass in all its trials, and it has no outcome when any of
them gave none or is missing: an error can neither raise nor lower a rate. Preference is read from the first trial
alone, since an interval over all of them would count one case several times.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from assay.judges.prompt import JudgePrompt
from assay.judges.questions import expects
from assay.records.case import Case
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import CHECK, IDENTICAL, Subject, Verdict
from assay.stats import pairs
from assay.stats.rates import Interval, wilson

CaseOutcome = Literal["pass", "fail", "wire", "judge", "unscorable"]
"""`wire`: a call to the product failed; `judge`: a scorer gave no verdict; `unscorable`: the case has no expectation,
and no blocking judge is asked about it. None of them is an outcome of the product."""
LEVEL = 0.95
EXCEPTED = "its judge is certified except for this category, and no check decides it"
NOTHING_SCORES = "nothing scores this case: add an expectation, or what a judge requires (`assay judges` lists it)"


class Rate(Record):
    """A share with its interval, the number of cases behind it and how it was estimated."""

    estimate: float
    low: float
    high: float
    n: int
    method: str
    level: float = 0.95
    """Confidence level of the interval; higher where the figure was selected among many."""


class Accounting(Record):
    """Where every planned case went; the parts sum to `planned`."""

    planned: int
    passed: int
    product_failed: int
    format_failed: int
    """Of `product_failed`: what failed could not be read as what it had to be, and nothing was found wrong in it."""
    judge_failed: int
    wire_failed: int
    unscorable: int = 0
    """Cases with neither an expectation nor a reference: nobody was asked about them."""
    reasons: dict[str, int]
    """Of the failures of judge and wire, by kind."""

    @property
    def answer_failed(self) -> int:
        """Return the failures of the product that are wrong answers."""
        return self.product_failed - self.format_failed

    @property
    def answered(self) -> Rate | None:
        """Return the pass rate of the cases that have an outcome; None where none has."""
        n = self.passed + self.product_failed
        return rate(wilson(self.passed, n)) if n else None

    @property
    def excepted(self) -> int:
        """Return the cases that nobody decides since their judge is not certified for them; part of `unscorable`."""
        return self.reasons.get(EXCEPTED, 0)

    @property
    def lost(self) -> int:
        """Return the planned cases without an outcome."""
        return self.judge_failed + self.wire_failed + self.unscorable


class Preference(Record):
    """How often the pairwise judge prefers the target, ties as half, and how often the order decided."""

    win_rate: Rate
    conflict: Rate
    wins: int
    ties: int
    losses: int
    unscored: int
    identical: int


class Outcomes(NamedTuple):
    """Each planned case's outcome under one choice of scorers, with the reason where there is none."""

    by_case: dict[str, CaseOutcome]
    reasons: Counter[str]
    format_only: frozenset[str] = frozenset()
    """Failed cases of which every failed verdict is of their format."""
    trials: Mapping[str, tuple[bool, ...]] = MappingProxyType({})
    """Of each case that has an outcome, which of its trials pass; empty where nobody counted them."""


def outcomes(
    subject: Subject,
    cases: Iterable[Case],
    responses: Iterable[Response],
    verdicts: Iterable[Verdict],
    judges: Sequence[JudgePrompt],
    *,
    checks_only: bool,
    excepted: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Outcomes:
    """Fold verdicts into one outcome a case; with `checks_only`, cases that no check decides are left out.

    Args:
        subject: Which version.
        cases: The evaluation set.
        responses: Of this version.
        verdicts: Of any.
        judges: Of the project; those that block count.
        checks_only: Judges are left out.
        excepted: By judge the categories that its certificate leaves out: there its word counts for nothing.
    """
    blocking = [] if checks_only else blocking_of(judges)
    answered: dict[str, list[Response]] = defaultdict(list)
    for response in responses:
        answered[response.case_id].append(response)
    said: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.subject == subject:
            said[verdict.item_id].append(verdict)
    reasons: Counter[str] = Counter()
    found: dict[str, CaseOutcome] = {}
    misshapen: set[str] = set()
    trials: dict[str, tuple[bool, ...]] = {}
    for case in cases:
        if checks_only and not case.expectations:
            continue
        here = deciding(blocking, case, excepted)
        scorers = scorers_of(case, answered[case.case_id], here)
        words = spoken(said[case.case_id], here)
        why = EXCEPTED if len(here) < len(blocking) else NOTHING_SCORES
        outcome = outcome_of(answered[case.case_id], words, scorers, reasons, nothing=why)
        found[case.case_id] = outcome
        if outcome in ("pass", "fail"):
            fell = {one.trial for one in words if one.outcome != "pass"}
            of = sorted({row.trial for row in answered[case.case_id]})
            trials[case.case_id] = tuple(trial not in fell for trial in of)
        if outcome == "fail" and all(one.fault == "format" for one in words if one.outcome == "fail"):
            misshapen.add(case.case_id)
    return Outcomes(found, reasons, frozenset(misshapen), trials)


def blocking_of(judges: Iterable[JudgePrompt]) -> list[JudgePrompt]:
    """Return the judges without whose pass no case passes."""
    return [
        judge
        for judge in judges
        if judge.declared.blocks and not judge.declared.is_pair and judge.declared.scope == "cases"
    ]


def deciding(blocking: Sequence[JudgePrompt], case: Case, excepted: Mapping[str, Collection[str]]) -> list[JudgePrompt]:
    """Return the blocking judges that may decide a case."""
    return [judge for judge in blocking if case.category not in excepted.get(judge.name, ())]


def spoken(verdicts: Iterable[Verdict], judges: Sequence[JudgePrompt]) -> list[Verdict]:
    """Return what checks and these judges said."""
    names = {judge.name for judge in judges}
    return [row for row in verdicts if row.scorer.startswith(CHECK) or row.scorer in names]


def scorers_of(case: Case, responses: Iterable[Response], blocking: Sequence[JudgePrompt]) -> dict[int, int]:
    """Return how many verdicts each trial of a case must have."""
    return {
        response.trial: len(case.expectations) + sum(expects(judge, case, response) for judge in blocking)
        for response in responses
    }


def outcome_of(
    responses: Sequence[Response],
    verdicts: Sequence[Verdict],
    scorers: Mapping[int, int],
    reasons: Counter[str],
    *,
    nothing: str = NOTHING_SCORES,
) -> CaseOutcome:
    """Return the outcome of one case over some of its trials.

    Args:
        responses: What was answered in these trials.
        verdicts: What was said of it.
        scorers: How many verdicts each trial must have, as from `scorers_of`.
        reasons: Where the reason is counted when there is no outcome.
        nothing: Why nothing scores it, where that is so.
    """
    broken = [response.error_kind for response in responses if response.status == "error"]
    if broken or not responses:
        reasons[f"wire: {broken[0] if broken else 'no response on file'}"] += 1
        return "wire"
    if not any(scorers.values()) and not verdicts:
        reasons[nothing] += 1
        return "unscorable"
    silent = [verdict for verdict in verdicts if verdict.outcome == "unscored"]
    given = Counter(verdict.trial for verdict in verdicts)
    if silent or not verdicts or any(given[row.trial] < scorers[row.trial] for row in responses):
        reasons[f"judge: {silent[0].status if silent else 'no verdict on file'}"] += 1
        return "judge"
    return "pass" if all(verdict.outcome == "pass" for verdict in verdicts) else "fail"


def account(found: Outcomes) -> Accounting:
    """Count where the planned cases went."""
    count = Counter(found.by_case.values())
    return Accounting(
        planned=len(found.by_case),
        passed=count["pass"],
        product_failed=count["fail"],
        format_failed=len(found.format_only),
        judge_failed=count["judge"],
        wire_failed=count["wire"],
        unscorable=count["unscorable"],
        reasons=dict(sorted(found.reasons.items())),
    )


def preference(judge: str, verdicts: Iterable[Verdict]) -> Preference | None:
    """Return a pairwise judge's word on target against baseline; None where it judged fewer than two pairs.

    Identical responses are ties that nobody was asked about: they are in the win rate, not in the share of conflicts.
    """
    paired_up = [row for row in verdicts if (row.subject, row.scorer, row.trial) == ("pair", judge, 0)]
    ok = [verdict for verdict in paired_up if verdict.status == "ok"]
    asked = [verdict for verdict in ok if verdict.fingerprint != IDENTICAL]
    if len(asked) < 2:  # noqa: PLR2004 - an interval takes two
        return None
    count = Counter(verdict.outcome for verdict in ok)
    return Preference(
        win_rate=rate(pairs.win_rate(*_orders(ok))),
        conflict=rate(pairs.position_bias(*_orders(asked)).conflict),
        wins=count["a"],
        ties=count["tie"],
        losses=count["b"],
        unscored=len(paired_up) - len(ok),
        identical=len(ok) - len(asked),
    )


def _orders(verdicts: Sequence[Verdict]) -> tuple[list[str], list[str]]:
    return [str(verdict.as_is) for verdict in verdicts], [str(verdict.swapped) for verdict in verdicts]


def rate(found: Interval) -> Rate:
    """Return an interval as a row of the report."""
    return Rate(
        estimate=found.estimate, low=found.low, high=found.high, n=found.n, method=found.method, level=found.level
    )
