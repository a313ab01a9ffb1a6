"""Validation of a whole project before the first paid call: all that a later stage would refuse is refused at once."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from assay.errors import ConfigError
from assay.judges import applicability, prompt
from assay.project import code_lock, dvc, files, params
from assay.project.certificates import CALIBRATION, read_certificates, read_refusals
from assay.project.release_notes import RELEASES, read_notes
from assay.project.tables.evalset import CASES
from assay.project.tables.registry import TABLES
from assay.project.tables.traces import TRACES
from assay.project.taxonomy import read_taxonomy
from assay.stages import calibrate, dvc_yaml, generate, monitor, own_checks, shards
from assay.stages.registry import STAGES
from assay.targets import environment
from assay.targets.preflight import require_given, require_openable

PLACE = re.compile(r"^\d+\. \.\.\.$", re.MULTILINE)
"""A line that a new judge's rubric has to be written in."""
PIPELINE = frozenset(code_lock.STAGES)


def validate(stages: Sequence[str]) -> None:
    """Refuse a project in which one of these stages could not end well; nobody is asked.

    Args:
        stages: What will run, in order: what an earlier one writes need not be there yet; empty where DVC decides.

    Raises:
        ConfigError: Parameters, judges, dvc.yaml or the product's own modules are at fault, or a file is missing.
        DataError: The taxonomy or a table that one of them reads breaks its contract.
    """
    settings = read_settings()
    _require_judges(settings)
    _require_own_checks(stages, settings["judge"].check_modules)
    _require_inputs(stages, settings)
    read_taxonomy()
    shards.require(settings["execute"])
    monitor.policies(settings["monitor"])
    if PIPELINE & set(stages):
        _require_declared(settings)
        dvc.require_repository()
    _require_files(stages, settings)
    if not stages or {"generate", "execute"} & set(stages):
        _require_product(settings)
    _require_tables(stages)


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


def require_overrides(env: str, overrides: Sequence[str]) -> None:
    """Refuse differences from params.yaml with which no run could begin; what is wrong with that file is the run's.

    Raises:
        ConfigError: The environment's file or a single value is at fault.
    """
    if not (env or overrides):
        return
    try:
        read_settings()
    except ConfigError:
        return
    with params.overriding(env, overrides):
        read_settings()


def _require_judges(settings: Mapping[str, Any]) -> None:
    """Refuse a judge's folder that is none, and demands that no judge could be held against.

    Raises:
        ConfigError: The text names it.
    """
    folders = sorted(path.name for path in Path(prompt.JUDGES_FOLDER).glob("*") if path.is_dir())
    for name in folders:
        if name not in prompt.names():
            raise ConfigError(
                f"{prompt.JUDGES_FOLDER}/{name[:80]} has no {prompt.DECLARATION}, expected the declaration of a judge: "
                "run `assay upgrade`, which writes the one of a judge of before, write it, or take the folder out"
            )
        judge = prompt.load(name)
        _require_categories(judge)
        if PLACE.search(judge.rubric):
            raise ConfigError(
                f"{prompt.JUDGES_FOLDER}/{name}/{prompt.RUBRIC} still has the lines that `assay judges new` left open "
                "(1. ...), expected what the judge and people go by: write it"
            )
    calibrate.require_policies(settings["calibrate"])


def _require_own_checks(stages: Sequence[str], modules: Sequence[str]) -> None:
    """Refuse checks of the project's own that are not there; of cases that `review` is going to write its stages tell.

    Raises:
        ConfigError: A module is not in the project.
        DataError: A case names a function that is not there.
    """
    own_checks.require(CASES.stream(may_be_absent=True) if _is_set_known(stages) else (), modules)


def _require_inputs(stages: Sequence[str], settings: Mapping[str, Any]) -> None:
    """Refuse cases without a value that the product's request or a judge's rubric takes.

    Raises:
        DataError: The text names the first one.
    """
    if _is_set_known(stages):
        require_given(settings["execute"].target, CASES.stream(may_be_absent=True))
        applicability.require_inputs(prompt.load_all(), CASES.stream(may_be_absent=True))
        applicability.require_thresholds(prompt.load_all(), CASES.stream(may_be_absent=True))


def _is_set_known(stages: Sequence[str]) -> bool:
    """Tell whether the evaluation set is asked about as it is on file."""
    return "review" not in stages and bool({"execute", "judge"} & set(stages))


def _require_categories(judge: prompt.JudgePrompt) -> None:
    """Refuse a judge that applies to a category which no case can have."""
    known = [one.category for one in read_taxonomy()]
    strange = sorted(set(judge.declared.applies_to.category) - set(known))
    if strange:
        raise ConfigError(
            f"{prompt.JUDGES_FOLDER}/{judge.name}/{prompt.DECLARATION}: applies_to.category has {strange[0][:80]!r}, "
            f"expected some of {', '.join(known)}: correct it, or write its file into data/taxonomy"
        )


def _require_product(settings: Mapping[str, Any]) -> None:
    """Refuse a product that could not be asked, as far as that shows without asking it.

    Raises:
        ConfigError: A module, a function or a variable that the parameters name is not there.
        DataError: Recorded answers are damaged.
    """
    target = settings["execute"].target
    for owner, where in ((settings["generate"], "generate"), (target, "execute.target")):
        environment.environment(getattr(owner, "environment", ""), getattr(owner, "root", "."), where=where)
    if settings["generate"].documents:
        generate.require_documents(settings["generate"].documents, settings["generate"].root)
    generate.lexicon(settings["generate"].lexicon)
    require_openable(target, os.environ, mode=settings["execute"].mode)


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


def _require_tables(stages: Sequence[str]) -> None:
    """Refuse tables, certificates and release notes that one of these stages would stumble over.

    Raises:
        DataError: The text names the file and the row.
    """
    written = {output.path for name in stages for output in STAGES[name].writes if not output.persist}
    # Monitoring leaves out the conversations that it cannot read; a night goes on without any of it.
    reads = {path for name in stages if name != monitor.STAGE.name for path in STAGES[name].reads}
    reads |= {output.path for name in stages for output in STAGES[name].writes if output.persist}
    for table in TABLES.values():
        if table.path in written or not any(PurePath(table.path).is_relative_to(path) for path in reads):
            continue
        if table is TRACES:
            table.check_columns()
        elif table.is_streamed and table.exists():
            table.count()
        else:
            table.read(may_be_absent=True)
    if CALIBRATION in reads:
        read_certificates()
        read_refusals()
    if RELEASES in reads:
        read_notes()


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
