"""Tool calls in a product's JSON, of any shape: where they stand, and where in each its name and arguments do."""

import json
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationError

from assay.records.record import Record
from assay.targets import json_path
from assay.targets.reply import Call

NAMELESS = "(unreadable call)"
"""The name of a call that is not where the parameters say, in a response; no tool has it."""


class CallMap(Record):
    """Tool calls of a product's own shape; each part is found by a JSONPath that begins at the call."""

    path: Annotated[json_path.Path, Field(min_length=1)]
    """Where the calls stand: a list, or each of them."""
    name: Annotated[json_path.Path, Field(min_length=1)] = "$.name"
    arguments: json_path.Path = "$.arguments"
    """An object, or its JSON text; where nothing stands there, the call has no arguments."""
    failed: json_path.Path = ""
    """What marks a call that failed; empty where `failed` or `error` does."""


def _form(value: Any) -> str:  # noqa: ANN401 - whatever params.yaml holds
    return "map" if isinstance(value, dict | CallMap) else "path"


ToolCalls = Annotated[Annotated[json_path.Path, Tag("path")] | Annotated[CallMap, Tag("map")], Discriminator(_form)]
"""The parameter `answer.tool_calls`: a path to calls of a usual shape, or a map of calls of another one."""


class UnmappedError(ValueError):
    """A call that is not of the shape that the parameters say."""


def path(where: str | CallMap) -> str:
    """Return where the calls stand."""
    return where.path if isinstance(where, CallMap) else where


def mapped(where: str | CallMap, call: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Return a call as `reply.read` expects it.

    Raises:
        UnmappedError: It has another shape; the text says what was found, and what the parameters expect.
    """
    if isinstance(where, CallMap):
        call = _parts(where, call)
    try:
        return Call.model_validate(call).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UnmappedError(
            f"found {call!r:.200}, expected an object with `name` and `arguments` ({place}: {first['msg']})"
        ) from error


def unreadable(call: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Return what stands in a response for a call that is not of the declared shape: a call of no tool, as it came."""
    return {"name": NAMELESS, "arguments": json.dumps(call, ensure_ascii=False), "failed": False}


def _parts(where: CallMap, call: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    name = _only(where.name, call)
    if not isinstance(name, str) or not name:
        raise UnmappedError(f"found {call!r:.200}, in which {where.name} is {name!r:.80}, expected the name of a tool")
    arguments = _only(where.arguments, call)
    if not isinstance(arguments, dict | str | None):
        raise UnmappedError(
            f"found {call!r:.200}, in which {where.arguments} is {arguments!r:.80}, expected an object or its JSON text"
        )
    marks = call if not where.failed and isinstance(call, dict) else {}
    failed = bool(_only(where.failed, call) or marks.get("failed") or marks.get("error"))
    return {"name": name, "arguments": arguments or {}, "failed": failed}


def _only(where: str, call: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what stands at a path, None for nothing."""
    found = json_path.find(where, call)
    if len(found) > 1:
        raise UnmappedError(f"found {call!r:.200}, in which {where} leads to {len(found)} values, expected one")
    return found[0] if found else None
