"""The reference of stages and parameters, made from the stages' own declarations: docs/reference.md.

`python -m assay.stages.reference` prints it; a test holds the file against it.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from assay.stages.declaration import Stage
from assay.stages.registry import STAGES
from assay.targets.settings import ChatSettings, HttpSettings, PythonSettings, RecordedSettings

KINDS = (PythonSettings, HttpSettings, ChatSettings, RecordedSettings)

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
        yield from _rows(stage.settings, "", None)
        yield ""
    for kind in KINDS if stage.name == "execute" else ():
        yield f"### execute.target: {kind.model_fields['kind'].annotation.__args__[0]}\n"  # type: ignore[union-attr]
        yield f"{(kind.__doc__ or '').splitlines()[0]}\n"
        yield "| parameter | type | default | |"
        yield "|---|---|---|---|"
        yield from _rows(kind, "", None)
        yield ""


def _rows(record: type[BaseModel], prefix: str, default: BaseModel | None) -> Iterator[str]:
    """Yield a row a parameter; those of a nested record follow under its name, with the defaults that it has there."""
    notes = _notes(record)
    for name, field in record.model_fields.items():
        note = (field.description or notes.get(name, "")).replace("\n", " ").replace("|", "\\|")
        inner = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_record(kind)]
        value = getattr(default, name) if default is not None else field.default
        yield f"| `{prefix}{name}` | {_type(field)} | {_default(field, value)} | {note} |"
        if len(inner) == 1:
            yield from _rows(inner[0], f"{prefix}{name}.", value if _is_record(type(value)) else None)


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
    return _named(field.annotation).replace("|", "\\|")


def _named(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    """Return an annotation as a person writes it, without what validates it."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return "one of its kinds, below" if _is_kinds(inside[0]) else _named(inside[0])
    if _is_kinds(annotation):
        return "one of its kinds, below"
    if origin is Literal:
        return "Literal[" + ", ".join(map(repr, inside)) + "]"
    if origin in (Union, UnionType):
        return " | ".join(_named(one) for one in inside)
    if origin is not None:
        return f"{origin.__name__}[{', '.join('...' if one is Ellipsis else _named(one) for one in inside)}]"
    return "None" if annotation is type(None) else str(getattr(annotation, "__name__", annotation))


def _is_kinds(annotation: Any) -> bool:  # noqa: ANN401
    """Tell whether an annotation is the union of all kinds of target."""
    kinds = [get_args(one)[0] if get_origin(one) is Annotated else one for one in get_args(annotation)]
    return set(kinds) == set(KINDS)


def _default(field: FieldInfo, value: Any) -> str:  # noqa: ANN401 - any default
    if value is PydanticUndefined:
        return "required" if field.is_required() else "none"
    if isinstance(value, BaseModel):
        return "below"
    return f"`{value!r}`".replace("|", "\\|")


def _listed(paths: tuple[str, ...]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


if __name__ == "__main__":
    sys.stdout.write(render())
