"""The declaration of a stage: what it reads and writes, its settings, whom it asks.

From it come dvc.yaml, the validation of a whole project before the first paid call, and the guards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.records.record import Record


@dataclass(frozen=True, kw_only=True)
class Output:
    """One file or folder that a stage writes."""

    path: str
    in_git: bool = False
    """Small and for people: kept in Git and not in DVC's cache."""
    persist: bool = False
    """Added to, so DVC must not remove it before the stage runs."""
    kind: str = "outs"
    """As dvc.yaml names it: outs, metrics or plots."""
    plot: Mapping[str, str] = field(default_factory=dict)
    """Axes and title of a plot."""


def nothing(_: Any) -> tuple[str, ...]:  # noqa: ANN401 - the settings of any stage
    """Return no path: the stage reads nothing that its settings name."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of the pipeline, declared once beside its code."""

    name: str
    doc: str
    """Docstring of its module; the first line is `Name: question?`."""
    settings: type[Record]
    """Its section of params.yaml."""
    reads: tuple[str, ...]
    """Files and folders of data/ that it depends on."""
    writes: tuple[Output, ...]
    inputs: Callable[[Any], tuple[str, ...]] = nothing
    """Files and folders of the product's that its settings name."""
    asks: str = "nobody"
    """Who is paid for an answer."""

    @property
    def question(self) -> str:
        """Return the question that the stage answers."""
        question = self.doc.split("\n", 1)[0].partition(": ")[2]
        return question[0].upper() + question[1:]
