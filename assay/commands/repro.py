"""Repro: `dvc repro` with a fresh code lock, on a project that is valid throughout."""

import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from assay.commands.validate import validate
from assay.models.process import supervised
from assay.project import code_lock, continuation, files
from assay.project.dvc import record_archives
from assay.project.entrypoint import BAD_INPUT
from assay.project.run_id import VARIABLE, starting
from assay.project.run_lock import exclusive

PATIENCE_S = 60
"""How long DVC and the stage that it runs may take to end after an interruption."""


def repro(stages: Sequence[str]) -> int:
    """Run again what changed since it last ran; return the exit code.

    Args:
        stages: Only these, with what they depend on; empty for all.

    Raises:
        ConfigError: The project is at fault; nothing ran.
    """
    with exclusive("repro", datetime.now(UTC)):
        validate(())
        code_lock.refresh()
        run = continuation.resumed(starting())
        command, environ = [sys.executable, "-m", "dvc", "repro", *stages], {VARIABLE: run.id}
        with supervised(command, folder=str(files.root()), environ=environ) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)  # DVC lets the stage end, and then itself
                process.wait(PATIENCE_S)
                raise
        record_archives()
    return BAD_INPUT if code else 0
