"""The trace: one production conversation."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from assay.records.record import Name, Record


class Trace(Record):
    """One production conversation, as the product logged it."""

    trace_id: Name
    at: datetime
    version: str
    category: Name
    question: str
    answer: str
    contexts: list[str]
    escalated: bool
    refused: bool
    contacted_again: bool
    """The same customer wrote again about the same matter within a day."""
    thumb: Literal["up", "down", "none"]
    latency_s: float = Field(ge=0)
    completion_tokens: int = Field(ge=0)
