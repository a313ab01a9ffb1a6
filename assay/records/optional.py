"""Optional parts of a run: what fails in one becomes a note in its place; the verdict rests on none and stands."""

import logging
import traceback
from collections.abc import Callable
from typing import TypeVar

from assay.errors import BudgetError, BusyError, EndpointError
from assay.records.record import Record
from assay.text import one_line

ENDING = (BudgetError, EndpointError, BusyError)
"""Errors that end a run for a reason of its own, wherever they come from."""
LOG = logging.getLogger(__name__)
Value = TypeVar("Value")
Default = TypeVar("Default")


class Failure(Record):
    """A part of a run that is missing, or is not whole, and why."""

    part: str
    note: str
    """What stands in its place: one line, fit for a terminal."""

    def __str__(self) -> str:
        """Return part and note as one sentence."""
        return f"{self.part} {self.note}"


class Guard:
    """Computes the optional parts of a run, and remembers which of them failed."""

    def __init__(self) -> None:
        """Begin without a failure."""
        self.failures: list[Failure] = []
        self.tracebacks: list[str] = []
        """For whoever repairs it; never shown in a page or a message."""

    def optional(self, part: str, compute: Callable[[], Value], otherwise: Default) -> Value | Default:
        """Return what `compute` returns; where it fails, note that and return `otherwise`.

        Args:
            part: What a reader calls it.
            compute: Computes it.
            otherwise: Stands for it where it failed.

        Raises:
            BudgetError: The run may cost no more; likewise EndpointError and BusyError, which end a run as well.
        """
        try:
            return compute()
        except ENDING:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noted, logged, and costs this part alone
            self.failed(part, error)
            return otherwise

    def failed(self, part: str, error: Exception) -> None:
        """Note that a part failed by an error."""
        self.refused(part, f"could not be computed: {type(error).__name__}: {one_line(error)}", error)

    def refused(self, part: str, text: str, error: Exception) -> None:
        """Note that a part is missing because of an error, in words of one's own."""
        self.tracebacks.append("".join(traceback.format_exception(error)))
        self.note(part, text)

    def note(self, part: str, text: str) -> None:
        """Note that a part is missing or not whole."""
        self.failures.append(Failure(part=part, note=text))
        LOG.warning("%s", self.failures[-1])

    def take(self, other: "Guard", of: str) -> None:
        """Take over what another guard has noted; `of` says of what its parts are."""
        self.failures += [row.model_copy(update={"part": f"{row.part} {of}"}) for row in other.failures]
        self.tracebacks += other.tracebacks
