"""One night of Pantry Lane as a report, and the same night with whatever a test wants otherwise."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from assay.calibration.certificate import Certificate, Figure, Floor, Slice, Trivial
from assay.records.case import ToolCall
from assay.records.signal import Signal
from assay.report import wording
from assay.report.cases import ReportedCase, Since
from assay.report.category_rates import CategoryRates, category_rates
from assay.report.comparison import Comparison, compare
from assay.report.content import Corrected, Judge, Provenance, Report
from assay.report.costs import Answers, Latency, Spending
from assay.report.findings import Accounting, CaseOutcome, Outcomes, Preference, Rate, account
from assay.report.gate import Gate
from assay.report.judged import Change, Controlled
from assay.report.trials import Flaky, Steadiness

AT = datetime(2026, 11, 2, 3, 12, tzinfo=UTC)
CHANGES = {
    "allergens": (40, 9, 0),
    "refund-policy": (36, 8, 1),
    "order-status": (30, 1, 1),
    "multi-turn-memory": (18, 1, 0),
    "escalation": (32, 1, 2),
    "policy-facts": (44, 1, 3),
    "out-of-scope": (20, 0, 1),
    "prompt-injection": (34, 0, 3),
}
"""Cases, newly failing and fixed ones of each category."""
ANSWER = (
    "I am sorry that the meal arrived spoiled. Refunds are possible within 14 days of delivery and up to 60 dollars "
    "without a person's consent. Your box came on October 30, so I have refunded 18.50 dollars for this one meal."
)
BEFORE = {"name": "refund", "arguments": '{"order": "PL-1004", "amount_usd": 18.5}'}
AFTER = {"name": "refund", "arguments": '{"order": "PL-1004", "amount_usd": 61.0}'}


def outcomes(*, is_target: bool) -> Outcomes:
    """Return where every case went; the target lost two on the wire, one at the judge, and failed five by format."""
    found: dict[str, CaseOutcome] = {}
    for category, (n, lost, gained) in CHANGES.items():
        for number in range(n):
            is_fail = number < lost if is_target else lost <= number < lost + gained
            is_hard = n - 2 <= number
            found[f"{category}-{number:03}"] = "fail" if is_fail or is_hard else "pass"
    if not is_target:
        return Outcomes(found, Counter())
    found |= {"escalation-029": "wire", "order-status-027": "wire", "policy-facts-040": "judge"}
    misshapen = frozenset(f"allergens-{number:03}" for number in range(5))
    return Outcomes(found, Counter({"wire: timeout": 2, "judge: unparsed": 1}), misshapen)


def comparison(scorers: Any = "all") -> Comparison:
    """Return target against baseline, computed as a run computes it."""
    categories = {case_id: case_id.rsplit("-", 1)[0] for case_id in outcomes(is_target=True).by_case}
    return compare(scorers, categories, outcomes(is_target=True), outcomes(is_target=False))


def rate(estimate: float, low: float, high: float, n: int = 100) -> Rate:
    """Return a share with its interval."""
    return Rate(estimate=estimate, low=low, high=high, n=n, method="wilson")


def rates(scorers: Any = "all") -> CategoryRates:
    """Return the target's pass rates by category, computed as a run computes them."""
    mine = outcomes(is_target=True)
    found = category_rates(scorers, {case_id: case_id.rsplit("-", 1)[0] for case_id in mine.by_case}, mine)
    assert found
    return found


def changed(case_id: str, **changes: Any) -> ReportedCase:
    """Return a case that the baseline answered well and the target did not."""
    fields = {
        "case_id": case_id,
        "category": case_id.rsplit("-", 1)[0],
        "layer": "task",
        "severity": "critical",
        "outcome": "fail",
        "group": "newly-failing",
        "since": Since(night="2026-11-02", nights=1, is_oldest=False),
        "cut": 0,
        "turns": ["My satay bowl from PL-1004 arrived warm and smells off.", "Can I have the money back?"],
        "reference": "Refund 18.50 dollars for the one spoiled meal, and nothing more.",
        "baseline_text": ANSWER,
        "target_text": ANSWER.replace("18.50 dollars for this one meal", "61.00 dollars for the whole box"),
        "baseline_calls": [ToolCall(**BEFORE)],
        "target_calls": [ToolCall(**AFTER)],
        "why": [
            "check:final-state: fail. orders.PL-1004.refunded_usd is 61.0; expected 18.5",
            "correctness: fail. P(pass) = 0.08",
        ],
    }
    return ReportedCase.model_validate(fields | changes)


def standing(case_id: str, **changes: Any) -> ReportedCase:
    """Return a case that fails with both versions, for three nights."""
    since = Since(night="2026-10-31", nights=3, is_oldest=False)
    return changed(case_id, **({"group": "standing", "since": since, "baseline_text": ANSWER} | changes))


def certificate(question: str = "pass-fail", **changes: Any) -> Certificate:
    """Return what calibration found of a judge that meets its policy."""
    classes = 2 if question == "pass-fail" else 3
    fields = {
        "judge": "correctness" if question == "pass-fail" else "preference",
        "question": question,
        "fingerprint": "5f0c9a11d2b47e63",
        "labels": "a41be0c7724f9d10",
        "split": "heldout",
        "items": 120,
        "unscored": 1,
        "frame": "",
        "looks": 1,
        "undecided": 2,
        "annotators": ["ada", "ben"],
        "figures": _pairwise_figures()
        if question == "pairwise"
        else [
            _figure("tpr", 0.952, 0.883, 0.981, 82),
            _figure("tnr", 0.816, 0.666, 0.908, 38),
            _figure("youden", 0.768, 0.549, 0.889, 120),
            _figure("accuracy", 0.908, 0.843, 0.948, 120),
            _figure("kappa", 0.784, 0.66, 0.88, 120),
            Figure(name="ac1", estimate=0.832, low=None, high=None, n=120, method="Gwet AC1"),
            Figure(
                name="kappa-over-human",
                estimate=None,
                low=None,
                high=None,
                n=0,
                method="none",
                note="no item has two annotators: let a second person label some",
            ),
        ],
        "confusion": [[31, 7], [4, 78]] if classes == 2 else [[40, 3, 5], [2, 9, 4], [3, 2, 52]],
        "slices": [
            Slice(kind="category", name="escalation", n=4, agree=0, low=0.0, high=0.49),
            Slice(kind="slice", name="minimal-edit", n=20, agree=3, low=0.052, high=0.36),
            Slice(kind="slice", name="natural", n=100, agree=94, low=0.875, high=0.972),
        ],
        "trivial": [Trivial(name="rouge-l", accuracy=0.742, n=120), Trivial(name="constant", accuracy=0.683, n=120)],
        "floors": [
            Floor(figure="labelled items", demand="at least 50", found="120", met=True),
            Floor(figure="tpr", demand="lower bound at least 0.75", found="0.883", met=True),
            Floor(figure="tnr", demand="lower bound at least 0.60", found="0.666", met=True),
        ],
        "issued": AT - timedelta(days=6),
        "expires": AT + timedelta(days=24),
    }
    return Certificate.model_validate(fields | changes)


def _pairwise_figures() -> list[Figure]:
    return [
        _figure("accuracy", 0.842, 0.767, 0.896, 120),
        _figure("kappa-linear", 0.731, 0.63, 0.83, 120),
        _figure("conflict", 0.083, 0.046, 0.147, 120),
        _figure("direction", -0.017, -0.066, 0.033, 120),
    ]


def _figure(name: str, estimate: float, low: float, high: float, n: int) -> Figure:
    return Figure(name=name, estimate=estimate, low=low, high=high, n=n, method="wilson")


def signal(name: str = "repeat-contact-rate", **changes: Any) -> Signal:
    """Return a signal that costs more than its budget for certain."""
    fields = {
        "signal": name,
        "segment": "all",
        "window_start": AT - timedelta(days=7),
        "window_end": AT,
        "events": 312,
        "n": 2604,
        "value": 0.1198,
        "baseline_value": 0.0807,
        "baseline_n": 7811,
        "low": 0.0256,
        "high": 0.0531,
        "impact_usd": 611.0,
        "impact_low_usd": 400.0,
        "impact_high_usd": 830.0,
        "state": "alert",
        "statement": "About 102 more repeat contacts a week than usual, costing $611 [$400, $830] a week; even the "
        "lower bound exceeds the budget of $150, so support-platform should act.",
        "owner": "support-platform",
    }
    return Signal.model_validate(fields | changes)


def signals() -> list[Signal]:
    """Return one signal of every state, the quiet ones first."""
    free = {"impact_usd": None, "impact_low_usd": None, "impact_high_usd": None, "state": "charted"}
    return [
        signal("refusal-rate", **free),
        signal("response-length", **free, value=74.2, baseline_value=71.9, low=-0.4, high=5.0),
        signal(segment="escalation", state="quiet", impact_usd=-20.0, impact_low_usd=-64.0, impact_high_usd=24.0),
        signal(
            segment="refund-policy", state="watch", impact_low_usd=-12.0, statement="About 31 more, not certain yet."
        ),
        signal(),
    ]


def spent(stage: str = "execute", **changes: Any) -> Spending:
    """Return what a stage used."""
    fields = {
        "run": "2026-11-02",
        "stage": stage,
        "calls": 1254,
        "failed": 2,
        "requests": 1961,
        "prompt_tokens": 402_118,
        "completion_tokens": 61_377,
        "cost_usd": 1.2345,
    }
    return Spending.model_validate(fields | changes)


def answers(**changes: Any) -> Answers:
    """Return what the answers took and how they ended."""
    fields = {
        "p50": Latency(value_s=1.204, low_s=1.118, high_s=1.291, n=252),
        "p95": Latency(value_s=3.871, low_s=3.402, high_s=None, n=252),
        "cases": 252,
        "priced_cases": 250,
        "cost_a_case_usd": 0.00493,
        "ended": 251,
        "endings": {"content_filter": 1, "length": 4},
    }
    return Answers.model_validate(fields | changes)


def steadiness(**changes: Any) -> Steadiness:
    """Return what three trials a case say."""
    fields = {
        "k": 3,
        "cases": 250,
        "left_out": 4,
        "always": 190,
        "sometimes": 21,
        "never": 39,
        "all_of": [rate(0.803, 0.758, 0.848, 250), rate(0.779, 0.731, 0.827, 250), rate(0.76, 0.707, 0.813, 250)],
        "any_of": rate(0.844, 0.799, 0.889, 250),
        "deff": 2.5,
        "note": "",
        "worth": "the standard error of the pass rate is 2.3 points; twice as many trials would make it 2.2",
        "flaky": [Flaky(case_id="allergens-000", category="allergens", passed=2)]
        + [Flaky(case_id=f"escalation-{number:03}", category="escalation", passed=1) for number in range(20)],
    }
    return Steadiness.model_validate(fields | changes)


CORRECTED = Corrected(
    raw=rate(0.857, 0.809, 0.895, 251),
    rate=rate(0.841, 0.782, 0.894, 251),
    labels=100,
    frame="support-2",
    note="the labels are a random part of these very answers",
)
SAID: dict[str, Any] = {
    "corrected": CORRECTED,
    "pairs": Preference(
        win_rate=rate(0.441, 0.395, 0.487, 248),
        conflict=rate(0.089, 0.06, 0.131, 248),
        wins=31,
        ties=157,
        losses=60,
        unscored=3,
        identical=140,
    ),
    "change": Change(raw=-0.045, judged=248, rate=rate(-0.052, -0.098, -0.006, 90), labels=90, note=""),
    "controlled": Controlled(rate=rate(0.437, 0.39, 0.485, 108), pairs=108, note=""),
}
"""What its two judges say of the night."""


def report(**changes: Any) -> Report:
    """Return a night on which two categories became worse; what a judge says is changed by its name."""
    said = {name: changes.pop(name, value) for name, value in SAID.items()}
    target, everything = account(outcomes(is_target=True)), comparison()
    word = "regression"
    newly = [f"{name}-{number:03}" for name, (_, lost, _) in CHANGES.items() for number in range(lost)]
    fields = {
        "produced": AT,
        "gate": Gate(
            word=word,
            reason="worse than the baseline beyond chance: allergens, refund-policy",
            next="read the newly failing cases",
            sentence=wording.sentence(word, "", target, everything),
        ),
        "provenance": Provenance(
            target="support-assistant@support-2-5b1f0e9c",
            baseline="support-assistant@support-1-c07d44aa",
            evaluation_set="9be1c4402d7f8a35",
            released="evalset@v1.4.0",
            cases=254,
            without_baseline=0,
            epoch="2026-11-02",
            anchors=200,
            parameters="1c22b7d0e4f3a986",
            assay="0.1.0",
        ),
        "target": target,
        "baseline": account(outcomes(is_target=False)),
        "everything": everything,
        "checks": comparison("checks"),
        "rates": [rates(), rates("checks")],
        "steadiness": None,
        "judges": [
            Judge(
                name="correctness",
                standing="valid",
                certificate=certificate(),
                note="",
                corrected=said["corrected"],
                change=said["change"],
            ),
            Judge(
                name="preference",
                question="pairwise",
                standing="valid",
                certificate=certificate("pairwise"),
                note="",
                pairs=said["pairs"],
                controlled=said["controlled"],
            ),
        ],
        "signals": signals(),
        "spent": [spent(), spent("judge", cost_usd=None, calls=300, requests=300, failed=0)],
        "answers": answers(),
        "newly_failing": [changed(case_id) for case_id in newly],
        "failing": [],
        "standing": [standing(f"{name}-{n - 1:03}") for name, (n, _, _) in CHANGES.items()],
        "fixed": [
            changed(
                "policy-facts-002",
                severity="medium",
                layer="unit",
                baseline_calls=[],
                target_calls=[],
                outcome="pass",
                group="fixed",
                since=None,
                why=[],
            )
        ],
        "unscored": [
            changed(
                "order-status-027",
                target_text="",
                target_calls=[],
                why=["no response: timeout. none in 30 s"],
                outcome="unscored",
                group="unscored",
                since=None,
            )
        ],
    }
    return Report.model_validate(fields | changes)


def empty_accounting() -> Accounting:
    """Return the accounting of a run that planned nothing."""
    return Accounting(planned=0, passed=0, product_failed=0, format_failed=0, judge_failed=0, wire_failed=0, reasons={})
