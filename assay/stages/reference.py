"""The reference of stages and parameters, made from the stages' own declarations: docs/reference.md.

`python -m assay.stages.reference` prints it; a test holds the file against it.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from assay.stages.declaration import Stage
from assay.stages.registry import STAGES

HEAD = """\
# Reference: stages and parameters

Made by `python -m assay.stages.reference` from the stages' own declarations. A section of `params.yaml` holds what
differs from these defaults; `{}` takes all of them. `--set section.key=value` changes one for a single run,
`--env NAME` reads `params.NAME.yaml` over `params.yaml`. A run with either is not recorded in `dvc.lock`, and its
report says what differed.
"""


def render() -> str:
    """Return the whole reference as Markdown."""
    return "\n".join([HEAD, *(line for stage in STAGES.values() for line in _stage(stage))])


def _stage(stage: Stage) -> Iterator[str]:
    yield f"## {stage.name}\n"
    yield f"{stage.question}\n"
    yield f"- reads {_listed(stage.reads)}"
    yield f"- writes {_listed(tuple(output.path for output in stage.writes))}"
    yield f"- asks {stage.asks}\n"
    if stage.settings.model_fields:
        yield "| parameter | type | default | |"
        yield "|---|---|---|---|"
        yield from _rows(stage.settings, "")
        yield ""


def _rows(record: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield a row a parameter; those of a nested record follow under its name."""
    notes = _notes(record)
    for name, field in record.model_fields.items():
        note = (field.description or notes.get(name, "")).replace("\n", " ").replace("|", "\\|")
        inner = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_record(kind)]
        yield f"| `{prefix}{name}` | {_type(field)} | {_default(field)} | {note} |"
        if len(inner) == 1:
            yield from _rows(inner[0], f"{prefix}{name}.")


def _notes(record: type[BaseModel]) -> dict[str, str]:
    """Return what stands below each field of a record in its source, and in those of its bases."""
    notes: dict[str, str] = {}
    for kind in reversed(record.__mro__):
        if kind is BaseModel or not issubclass(kind, BaseModel):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0].body  # type: ignore[attr-defined]
        for pair in pairwise(body):
            match pair:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(note))):
                    notes[name] = " ".join(note.split())
    return notes


def _is_record(kind: Any) -> bool:  # noqa: ANN401 - any annotation
    return inspect.isclass(kind) and issubclass(kind, BaseModel)


def _type(field: FieldInfo) -> str:
    text = str(getattr(field.annotation, "__name__", field.annotation)) if inspect.isclass(field.annotation) else ""
    text = text or str(field.annotation).replace("typing.", "")
    for kind in (kind for kind in get_args(field.annotation) if inspect.isclass(kind)):
        text = text.replace(f"{kind.__module__}.{kind.__qualname__}", kind.__name__)
    text = "one of its kinds (docs/execute.md)" if "Annotated[Annotated" in text or "ChatSettings" in text else text
    return text.replace("|", "\\|").replace("NoneType", "None")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, BaseModel):
        return "below"
    return f"`{value!r}`".replace("|", "\\|")


def _listed(paths: tuple[str, ...]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


if __name__ == "__main__":
    sys.stdout.write(render())
