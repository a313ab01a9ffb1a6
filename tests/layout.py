"""What the tree itself says: the stages, and which modules each one's code is made of."""

from functools import lru_cache
from pathlib import Path

from assay.code.fingerprint import closure
from assay.project.code_lock import STAGES as LOCKED

ROOT = Path(__file__).parent.parent
STAGES = list(LOCKED)
"""In the order of the map; `release` is a stage that tags the commit which holds the others."""


@lru_cache
def code(stage: str) -> frozenset[str]:
    """Return every module and resource that a stage is made of: itself, what it imports, and what that imports."""
    return frozenset(closure([f"assay.stages.{stage}"], [ROOT]).files)
