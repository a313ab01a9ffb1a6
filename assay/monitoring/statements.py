"""A signal in one sentence that a business understands."""

from typing import Literal

from assay.monitoring.measures import Measure
from assay.stats.rates import Interval

State = Literal["alert", "watch", "quiet", "charted"]


def state_meaning(
    *,
    measure: Measure,
    segment: str,
    change: Interval,
    weekly: float,
    impact: tuple[float, float, float] | None,
    budget: float | None,
    sizes: tuple[int, int],
    state: State,
    owner: str,
) -> str:
    """Return what a change means: how many more or fewer a week, what it costs, and who should act.

    Args:
        measure: What was measured.
        segment: `all`, or a category.
        change: Against the baseline, per conversation.
        weekly: Conversations a week.
        impact: Weekly cost in US dollars with its bounds, or None where no value is declared or traffic is too thin.
        budget: Weekly cost that is accepted, or None where no value is declared.
        sizes: Conversations in the window and in the baseline.
        state: What the rule made of them.
        owner: Who acts.
    """
    where = "" if segment == "all" else f" in {segment}"
    if measure.kind == "mean":
        amount = f"{abs(change.estimate):.1f} {'more' if change.estimate >= 0 else 'fewer'} {measure.noun} an answer"
    else:
        count = weekly * change.estimate
        amount = f"{abs(count):,.0f} {'more' if count >= 0 else 'fewer'} {measure.noun} a week"
    opening = f"About {amount} than usual{where}"
    if budget is None:
        return f"{opening}; no value is declared, so this is charted and nobody is alerted."
    if impact is None:
        return f"{opening}; {sizes[0]} conversations beside {sizes[1]} are too few to tell, so nobody is alerted."
    return f"{opening}, {_cost(impact)}; {_advice(state, budget, owner)}."


def _cost(impact: tuple[float, float, float]) -> str:
    """Return the cost or the saving with its bounds, lower first."""
    point, low, high = impact
    if point < 0:
        return f"saving {_dollars(-point)} [{_dollars(-high)}, {_dollars(-low)}] a week"
    return f"costing {_dollars(point)} [{_dollars(low)}, {_dollars(high)}] a week"


def _dollars(amount: float) -> str:
    rounded = round(amount)
    return f"-${-rounded:,}" if rounded < 0 else f"${rounded:,}"


def _advice(state: State, budget: float, owner: str) -> str:
    if state == "alert":
        return f"even the lower bound exceeds the budget of {_dollars(budget)}, so {owner} should act"
    if state == "watch":
        return f"that exceeds the budget of {_dollars(budget)}, but is not certain yet: {owner} should watch it"
    return f"that is within the budget of {_dollars(budget)}"
