"""Finding things in a product's JSON by JSONPath (RFC 9535), as the parameters say."""

from functools import lru_cache
from typing import Annotated, Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError
from pydantic import AfterValidator

from assay.errors import CallError

_ENVIRONMENT = JSONPathEnvironment(strict=True)


def find(path: str, value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """Return everything that the path leads to, in the order of the document; nothing for an empty path.

    Raises:
        CallError: The value is nested too deeply to be searched.
    """
    if not path:
        return []
    try:
        return list(_compiled(path).findall(value))
    except RecursionError as error:
        raise CallError("malformed", f"the reply is nested too deeply to look for {path}") from error


@lru_cache(maxsize=256)
def _compiled(path: str) -> JSONPath:
    found = _ENVIRONMENT.compile(path)
    if not isinstance(found, JSONPath):
        raise TypeError(f"{path} is more than one path")
    return found


def _checked(path: str) -> str:
    if not path:
        return path
    try:
        _compiled(path)
    except (JSONPathError, TypeError) as error:
        raise ValueError(
            f"found {path[:200]!r} ({error.args[0]}), expected a JSONPath such as $.answer: correct params.yaml"
        ) from error
    return path


Path = Annotated[str, AfterValidator(_checked)]
"""A JSONPath, or empty where the product gives no such thing."""
