"""What a run used: calls, tokens and money by stage; how fast the product answered, and how its answers ended.

The journal's ledger counts what was really sent, so it grows when a run is resumed; all else is read from the answers.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

import numpy as np
from scipy.stats import quantile_test

from assay.records.ledger import Spent
from assay.records.record import Record
from assay.records.response import Response

USUAL_END = "stop"
ENDINGS = frozenset({"length", "content_filter", "tool_calls", "function_call"})
"""How else an answer can end, in OpenAI's words; any other word is a product's own and is not repeated."""
OWN_WORD = "another reason"
QUANTILES = {"p50": 0.5, "p95": 0.95}


class Spending(Record):
    """What one stage of one run used, or all of them together."""

    run: str
    stage: str
    calls: int
    failed: int
    """Calls that ended without an answer."""
    requests: int
    """Sent for those calls: repeats, and in conversations the later turns and rounds of tools."""
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """None where no price is declared."""

    @property
    def beyond(self) -> int:
        """Return the requests beyond one a call."""
        return max(0, self.requests - self.calls)


class Latency(Record):
    """A quantile of the answers' latency in seconds, with its 95 % interval by order statistics.

    A bound is None where so few answers have none, or where answers to one case are no independent evidence.
    """

    value_s: float
    low_s: float | None
    high_s: float | None
    n: int


class Answers(Record):
    """What the answered responses of the target took and how they ended."""

    p50: Latency
    p95: Latency
    cases: int
    """Cases with an answer."""
    priced_cases: int
    """Cases of which every answer has a declared price."""
    cost_a_case_usd: float | None
    """Mean over the priced cases, of all their trials together; None where there is none."""
    ended: int
    """Answers that say why they ended."""
    endings: dict[str, int]
    """Of these, the ones that ended for another reason than `stop`."""


def spending(ledger: Iterable[Spent]) -> list[Spending]:
    """Return the rows of a ledger; a stage that used tokens and no money has no declared price."""
    return [Spending(**row._asdict() | {"cost_usd": row.cost_usd or None}) for row in ledger]


def total(rows: Sequence[Spending]) -> Spending:
    """Return what several rows come to together; the cost is that of the priced ones."""
    names = ("calls", "failed", "requests", "prompt_tokens", "completion_tokens")
    sums: dict[str, Any] = {name: sum(getattr(row, name) for row in rows) for name in names}
    cost = sum(row.cost_usd or 0 for row in rows) or None
    return Spending(run="+".join(sorted({row.run for row in rows})), stage="all", cost_usd=cost, **sums)


def answers(responses: Iterable[Response]) -> Answers | None:
    """Return what the answered responses took and how they ended; None when nothing was answered."""
    answered = [response for response in responses if response.status == "ok"]
    if not answered:
        return None
    cases = {response.case_id for response in answered}
    priced = cases - {response.case_id for response in answered if response.cost_usd is None}
    costs = [response.cost_usd or 0.0 for response in answered if response.case_id in priced]
    ends = [response.finish_reason for response in answered if response.finish_reason]
    other = Counter(end if end in ENDINGS else OWN_WORD for end in ends if end != USUAL_END)
    times = [response.latency_s for response in answered]
    quantiles = {name: _latency(times, share, len(cases)) for name, share in QUANTILES.items()}
    return Answers(
        **quantiles,
        cases=len(cases),
        priced_cases=len(priced),
        cost_a_case_usd=sum(costs) / len(priced) if priced else None,
        ended=len(ends),
        endings=dict(sorted(other.items())),
    )


def _latency(times: Sequence[float], share: float, cases: int) -> Latency:
    """Return a quantile that was really measured, with its interval (STATISTICS 7.4)."""
    value = float(np.quantile(times, share, method="inverted_cdf"))
    low = high = float("nan")
    if cases == len(times):
        low, high = quantile_test(times, q=value, p=share).confidence_interval(0.95)
    return Latency(value_s=value, low_s=_bound(low), high_s=_bound(high), n=len(times))


def _bound(found: float) -> float | None:
    return None if isnan(found) else float(found)
