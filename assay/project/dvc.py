"""Record: what did a stage read and write? DVC's lock file says so, and it must not lie.

`dvc commit` records whatever lies in the workspace. So the dependencies are hashed before the stage runs and again
after it, and only a stage that finished on unmoved inputs is committed; a stage that failed leaves dvc.lock as it was.
Where DVC itself refuses, that costs no verdict: the run has ended well, and says what is not recorded.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from assay.errors import AssayError, BusyError, ConfigError, RecordError
from assay.project import archive, code_lock, failures, files, params, programs
from assay.records.optional import Guard
from assay.records.parts import PARTS
from assay.records.record import digest
from assay.text import one_line
from assay.yaml_text import YamlError, parse_yaml

ABSENT = "absent"
FIELDS = frozenset(
    {"cmd", "wdir", "deps", "params", "outs", "metrics", "plots", "frozen", "always_changed", "desc", "meta"}
    | {"vars", "foreach", "do", "matrix"}
)
"""What DVC knows of a stage."""


_together: ContextVar[dict[str, dict[str, str]] | None] = ContextVar("_together", default=None)
"""Stages of this run that have finished, each with the hashes of its inputs; None where each is recorded at once."""


@contextmanager
def recording(stage: str) -> Iterator[None]:
    """Commit one stage to dvc.lock after the block, if it finished and its inputs did not move meanwhile.

    A run with overrides is not recorded: dvc.lock would say that params.yaml made what it did not.

    Raises:
        RecordError: An input is missing or moved while the stage ran, or DVC could not commit; dvc.lock is unchanged.
    """
    if params.overrides():
        yield
        return
    before = inputs(stage)
    absent = [name for name, found in before.items() if found == ABSENT]
    if absent:
        raise RecordError(
            f"{', '.join(absent)} is declared in dvc.yaml for {stage} but missing: run what makes it first"
        )
    yield
    _require_unmoved(stage, before)
    waiting = _together.get()
    if waiting is None:
        _commit(stage)
    else:
        waiting[stage] = before


@contextmanager
def recording_together() -> Iterator[None]:
    """Commit what finishes inside the block in one go, since DVC takes seconds to start; also after an error.

    That is the stages, and the archive of a run, which a run with overrides has too. Where DVC refuses, what the stages
    made stands all the same, and the refusal is a failed part of the run.

    Raises:
        RecordError: An input is missing, or moved while a stage ran; dvc.lock is unchanged.
    """
    waiting: dict[str, dict[str, str]] = {}
    token = _together.set(waiting)
    try:
        yield
    except BaseException:
        with suppress(RecordError):  # the error that ended the run is the one to tell; a rerun records what is left
            _commit_finished(waiting, patience_s=0)
        raise
    finally:
        _together.reset(token)
    _commit_finished(waiting)


def _commit_finished(waiting: Mapping[str, dict[str, str]], patience_s: float = programs.PATIENCE_S) -> None:
    for stage, before in waiting.items():
        _require_unmoved(stage, before)
    if not waiting:
        record_archives(patience_s)
        return
    guard = Guard()
    try:
        _commit(*waiting, patience_s=patience_s)
    except RecordError as error:
        kept, why = archive.pending(), one_line(error.__cause__ or error)
        archive.refused(kept, why)
        command = programs.recording_command(*waiting, *kept)
        guard.refused(
            f"{PARTS['stages']} {', '.join(waiting)}",
            f"was refused by DVC ({why}): once that is fixed, `{command}` records what "
            "is here, and so does the next `assay nightly`",
            error,
        )
    failures.keep("record", guard)


def record_archives(patience_s: float = programs.PATIENCE_S) -> None:
    """Commit the archived runs that DVC does not hold yet; where it refuses, that is a failed part of the run.

    Args:
        patience_s: How long to wait where another process holds DVC's lock.
    """
    kept = archive.pending()
    if not kept:
        return
    try:
        require_repository()
        programs.record(*kept, patience_s=patience_s)
    except (BusyError, ConfigError, RecordError) as error:
        _not_archived(kept, error)
    else:
        archive.committed(kept)


def _not_archived(kept: Sequence[str], error: AssayError) -> None:
    """Say why DVC does not hold the archived runs, among the failures of the run and in the record of each."""
    failures.add("publish", PARTS["archive"], error)
    archive.refused(kept, one_line(error))


def _require_unmoved(stage: str, before: Mapping[str, str]) -> None:
    moved = sorted(name for name, found in inputs(stage).items() if before.get(name) != found)
    if moved:
        raise RecordError(f"{', '.join(moved)} changed while {stage} ran, so its result is not recorded: run it again")


def inputs(stage: str) -> dict[str, str]:
    """Return the hash of each dependency, parameter section and code fingerprint that dvc.yaml declares for a stage."""
    root = files.root()
    declared = declarations()[stage]
    hashes = {name: _hash(root / name) for name in declared.get("deps", [])}
    parameters = params.read_file()
    for entry in declared.get("params", []):
        if isinstance(entry, str):
            hashes[f"{files.PARAMS}:{entry}"] = digest(parameters.get(entry))
        elif code_lock.LOCK in entry:
            hashes[f"the code of {stage}"] = code_lock.fingerprint(stage)
    return hashes


def require_repository() -> None:
    """Refuse a project in which DVC could record nothing.

    Raises:
        RecordError: The folder is no DVC repository, or lies in no Git repository although DVC expects one.
    """
    config = files.root() / ".dvc/config"
    if not config.is_file():
        raise RecordError(f"{files.root()} is no DVC repository: run `dvc init`")
    if "no_scm" in config.read_text(encoding="utf8"):
        return
    if not any((folder / ".git").exists() for folder in (files.root(), *files.root().parents)):
        raise RecordError(f"{files.root()} lies in no Git repository, as DVC expects: run `git init`")


def declarations() -> dict[str, Any]:
    """Return the stages of dvc.yaml.

    Raises:
        ConfigError: It is missing, or declares no stages.
    """
    stages: dict[str, Any] = whole()["stages"]
    return stages


def whole() -> dict[str, Any]:
    """Return dvc.yaml, which has a mapping of stages.

    Raises:
        ConfigError: It is missing, or none.
    """
    try:
        value = parse_yaml((files.root() / "dvc.yaml").read_bytes())
    except (OSError, YamlError) as error:
        raise ConfigError(
            f"dvc.yaml cannot be read ({one_line(error)}), expected the pipeline: correct it, or delete it, and "
            "`assay upgrade` writes it"
        ) from error
    stages = value.get("stages") if isinstance(value, dict) else None
    if not (isinstance(stages, dict) and all(isinstance(stage, dict) for stage in stages.values())):
        raise ConfigError(
            "dvc.yaml declares no stages, expected the pipeline: delete it, and `assay upgrade` writes it"
        )
    for name, stage in stages.items():
        if strange := sorted(map(str, set(stage) - FIELDS)):
            raise ConfigError(f"dvc.yaml: stages.{name} has {strange[0][:80]!r}, which DVC does not know: correct it")
    if not isinstance(value.get("artifacts") or {}, dict):
        raise ConfigError("dvc.yaml: artifacts is no mapping, expected one by name: correct it")
    return dict(value)


def _hash(file: Path) -> str:
    if file.is_dir():
        inside = sorted(path for path in file.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return digest([[str(path.relative_to(file)), _hash(path)] for path in inside])
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ABSENT


def _commit(*stages: str, patience_s: float = programs.PATIENCE_S) -> None:
    """Commit stages with the archived runs; where DVC refuses both, the stages alone, and the archives' part failed."""
    require_repository()
    kept = archive.pending()
    try:
        programs.record(*stages, *kept, patience_s=patience_s)
    except (BusyError, ConfigError) as error:
        if not kept or isinstance(error, BusyError):
            raise _refused(stages, error) from error
        _commit_alone(stages)
        _not_archived(kept, error)
    else:
        if kept:
            archive.committed(kept)


def _commit_alone(stages: Sequence[str]) -> None:
    try:
        programs.record(*stages)
    except (BusyError, ConfigError) as error:
        raise _refused(stages, error) from error


def _refused(stages: Sequence[str], error: AssayError) -> RecordError:
    return RecordError(f"DVC cannot record {', '.join(stages)} ({error}): run `dvc doctor`, then the stage again")
