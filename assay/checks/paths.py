"""Paths into a JSON document: JSONPath (RFC 9535), and the dotted keys in which paths were written before.

What begins with `$`, alone or before `.` or `[`, is a JSONPath. Any other path is keys joined by dots, and is read for
ever; where it leads to one value, a position in a list counts from 0, and where it names arguments of a call, it leads
through lists without naming a position.
"""

import re
from collections.abc import Iterable
from typing import Any

from assay import json_path
from assay.checks.finding import quote
from assay.json_path import Location, Place

JSON_PATH = re.compile(r"\$($|[.\[])")


def fault(path: str) -> str:
    """Return what is wrong with a path that leads to a value; empty for a sound one."""
    if JSON_PATH.match(path):
        try:
            json_path.compiled(path)
        except ValueError as error:
            return str(error)
        return ""
    return "" if all(path.split(".")) else "a key of it is empty"


def places(path: str, value: Any) -> list[Place]:  # noqa: ANN401 - any JSON value
    """Return what a sound path leads to: one place or, of a JSONPath, several.

    Args:
        path: Of either spelling.
        value: As `read_json` reads it, so that it is of bounded depth.

    Raises:
        LookupError: Nothing stands there; the text says up to where the path leads.
    """
    if not JSON_PATH.match(path):
        return [_at_keys(path, value)]
    found = json_path.places(path, value)
    if not found:
        raise LookupError(f"nothing at {quote(path)}")
    return found


def locations(paths: Iterable[str], value: Any) -> frozenset[Location]:  # noqa: ANN401 - any JSON value
    """Return where the arguments stand that paths name, lists walked through."""
    several = frozenset(paths)
    if not several:
        return frozenset()
    written = {path for path in several if JSON_PATH.match(path)}
    found = {place.location for path in written for place in json_path.places(path, value)}
    dotted = several - written
    return frozenset(found | {place for place in _walked(value) if _keys(place) in dotted} if dotted else found)


def _at_keys(path: str, value: Any) -> Place:  # noqa: ANN401 - any JSON value
    walked: list[str | int] = []
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            key: str | int = step
        elif isinstance(value, list) and re.fullmatch(r"[0-9]{1,9}", step) and int(step) < len(value):
            key = int(step)
        else:
            raise LookupError(f"nothing at {quote(step)} after {quote('.'.join(map(str, walked)))}")
        value = value[key]
        walked.append(key)
    return Place(tuple(walked), value)


def _walked(value: Any) -> Iterable[Location]:  # noqa: ANN401 - any JSON value
    """Yield the location of each value of an object, however deep."""
    waiting: list[tuple[Location, Any]] = [((), value)]
    while waiting:
        location, node = waiting.pop()
        if isinstance(node, dict):
            yield from ((*location, key) for key in node)
            waiting.extend(((*location, key), item) for key, item in node.items())
        elif isinstance(node, list):
            waiting.extend(((*location, index), item) for index, item in enumerate(node))


def _keys(location: Location) -> str:
    return ".".join(step for step in location if isinstance(step, str))
