"""Reading JSON that somebody else wrote, into values that a table can hold."""

import json
import re
from typing import Any, NoReturn

from assay.models.transport import writable

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def load(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value; lone surrogates in its texts become U+FFFD, for no file could hold them.

    Raises:
        ValueError: It is no JSON (RFC 8259: NaN and Infinity are none), not UTF-8, or nested too deeply to be read.
    """
    spelled = text if isinstance(text, str) else text.decode()
    try:
        found = json.loads(spelled, parse_constant=_refuse)
        return json.loads(writable(json.dumps(found, ensure_ascii=False))) if _SURROGATE.search(spelled) else found
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
