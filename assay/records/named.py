"""Named JSON values, kept as the JSON text of one object so that no table depends on what somebody wrote into them."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from assay.records.record import Text

KEY = r"[A-Za-z0-9_]{1,40}"
"""The pattern of a name: templates, judges and delimiters have it in theirs."""
NONE = ""
"""The text of no value at all."""
_KEY = re.compile(KEY)


def is_name(text: str) -> bool:
    """Tell whether a value can have this name."""
    return bool(_KEY.fullmatch(text))


def as_text(values: object) -> object:
    """Return named values in their one spelling, whether they come as an object or as its JSON text.

    Raises:
        ValueError: It is no object of JSON values, or one of its names is none.
    """
    if values in (NONE, None, {}, "{}"):
        return NONE
    try:
        found = json.loads(values, parse_constant=_no_number) if isinstance(values, str) else values
        if not isinstance(found, Mapping):
            raise ValueError("expected an object of names and values")  # noqa: TRY004 - pydantic takes no TypeError
        if strange := [name for name in found if not (isinstance(name, str) and is_name(name))]:
            raise ValueError(f"the name {str(strange[0])[:40]!r} is not of 1 to 40 letters, digits and _ (ASCII)")
        return json.dumps(dict(found), sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"a value is no JSON: {str(error)[:80]}") from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


Named = Annotated[
    Text,
    BeforeValidator(as_text),
    WithJsonSchema({"type": "object", "propertyNames": {"pattern": f"^{KEY}$"}}, mode="validation"),
]
"""Named JSON values: an object, or its JSON text; kept as that text, names sorted."""


def values(text: str) -> dict[str, Any]:
    """Return the values by name."""
    return dict(json.loads(text)) if text else {}


def shown(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as a person reads it: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
