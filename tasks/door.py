"""A door to the stages: nothing is sent to anybody's statistics, an error is one sentence, progress is shown."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from assay.errors import AssayError

BAD_INPUT = 2
QUIET = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "ITERATIVE_DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # that one asks an analytics host at every page
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "PREFECT_CLIENT_MAX_RETRIES": "6",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
}


def run(stage: Callable[[], object]) -> None:
    """Run a stage as a command: an error of ours is one sentence and exit code 2, any other is a bug and raises."""
    be_quiet()
    try:
        stage()
    except AssayError as error:
        print(f"assay: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        raise SystemExit(BAD_INPUT) from error


def be_quiet() -> None:
    """Keep Prefect, DVC and Great Expectations from calling home; what the user has set stays."""
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)


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
