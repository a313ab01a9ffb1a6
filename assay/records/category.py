"""The category of expected failures, as the taxonomy has it."""

from typing import Literal

from pydantic import Field

from assay.records.case import Layer
from assay.records.record import Name, Record


class Category(Record):
    """One category of expected failures, as people wrote it in data/taxonomy/."""

    category: Name
    definition: str
    examples: list[str] = Field(min_length=1)
    severity: Literal["low", "medium", "high", "critical"]
    quota: int = Field(ge=1)
    """The number of admitted cases below which the category counts as not covered."""
    owner: str
    layer: Layer
