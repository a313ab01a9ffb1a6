"""Validation of a whole project before the first paid call: all that a later stage would refuse is refused at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.calibration.certificate import JUDGES
from assay.errors import ConfigError
from assay.judges import prompt
from assay.project import dvc, files, params
from assay.project.tables.traces import TRACES
from assay.project.taxonomy import read_taxonomy
from assay.stages import dvc_yaml, monitor, shards
from assay.stages.registry import STAGES
from assay.targets import environment

GROUNDING = "grounding"
KNOWN_JUDGES = (*JUDGES, GROUNDING)


def validate(stages: Sequence[str]) -> None:
    """Refuse a project in which one of these stages could not end well; nobody is asked.

    Args:
        stages: What will run, in order: what an earlier one writes need not be there yet.

    Raises:
        ConfigError: Parameters, judges, dvc.yaml or the product's own modules are at fault, or a file is missing.
        DataError: The taxonomy or the traces break their contract.
    """
    settings = read_settings()
    _require_judges()
    read_taxonomy()
    shards.require(settings["execute"])
    monitor.policies(settings["monitor"])
    for owner in (settings["generate"], settings["execute"].target):
        environment.environment(getattr(owner, "environment", ""), getattr(owner, "root", "."))
    if set(stages) & set(dvc.declarations()):
        _require_declared(settings)
    _require_files(stages, settings)
    if {"generate", "monitor"} & set(stages):
        TRACES.check_columns()


def read_settings() -> dict[str, Any]:
    """Return the settings of every stage.

    Raises:
        ConfigError: A section is missing, at fault, or is none.
    """
    strange = sorted(set(params.read_all()) - set(STAGES))
    if strange:
        raise ConfigError(
            f"params.yaml has the section {strange[0][:80]!r}, expected one a stage ({', '.join(STAGES)}): "
            "correct its name, or take it out"
        )
    return {name: params.read_params(name, stage.settings) for name, stage in STAGES.items()}


def _require_judges() -> None:
    """Refuse a judge's folder that is none, or a default judge that is not there.

    Raises:
        ConfigError: The text names it.
    """
    folders = sorted(path.name for path in Path(prompt.JUDGES_FOLDER).glob("*") if path.is_dir())
    strange = [name for name in folders if name not in KNOWN_JUDGES]
    if strange:
        raise ConfigError(
            f"{prompt.JUDGES_FOLDER}/{strange[0][:80]} is no judge that anything asks, expected only "
            f"{', '.join(KNOWN_JUDGES)}: take the folder out"
        )
    for name in KNOWN_JUDGES:
        prompt.load(name)


def _require_declared(settings: Mapping[str, Any]) -> None:
    """Refuse a dvc.yaml that lacks what the stages declare, since DVC would record something else than was done.

    Raises:
        ConfigError: The text names the first entry.
    """
    lacks = dvc_yaml.missing(settings, dvc.declarations())
    if lacks:
        more = f" (and {len(lacks) - 1} more)" if len(lacks) > 1 else ""
        raise ConfigError(
            f"dvc.yaml lacks {lacks[0]}{more}, expected what the stages and params.yaml declare: run `assay upgrade`"
        )


def _require_files(stages: Sequence[str], settings: Mapping[str, Any]) -> None:
    """Refuse a run whose later stages would miss a file or folder.

    Raises:
        ConfigError: The text names the stage and the path.
    """
    written: set[str] = set()
    for name in stages:
        stage = STAGES[name]
        for path in (*stage.reads, *stage.inputs(settings[name])):
            if path not in written and not (files.root() / path).exists():
                kind = "file" if Path(path).suffix else "folder"
                raise ConfigError(
                    f"{path} is missing, expected the {kind} that {name} reads: restore it from Git, "
                    + ("or run the stage that makes it" if kind == "file" else f"or make it with `mkdir -p {path}`")
                )
        written |= {output.path for output in stage.writes}
