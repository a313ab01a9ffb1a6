"""Record: what did a stage read and write? DVC's lock file says so, and it must not lie.

`dvc commit` records whatever lies in the workspace. So the dependencies are hashed before the stage runs and again
after it, and only a stage that finished on unmoved inputs is committed; a stage that failed leaves dvc.lock as it was.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from assay.errors import RecordError
from assay.records import digest
from tasks import store

ABSENT = "absent"


@contextmanager
def recording(stage: str) -> Iterator[None]:
    """Commit one stage to dvc.lock after the block, if it finished and its inputs did not move meanwhile.

    Raises:
        RecordError: An input is missing or moved while the stage ran, or DVC could not commit; dvc.lock is unchanged.
    """
    before = inputs(stage)
    absent = [name for name, found in before.items() if found == ABSENT]
    if absent:
        raise RecordError(
            f"{', '.join(absent)} is declared in dvc.yaml for {stage} but missing: run what makes it first"
        )
    yield
    moved = sorted(name for name, found in inputs(stage).items() if before.get(name) != found)
    if moved:
        raise RecordError(f"{', '.join(moved)} changed while {stage} ran, so its result is not recorded: run it again")
    _commit(stage)


def inputs(stage: str) -> dict[str, str]:
    """Return the hash of each dependency and parameter section that dvc.yaml declares for a stage."""
    root = store.root()
    declared = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf8"))["stages"][stage]
    found = {name: _hash(root / name) for name in declared.get("deps", [])}
    parameters = yaml.safe_load((root / "params.yaml").read_text(encoding="utf8"))
    return found | {f"params.yaml:{section}": digest(parameters.get(section)) for section in declared.get("params", [])}


def _hash(file: Path) -> str:
    if file.is_dir():
        inside = sorted(path for path in file.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return digest([[str(path.relative_to(file)), _hash(path)] for path in inside])
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ABSENT


def _commit(stage: str) -> None:
    from dvc.exceptions import DvcException

    logging.getLogger("dvc").setLevel(logging.WARNING)
    try:
        with _repository() as repository:
            repository.commit(stage, force=True)
    except DvcException as error:
        raise RecordError(f"DVC cannot record {stage} ({error}): run `dvc doctor`, then the stage again") from error


def _repository() -> Any:  # noqa: ANN401 - DVC publishes no types
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo

    try:
        return Repo(str(store.root()))
    except NotDvcRepoError as error:
        raise RecordError(f"{store.root()} is no DVC repository: run `dvc init`") from error
