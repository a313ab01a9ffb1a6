"""DVC's door to a stage and what it says on the way: progress, one sentence for an error, the exit code."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from assay.errors import AssayError

BAD_INPUT = 2


def run(stage: Callable[[], object]) -> None:
    """Run a stage as a command: an error of ours is one sentence and exit code 2, any other is a bug and raises."""
    try:
        stage()
    except AssayError as error:
        print(f"assay: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        raise SystemExit(BAD_INPUT) from error


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each of `total` steps: a bar on a terminal, a line every tenth in a log."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(TextColumn(what), *columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)
        return
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done * 10 // total > (done - 1) * 10 // total:
            console.print(f"{what}: {done} of {total}", markup=False, highlight=False)

    yield step
