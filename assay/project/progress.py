"""Progress: how far a stage is, how fast, when it will be done, what it has cost and what failed.

A bar on a terminal, a line every tenth in a log, and the same line to whoever else is to hear it, such as Prefect.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from assay.models.engine import Done, Pause, Progress
from assay.text import one_line

TENTHS = 10
Say = Callable[[str, float], None]
"""Shows a line, and the share that is done."""
Reporter = Callable[[str], AbstractContextManager[Say]]
"""Opens a place to show the progress of one stage at."""


@contextmanager
def _nowhere(_: str) -> Iterator[Say]:
    yield lambda _line, _share: None


reporter: ContextVar[Reporter] = ContextVar("reporter", default=_nowhere)
"""Where progress is shown beside the terminal."""


class Course:
    """What is known of the calls of a stage so far."""

    def __init__(self, what: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock."""
        self.what, self.total = what, total
        self._clock, self._began = clock, clock()
        self.done = self._asked = 0
        self._cost_usd = 0.0
        self._faults: Counter[str] = Counter()
        self._waits_for = ""

    def pause(self, why: str) -> bool:
        """Take down what everybody waits for, or that it goes on; return whether either is new."""
        was, self._waits_for = self._waits_for, why
        return bool(was) != bool(why)

    def count(self, call: Done) -> None:
        """Add one call."""
        self.done += 1
        self._asked += not call.is_known
        self._cost_usd += call.cost_usd
        if call.fault:
            self._faults[call.fault] += 1

    @property
    def share(self) -> float:
        """The share of the calls that is done."""
        return self.done / self.total if self.total else 1.0

    def notes(self) -> str:
        """Return rate, spend and faults by kind, as far as there is anything to say."""
        seconds = self._clock() - self._began
        parts = [f"{self._asked / seconds:,.0f}/s"] if self._asked and seconds else []
        parts += [f"${self._cost_usd:,.2f}"] if self._cost_usd else []
        parts += [f"{count:,} {kind}" for kind, count in sorted(self._faults.items())]
        parts += [self._waits_for] if self._waits_for else []
        return ", ".join(parts)

    def line(self) -> str:
        """Return all of it as one line of a log."""
        seconds = self._clock() - self._began
        left = f"{seconds / self.share - seconds:,.0f} s left" if 0 < self.share < 1 else ""
        numbers = f"{self.what}: {self.done:,} of {self.total:,}"
        return ", ".join(part for part in (numbers, left, self.notes()) if part)


@contextmanager
def progress(what: str, total: int) -> Iterator[Progress]:
    """Yield a function to be told of each of `total` calls."""
    course, console = Course(what, total), Console(stderr=True)
    with reporter.get()(what) as tell, _shown(course, console) as show:

        def step(call: Done | Pause) -> None:
            if isinstance(call, Pause):
                is_new = course.pause(one_line(call.why))
                show(is_new)
                if is_new:
                    tell(course.line(), course.share)
                return
            before = int(course.share * TENTHS)
            course.count(call)
            is_tenth = int(course.share * TENTHS) > before
            show(is_tenth)
            if is_tenth:
                tell(course.line(), course.share)

        yield step


@contextmanager
def _shown(course: Course, console: Console) -> Iterator[Callable[[bool], None]]:
    """Yield a function that shows where the course is; told whether a tenth is full."""
    if not console.is_terminal:
        yield (
            lambda is_tenth: (
                console.print(course.line(), markup=False, highlight=False, soft_wrap=True) if is_tenth else None
            )
        )
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    notes = TextColumn("{task.fields[notes]}", markup=False)
    with Bar(TextColumn(course.what), *columns, notes, console=console, transient=True) as bar:
        row = bar.add_task("", total=course.total, notes="")
        yield lambda _: bar.update(row, completed=course.done, notes=course.notes())
