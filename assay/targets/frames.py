"""Messages between Assay and the processes of a Python product: four bytes of length, then JSON in UTF-8.

No pickle: whatever the other side sends, reading it executes nothing.
"""

import json
import struct
from typing import Any

HEADER = struct.Struct(">I")
MOST_BYTES = 2**32 - 1
"""What the header can announce."""


def pack(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return the frame of a JSON value; lone surrogates are carried over as they are.

    Raises:
        ValueError: It holds NaN, itself, or more than a frame can carry.
        TypeError: It is no JSON value.
        RecursionError: It is nested too deeply.
    """
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
    if len(body) > MOST_BYTES:
        raise ValueError(f"{len(body)} bytes are more than a frame can carry")
    return HEADER.pack(len(body)) + body


def unpack(body: bytes) -> str:
    """Return the JSON text of a frame's body; raises ValueError when it is not UTF-8."""
    return body.decode("utf-8", "surrogatepass")
