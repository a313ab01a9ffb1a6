"""What a change of a signal is worth, declared by whoever answers for it: without that, no alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from assay.errors import ConfigError
from assay.monitoring.measures import JUDGED, SIGNALS, measure_of


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What one signal is worth to the business, as its owner declared it."""

    signal: str
    """One of `assay.monitoring.measures.SIGNALS`."""
    direction: Literal["up", "down"]
    """Which way is bad."""
    value_per_event_usd: float | None
    """Cost of one event more (or, where down is bad, of one less); None: charted, never alerted on."""
    budget_usd_per_week: float | None
    """Impact that the owner accepts; None exactly when there is no value."""
    owner: str
    description: str


def require_policies(policies: Sequence[Policy]) -> None:
    """Refuse policies that could not be assessed.

    Raises:
        ConfigError: A signal is unknown or named twice, or a policy's direction, value or budget makes no sense.
    """
    for policy in policies:
        _require_policy(policy)
    names = [policy.signal for policy in policies]
    if len(set(names)) < len(names):
        raise ConfigError(f"the policies {names} name a signal twice; expected one policy a signal: drop one")


def _require_policy(policy: Policy) -> None:
    value, budget = policy.value_per_event_usd, policy.budget_usd_per_week
    if measure_of(policy.signal) is None:
        raise ConfigError(
            f"the signal {policy.signal!r} is unknown; expected one of {', '.join(SIGNALS)}, or {JUDGED}<judge>"
        )
    if policy.direction not in ("up", "down"):
        raise ConfigError(
            f"signal {policy.signal!r} has direction {policy.direction!r}; expected the bad one, up or down"
        )
    if (value is None) != (budget is None):
        raise ConfigError(f"signal {policy.signal!r} has value {value} and budget {budget}; declare both or neither")
    if value is not None and budget is not None and not (isfinite(value) and value > 0 and 0 <= budget < float("inf")):
        raise ConfigError(
            f"signal {policy.signal!r} has value {value} and budget {budget}; expected amounts in dollars"
        )
