"""dvc.yaml, written from the declarations of the stages and the product's inputs that params.yaml names."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from textwrap import indent
from typing import Any

import yaml

from assay.project.code_lock import LOCK, STAGES
from assay.project.tables.evalset import CASES
from assay.stages.declaration import Output, Stage
from assay.stages.registry import STAGES as DECLARED
from assay.yaml_text import YamlError, parse_yaml

HEAD = """\
# The pipeline: what each stage reads and writes. `assay upgrade` writes this file from the stages' own declarations and
# from what params.yaml names; stages of your own stay. Code is tracked by the fingerprints of assay.lock.
"""
COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
"""A comment, or what looks like one in a text."""
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


def render(settings: Mapping[str, Any], known: Mapping[str, Any] | None = None, text: str = "") -> str:
    """Return the text of dvc.yaml.

    Args:
        settings: Of each stage, validated, by its name.
        known: The file as it is, whose own stages and other keys are kept; None for a new one.
        text: Its text, of which own stages keep their lines, comments included, where they stand in lines of their own.
    """
    known = known or {}
    own = {name: stage for name, stage in (known.get("stages") or {}).items() if name not in STAGES}
    written = _blocks(text)
    stages = [_text({name: stage}, margin="  ") for name, stage in declared(settings).items()]
    stages += [_kept(written.get(name, ""), {name: stage}) for name, stage in own.items()]
    rest = {key: value for key, value in known.items() if key not in ("stages", "artifacts")}
    others = {"artifacts": artifacts(known.get("artifacts") or {})} | rest
    joined = "\n\n".join(stages)
    return f"{HEAD}stages:\n{joined}\n\n{_text(others)}\n"


def artifacts(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the artifacts as dvc.yaml has to have them: a person's own stay, and what is said besides of the tool's.

    Args:
        known: The artifacts as they are.
    """
    ours = {
        name: (known[name] if isinstance(known.get(name), Mapping) else {}) | entry for name, entry in ARTIFACTS.items()
    }
    return ours | {name: entry for name, entry in known.items() if name not in ours}


def lost_comments(before: str, after: str) -> list[str]:
    """Return the comments of one text of dvc.yaml that another one lacks, each once."""
    kept = set(COMMENT.findall(after))
    return [comment for comment in dict.fromkeys(COMMENT.findall(before)) if comment not in kept]


def _blocks(text: str) -> dict[str, str]:
    """Return the lines of each stage by its name, without their margin, with the comments above it.

    None where stages share a line, as in `stages: {mine: {cmd: make}}`.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader) if text else None
    mapping = next((node for key, node in root.value if key.value == "stages"), None) if root else None
    if not isinstance(mapping, yaml.MappingNode) or mapping.flow_style:
        return {}
    lines = text.splitlines()
    starts = [_first_line(lines, key.start_mark.line) for key, _ in mapping.value]
    following = [*starts[1:], mapping.end_mark.line]
    blocks = {}
    for (key, _), start, end in zip(mapping.value, starts, following, strict=True):
        own = [_without_margin(line, key.start_mark.column) for line in lines[start : _first_line(lines, end)]]
        blocks[key.value] = "\n".join(own).strip("\n")
    return blocks


def _without_margin(line: str, column: int) -> str:
    """Return a line without the margin that its stage has; a comment may stand further out."""
    return line[column:] if not line[:column].strip() else line.lstrip()


def _first_line(lines: Sequence[str], line: int) -> int:
    """Return where the comments begin that stand right above a line."""
    while line and lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line


def _kept(text: str, stage: Mapping[str, Any]) -> str:
    """Return the lines of a person's own stage, moved in or out; written anew where they are not the stage alone."""
    moved = indent(text, "  ")
    with suppress(YamlError):
        if text and parse_yaml(moved) == stage:
            return moved
    return _text(stage, margin="  ")


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


def _text(value: Mapping[str, Any], margin: str = "") -> str:
    text = yaml.dump(
        dict(value), Dumper=_Writer, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True
    )
    return "\n".join(f"{margin}{line}" if line else line for line in text.rstrip("\n").splitlines())
