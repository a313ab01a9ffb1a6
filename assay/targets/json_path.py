"""Finding things in a product's JSON by JSONPath, as the parameters say."""

from typing import Annotated, Any

from pydantic import AfterValidator

from assay import json_path
from assay.errors import CallError


def find(path: str, value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """Return everything that the path leads to, in the order of the document; nothing for an empty path.

    Raises:
        CallError: The value is nested too deeply to be searched.
    """
    if not path:
        return []
    try:
        return [place.value for place in json_path.places(path, value)]
    except RecursionError as error:
        raise CallError("malformed", f"the reply is nested too deeply to look for {path}") from error


def _checked(path: str) -> str:
    if not path:
        return path
    try:
        json_path.compiled(path)
    except ValueError as error:
        raise ValueError(
            f"found {path[:200]!r} ({error}), expected a JSONPath such as $.answer: correct params.yaml"
        ) from error
    return path


Path = Annotated[str, AfterValidator(_checked)]
"""A JSONPath, or empty where the product gives no such thing."""
