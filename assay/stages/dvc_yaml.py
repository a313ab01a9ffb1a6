"""dvc.yaml, written from the declarations of the stages and the product's inputs that params.yaml names."""

from collections.abc import Mapping
from typing import Any

import yaml

from assay.project.code_lock import LOCK, STAGES
from assay.project.tables.evalset import CASES
from assay.stages.declaration import Output, Stage
from assay.stages.registry import STAGES as DECLARED

HEAD = """\
# The pipeline: what each stage reads and writes. `assay upgrade` writes this file from the stages' own declarations and
# from what params.yaml names; stages of your own stay. Code is tracked by the fingerprints of assay.lock.
"""
LISTS = ("deps", "params", "outs", "metrics", "plots")
"""What of a stage is a list of entries."""
ARTIFACTS = {
    "evalset": {
        "path": CASES.path,
        "type": "dataset",
        "desc": "The admitted cases of the evaluation set",
    }
}


class _Writer(yaml.SafeDumper):
    """Writes lists of plain values in one line, and stages apart from each other."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)


def declared(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the stages as dvc.yaml has to have them.

    Args:
        settings: Of each stage, validated, by its name.
    """
    return {name: _stage(DECLARED[name], settings[name]) for name in STAGES}


def render(settings: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> str:
    """Return the text of dvc.yaml.

    Args:
        settings: Of each stage, validated, by its name.
        known: The file as it is, whose own stages and other keys are kept; None for a new one.
    """
    known = known or {}
    own = {name: stage for name, stage in (known.get("stages") or {}).items() if name not in STAGES}
    stages = "\n\n".join(_text({name: stage}, indent="  ") for name, stage in (declared(settings) | own).items())
    rest = {key: value for key, value in known.items() if key not in ("stages", "artifacts")}
    others = {"artifacts": ARTIFACTS | (known.get("artifacts") or {})} | rest
    return f"{HEAD}stages:\n{stages}\n\n{_text(others)}\n"


def missing(settings: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Return what the stages declare and dvc.yaml lacks, such as `judge: data/judges`; more there is no fault."""
    lacks: list[str] = []
    for name, stage in declared(settings).items():
        there = known.get(name) or {}
        if there.get("cmd") != stage["cmd"]:
            lacks.append(f"{name}: {stage['cmd']}")
        for kind in LISTS:
            lacks += [
                f"{name}: {_path(entry)}" for entry in stage.get(kind, []) if entry not in (there.get(kind) or [])
            ]
    return lacks


def shown(entry: Any) -> str:  # noqa: ANN401 - whatever dvc.yaml holds
    """Return an entry of a stage in one line, as dvc.yaml may have it."""
    return entry if isinstance(entry, str) else yaml.safe_dump(entry, default_flow_style=True, width=1000).strip()


def _stage(stage: Stage, settings: Any) -> dict[str, Any]:  # noqa: ANN401 - the settings of any stage
    written: dict[str, Any] = {
        "desc": stage.question,
        "cmd": f"python -m tasks.{stage.name}",
        "deps": [*stage.reads, *stage.inputs(settings)],
        "params": [stage.name, {LOCK: [f"code.{stage.name}"]}],
    }
    for output in stage.writes:
        written.setdefault(output.kind, []).append(_output(output))
    return written


def _output(output: Output) -> Any:  # noqa: ANN401 - a path, or a path with what DVC is to know of it
    about: dict[str, Any] = ({"cache": False} if output.in_git else {}) | ({"persist": True} if output.persist else {})
    about |= output.plot
    return {output.path: about} if about else output.path


def _path(entry: Any) -> str:  # noqa: ANN401
    return str(entry if isinstance(entry, str) else next(iter(entry)))


def _text(value: Mapping[str, Any], indent: str = "") -> str:
    text = yaml.dump(
        dict(value), Dumper=_Writer, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True
    )
    return "\n".join(f"{indent}{line}" if line else line for line in text.rstrip("\n").splitlines())
