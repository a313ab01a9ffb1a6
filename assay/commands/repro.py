"""Repro: `dvc repro` with a fresh code lock, on a project that is valid throughout."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from assay.commands.validate import validate
from assay.project import code_lock, files
from assay.project.entrypoint import BAD_INPUT
from assay.project.run_lock import exclusive


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
        done = subprocess.run([sys.executable, "-m", "dvc", "repro", *stages], cwd=files.root(), check=False)
    return BAD_INPUT if done.returncode else 0
