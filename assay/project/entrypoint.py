"""Entry points: exit codes, signals, errors as one sentence, and no telemetry of Prefect, DVC or Great Expectations."""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from assay.errors import AssayError
from assay.text import printable

BAD_INPUT = 2
INTERRUPTED, READER_GONE, TERMINATED = 130, 141, 143
"""As shells have it: 128 and the number of the signal."""
PRINTED = (1, 2)
"""Descriptors of what is printed, and of messages."""
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


def run(command: Callable[[], object]) -> None:
    """Run a command: an error of ours is one sentence on stderr and exit code 2, any other is a bug and raises."""
    be_quiet()
    try:
        with terminable():
            command()
    except AssayError as error:
        print(f"assay: {printable(error)}", file=sys.stderr)  # noqa: T201 - the command's own voice
        raise SystemExit(BAD_INPUT) from error


def is_reader_gone() -> bool:
    """Tell whether nobody reads any more what is printed, as after `| head`; then nothing more is printed."""
    printed = select.poll()
    for stream in PRINTED:
        printed.register(stream, 0)
    broken = [stream for stream, event in printed.poll(0) if event & (select.POLLERR | select.POLLHUP)]
    for stream in broken:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream)
        os.close(nowhere)
    return bool(broken)


@contextmanager
def terminable() -> Iterator[None]:
    """End the block on SIGTERM exactly as on Ctrl-C, so that what it has started ends with it; only a main thread can.

    Raises:
        SystemExit: The signal came; its code is the signal's.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = False

    def interrupt(_: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        on_interrupt = signal.getsignal(signal.SIGINT)
        if not callable(on_interrupt):  # ignored, as in the background of a shell
            raise KeyboardInterrupt
        on_interrupt(signal.SIGINT, frame)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt as error:
        if came:
            raise SystemExit(TERMINATED) from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def be_quiet() -> None:
    """Keep Prefect, DVC and Great Expectations from calling home; what the user has set stays."""
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
