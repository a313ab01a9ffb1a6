"""Entry points: exit codes, errors as one sentence, and no telemetry of Prefect, DVC or Great Expectations."""

import os
import sys
from collections.abc import Callable

from assay.errors import AssayError
from assay.text import printable

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


def run(command: Callable[[], object]) -> None:
    """Run a command: an error of ours is one sentence on stderr and exit code 2, any other is a bug and raises."""
    be_quiet()
    try:
        command()
    except AssayError as error:
        print(f"assay: {printable(error)}", file=sys.stderr)  # noqa: T201 - the command's own voice
        raise SystemExit(BAD_INPUT) from error


def be_quiet() -> None:
    """Keep Prefect, DVC and Great Expectations from calling home; what the user has set stays."""
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
