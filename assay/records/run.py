"""The record of a run: what `assay runs` lists of it, for as long as the project is there."""

from datetime import datetime

from pydantic import Field

from assay.records.record import Record


class Answers(Record):
    """Where the answers of a run come from: asked by itself, or kept from before."""

    asked: int = Field(ge=0)
    """By the run itself, whether before or after an interruption."""
    continued: int = Field(default=0, ge=0)
    """Of these, before the run was interrupted."""
    kept: int = Field(default=0, ge=0)
    """Asked by an earlier run of the same version."""
    since: datetime | None = None
    """When the oldest of those that were not asked just now was given."""
    sources: list[str] = Field(default=[])
    """Ids of the earlier runs."""
    is_version_known: bool = False
    """Does the product say, or its declaration, which version it is? Only then may answers be kept."""
    undeclared: list[str] = Field(default=[])
    """Files that the product reads and does not declare, so that its version is not known."""
