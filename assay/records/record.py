"""The base of every record: one row of one table, immutable, and its canonical hash.

Times are UTC, durations seconds, money US dollars; the unit is in the name. Content that has no fixed shape (tool
arguments, an environment's end state) is JSON text, so that a table never depends on what a model wrote.
"""

import hashlib
import json
import re
from typing import Annotated, Any

import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from assay.arrow import struct

LONE = re.compile("[\ud800-\udfff]")


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""An identifier: it may become part of an anchor, a table key or a file's name, so nothing else is let in."""


def _whole(text: str) -> str:
    if not text.isascii() and LONE.search(text):
        raise ValueError("half a character (a lone surrogate) stands in it: write the whole character")
    return text


Text = Annotated[str, AfterValidator(_whole)]
"""What a person wrote; no file could hold half a character."""


class Record(BaseModel):
    """One row of one table: immutable, closed to unknown fields, without NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def arrow_schema(cls) -> pa.Schema:
        """Return the Arrow schema of the table whose rows are this record."""
        return pa.schema(list(struct(cls)))


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the SHA-256 of a JSON value in its one canonical spelling, as 16 hexadecimal digits."""
    return hashlib.sha256(_CANONICAL.encode(value).encode()).hexdigest()[:16]
