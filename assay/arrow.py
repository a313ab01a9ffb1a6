"""Which Arrow type a record has on disk: one field a model field, and only `X | None` may be null."""

from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel

ARROW = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
}


def struct(record: type[BaseModel]) -> pa.StructType:
    """Return one Arrow field a model field; only `X | None` is nullable."""
    fields = []
    for name, field in record.model_fields.items():
        kind, nullable = _optional(field.annotation)
        fields.append(pa.field(name, _arrow(kind), nullable=nullable))
    return pa.struct(fields)


def _optional(kind: Any) -> tuple[Any, bool]:  # noqa: ANN401 - a type expression
    if get_origin(kind) in (Union, UnionType):
        (inner,) = [part for part in get_args(kind) if part is not NoneType]
        return inner, True
    return kind, False


def _arrow(kind: Any) -> pa.DataType:  # noqa: ANN401 - a type expression
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return pa.string()
    if get_origin(kind) is list:
        return pa.list_(pa.field("item", _arrow(get_args(kind)[0]), nullable=False))
    if get_origin(kind) is dict:
        return pa.map_(*map(_arrow, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return struct(kind)
    return ARROW[kind]
