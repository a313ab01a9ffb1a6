"""The production signal: one quality measure of one window of traffic."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from assay.records.record import Name, Record


class Signal(Record):
    """One quality measure of one window of production traffic, beside its baseline."""

    signal: Name
    segment: str
    """`all`, or a category."""
    window_start: datetime
    window_end: datetime
    events: int = Field(ge=0)
    n: int = Field(ge=0)
    value: float
    baseline_value: float
    baseline_n: int = Field(ge=0)
    low: float
    """Bounds of the 95 % interval of value - baseline_value."""
    high: float
    impact_usd: float | None
    """Per week; None for a signal without a declared value: it may be charted, never alerted on."""
    impact_low_usd: float | None
    impact_high_usd: float | None
    state: Literal["alert", "watch", "quiet", "charted"]
    statement: str
    """What it means for the business, in one sentence."""
    owner: str
