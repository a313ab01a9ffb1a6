"""A JSON Schema as strangers write it: valid, finite, its patterns linear in time, and nothing in it ever fetched."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from assay.checks.finding import quote
from assay.errors import DataError
from assay.records.case import Expectation

PATTERN_BYTES = 1 << 17
"""Size of a compiled `pattern` at most."""
UNFOLDED = 5_000
"""Parts of a schema at most when each `$ref` is replaced by what it names: ten that name the next twice are 1,024."""
MOVING = frozenset({"$id", "$dynamicRef", "$recursiveRef"})
"""Keywords, below the root, that make a reference mean something else."""
APART = frozenset({"$id", "id", "$defs", "definitions"})
"""Keys of the root that are no part of it: its name, and the shelves of what counts only when referred to."""
Schema = dict[str, Any]


def compiled(expectation: Expectation, schema: Schema) -> tuple[jsonschema_rs.Validator, bool]:
    """Return the validator of a schema, and whether the schema refers back to itself.

    `format` is asserted; `pattern` is a regular expression without back-references and look-around.

    Raises:
        DataError: The schema is not valid, refers to anything outside itself, or unfolds to too much.
    """
    itself = _require_finite(expectation, schema)
    try:
        validator = jsonschema_rs.validator_for(
            schema,
            offline=True,
            mask="the value",
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES),
        )
    except (jsonschema_rs.ValidationError, ValueError) as error:
        why = quote(str(error).partition("\n")[0])
        raise DataError(f"check {expectation.check!r} has a JSON Schema that is not valid: {why}; mend it") from error
    return validator, itself


def target(schema: Schema, reference: str) -> Any:  # noqa: ANN401 - a schema, or whatever stands there
    """Return what a local reference such as `#/$defs/Address` names.

    Raises:
        LookupError: Nothing stands there, or it is no pointer into this schema.
    """
    pointer = unquote(reference)
    if pointer != "#" and not pointer.startswith("#/"):
        raise LookupError(reference)
    found: Any = schema
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and re.fullmatch(r"[0-9]{1,9}", key) and int(key) < len(found):
            found = found[int(key)]
        else:
            raise LookupError(reference)
    return found


def _require_finite(expectation: Expectation, schema: Schema) -> bool:
    """Refuse references that lead elsewhere or unfold to too much; say whether one leads back to where it stands."""
    parts: dict[str, tuple[int, list[str]]] = {}
    waiting = ["#"]
    while waiting:
        name = waiting.pop()
        if name in parts:
            continue
        try:
            part = target(schema, name)
        except LookupError as error:
            raise DataError(
                f"check {expectation.check!r} has a JSON Schema with the reference {quote(name)}; expected one that "
                "leads to a part of the same schema, such as '#/$defs/address': copy what it names into `$defs`"
            ) from error
        nodes = list(_objects({key: part[key] for key in part.keys() - APART} if part is schema else part))
        _require_one_document(expectation, schema, nodes)
        named = [node["$ref"] for node in nodes if isinstance(node.get("$ref"), str)]
        parts[name] = len(nodes), named
        waiting += named
    size, itself = _unfolded(parts)
    if size > UNFOLDED:
        raise DataError(
            f"check {expectation.check!r} has a JSON Schema that unfolds to {size:.3g} parts; expected at most "
            f"{UNFOLDED}: refer to the same part less often"
        )
    return itself


def _require_one_document(expectation: Expectation, schema: Schema, nodes: list[Schema]) -> None:
    """Refuse what would give a `$ref` another meaning than a pointer into this one document."""
    moving = MOVING | {"id"} if "draft-04" in str(schema.get("$schema")) else MOVING
    for node in nodes:
        for key in moving:
            if isinstance(node.get(key), str):
                raise DataError(
                    f"check {expectation.check!r} has a JSON Schema with {key!r} inside; expected `$ref` only: use it"
                )


def _unfolded(parts: dict[str, tuple[int, list[str]]]) -> tuple[float, bool]:
    """Return the size of the whole with each reference replaced, once where it leads back, and whether one does."""
    size: dict[str, float] = {}
    path: set[str] = set()
    stack, itself = ["#"], False
    while stack:
        name = stack[-1]
        own, named = parts[name]
        path.add(name)
        itself = itself or not path.isdisjoint(named)
        below = [one for one in named if one not in size and one not in path]
        if below and name not in size:
            stack += below
            continue
        stack.pop()
        path.discard(name)
        size.setdefault(name, own + sum(size.get(one, 1.0) for one in named))
    return size["#"], itself


def _objects(value: Any) -> Iterator[Schema]:  # noqa: ANN401 - any JSON value
    """Yield every object in a JSON value, the value itself included."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
