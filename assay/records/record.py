"""The base of every record: one row of one table, immutable, and its canonical hash.

Times are UTC, durations seconds, money US dollars; the unit is in the name. Content that has no fixed shape (tool
arguments, an environment's end state) is JSON text, so that a table never depends on what a model wrote.

The law of hashes (docs/identity.md): a record is hashed without the fields that have their default value, so that a new
optional field changes no hash on file. Hence a default never changes, and a field is renamed only with its old name.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, ClassVar, NamedTuple

import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from assay.arrow import struct

Conversion = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the fields of a row of one schema those of the next one."""

LONE = re.compile("[\ud800-\udfff]")


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""An identifier: it may become part of an anchor, a table key or a file's name, so nothing else is let in."""


_FIRST, _MORE = r"\p{Ll}\p{Lo}\p{Nd}", r"\p{Ll}\p{Lo}\p{Lm}\p{M}\p{Nd}._-"
PersonName = Annotated[str, StringConstraints(pattern=rf"^[{_FIRST}][{_MORE}]{{0,99}}$")]
"""What a person is called in the logs: an identifier in the letters of any script, small ones where it has such."""


def _whole(text: str) -> str:
    if not text.isascii() and LONE.search(text):
        raise ValueError("half a character (a lone surrogate) stands in it: write the whole character")
    return text


Text = Annotated[str, AfterValidator(_whole)]
"""What a person wrote; no file could hold half a character."""


class Record(BaseModel):
    """One row of one table: immutable, closed to unknown fields, without NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    always_hashed: ClassVar[Collection[str]] = ()
    """Fields with a default that stood in hashes before there was the law: they are hashed whatever their value. No new
    field ever becomes one of them."""
    old_names: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """By renamed field: the names that it had before, the oldest first. That one stands in its hash for ever, and rows
    with any of them are read."""
    omitted_where_empty: ClassVar[Collection[str]] = ()
    """Optional fields that a row of JSON Lines holds only where they are not empty: rows of before they existed keep
    their bytes when the file is written again."""
    conversions: ClassVar[tuple[Conversion, ...] | None] = None
    """For rows that people own: what makes rows of schema 1 those of schema 2, and so on to the schema of today. None
    for rows that carry no schema, since they can be made anew."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        """Let fields be read by their old names."""
        schema = handler(source)
        return no_info_before_validator_function(cls._renamed, schema) if cls.old_names else schema

    @classmethod
    def _renamed(cls, fields: object) -> object:
        if not isinstance(fields, dict):
            return fields
        today: dict[str, str] = {}
        for name, before in cls.old_names.items():
            old = next((old for old in before if old in fields), name)
            today |= {} if name in fields else {old: name}
        return {today.get(name, name): value for name, value in fields.items()}

    @classmethod
    def arrow_schema(cls) -> pa.Schema:
        """Return the Arrow schema of the table whose rows are this record."""
        return pa.schema(list(struct(cls)))


def hashed_fields(record: Record, only: Collection[str] | None = None) -> dict[str, Any]:
    """Return the fields of a record that enter its hash, by their oldest names; values are hashed by the same law.

    Args:
        record: What is hashed.
        only: Fields that count for this hash; None for all.
    """
    fields, values = _hashing(type(record))
    return {
        field.oldest: value
        for field, value in zip(fields, values(record), strict=True)
        if value != field.default and (only is None or field.name in only)
    }


class _Hashed(NamedTuple):
    """A field, as it enters a hash."""

    name: str
    oldest: str
    """Its name in the hash."""
    default: object
    """The value that is left out; of some fields there is none."""


@cache
def _hashing(record: type[Record]) -> tuple[tuple[_Hashed, ...], Callable[[Record], tuple[object, ...]]]:
    """Return the fields of a record as they enter its hash, and what reads their values."""
    kept = object()
    fields = []
    for name, field in record.model_fields.items():
        is_kept = field.is_required() or name in record.always_hashed
        default = kept if is_kept else field.get_default(call_default_factory=True)
        fields.append(_Hashed(name, record.old_names.get(name, (name,))[0], default))
    names = [field.name for field in fields]
    if len(names) > 1:
        return tuple(fields), attrgetter(*names)
    return tuple(fields), lambda row: tuple(getattr(row, name) for name in names)


def _plain(value: object) -> object:
    return hashed_fields(value) if isinstance(value, Record) else str(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_plain)


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value, and records in it
    """Return the SHA-256 of a value in its one canonical spelling, as 16 hexadecimal digits.

    Args:
        value: A record or any JSON value with records anywhere in it; each of them counts by `hashed_fields`.
    """
    return hashlib.sha256(_CANONICAL.encode(value).encode()).hexdigest()[:16]
