"""Several trials of each case: how steady is the product, and which cases does it pass only sometimes?"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from assay.errors import InsufficientDataError
from assay.judges.prompt import JudgePrompt
from assay.records.case import Case
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import Verdict
from assay.report.findings import CaseOutcome, Rate, blocking_of, deciding, outcome_of, rate, scorers_of, spoken
from assay.stats import planning
from assay.stats import trials as stats

DECIDED: frozenset[CaseOutcome] = frozenset({"pass", "fail"})


class Flaky(Record):
    """A case that passes in some of its trials."""

    case_id: str
    category: str
    passed: int


class Steadiness(Record):
    """What several trials a case say of the target, on the cases whose every trial has an outcome."""

    k: int
    """Trials a case."""
    cases: int
    left_out: int
    """Planned cases with a trial that was lost on the wire or at the judge, or that was not asked."""
    always: int
    sometimes: int
    never: int
    all_of: list[Rate]
    """pass^1 to pass^k, where pass^1 is the pass rate over all trials; empty where `note` says why."""
    any_of: Rate | None
    """pass@k."""
    deff: float | None
    """How many times the variance of pass^1 exceeds that of as many independent trials; None where all are alike."""
    note: str
    """What a reader has to know of the intervals, or why there are none; empty when there is nothing."""
    flaky: list[Flaky]
    """The least predictable first."""
    worth: str
    """What twice as many trials, or cases, would do to the standard error; empty where nothing can be told."""


def steadiness(
    cases: Sequence[Case],
    responses: Iterable[Response],
    verdicts: Iterable[Verdict],
    judges: Sequence[JudgePrompt],
    excepted: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Steadiness | None:
    """Return what the trials of the target say; None where each case has one."""
    blocking = blocking_of(judges)
    answered: dict[tuple[str, int], list[Response]] = defaultdict(list)
    for response in responses:
        answered[response.case_id, response.trial].append(response)
    k = max((trial for _, trial in answered), default=0) + 1
    if k == 1:
        return None
    said: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.subject == "target":
            said[verdict.item_id, verdict.trial].append(verdict)

    def outcome(case: Case, trial: int) -> CaseOutcome:
        key = (case.case_id, trial)
        rows = answered.get(key, [])
        here = deciding(blocking, case, excepted)
        return outcome_of(rows, spoken(said.get(key, []), here), scorers_of(case, rows, here), Counter())

    found = {case.case_id: [outcome(case, trial) for trial in range(k)] for case in cases}
    whole = {name: [one == "pass" for one in trials] for name, trials in found.items() if set(trials) <= DECIDED}
    return _steadiness(whole, k, {case.case_id: case.category for case in cases})


def _steadiness(whole: Mapping[str, list[bool]], k: int, categories: Mapping[str, str]) -> Steadiness:
    """Return what trials say of the cases that have all k of them; `categories` has every planned case."""
    passed = {name: sum(trials) for name, trials in whole.items()}
    unsteady = [name for name in passed if 0 < passed[name] < k]
    flaky = sorted(unsteady, key=lambda name: (abs(2 * passed[name] - k), name))
    rows = list(whole.values())
    try:
        every = stats.pass_rate(rows)
        hats = [every, *(stats.pass_hat_k(rows, of) for of in range(2, k + 1))]
        rates = {
            "all_of": [rate(one) for one in hats],
            "any_of": rate(stats.pass_at_k(rows, k)),
            "deff": every.deff,
            "note": every.caution,
        }
    except InsufficientDataError as refusal:
        rates = {"all_of": [], "any_of": None, "deff": None, "note": str(refusal)}
    return Steadiness(
        k=k,
        cases=len(whole),
        left_out=len(categories) - len(whole),
        always=list(passed.values()).count(k),
        sometimes=len(flaky),
        never=list(passed.values()).count(0),
        flaky=[Flaky(case_id=name, category=categories[name], passed=passed[name]) for name in flaky],
        worth=_worth(rows, k),
        **rates,
    )


def _worth(rows: Sequence[Sequence[bool]], k: int) -> str:
    """Say what more would buy, so that nobody pays for trials where only cases help."""
    if len(rows) < stats.MIN_CASES:
        return ""
    parts = planning.spread(rows)
    now, trials, cases = (
        100 * parts.se(cases=cases, trials=trials)
        for cases, trials in ((len(rows), k), (len(rows), 2 * k), (2 * len(rows), k))
    )
    return (
        f"the standard error of the pass rate is {now:.1f} points; twice as many trials would make it {trials:.1f}, "
        f"twice as many cases {cases:.1f}"
    )
