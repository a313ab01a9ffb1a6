"""JSONPath (RFC 9535), the one path language of checks and targets, in bounded time whatever the document holds.

A path stands in a file of the project, the document is what a model or a product wrote. So a path searches all depths
twice at most, a filter looks at what names and positions lead to, and `match` and `search` read their patterns as RE2
does, in linear time.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import re2
from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch
from jsonpath.filter import BaseExpression, FilterQuery, walk
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import Filter

LONGEST = 1_000
"""Characters of a path."""
MOST_DESCENTS = 2
"""How often a path may search all depths: each multiplies what is visited by the depth of the document."""
MOST_SELECTED = 64
"""How often one value may be named, as by `[*, *]`, over all segments."""
Location = tuple[str | int, ...]
"""Keys and positions from the root to a value."""


class Place(NamedTuple):
    """A value in a document, and where it stands."""

    location: Location
    value: Any


class _Pattern(FilterFunction):
    """The function `match` or `search`; a pattern that RE2 does not take matches nothing, as the RFC has it."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the library's own declaration
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        options = re2.Options()
        options.log_errors = False
        try:
            compiled = re2.compile(pattern, options)
            return bool((compiled.fullmatch if self._is_whole else compiled.search)(value))
        except (re2.error, UnicodeEncodeError):
            return False


class _Environment(JSONPathEnvironment):
    """RFC 9535 to the letter, but for the patterns."""

    max_recursion_depth = 200

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions |= {"match": _Pattern(is_whole=True), "search": _Pattern(is_whole=False)}


_ENVIRONMENT = _Environment(strict=True)


@lru_cache(maxsize=1024)
def compiled(path: str) -> JSONPath:
    """Return a path that may be searched for.

    Raises:
        ValueError: It is no JSONPath, or one that could take too long; the text says why.
    """
    if len(path) > LONGEST:
        raise ValueError(f"it has {len(path)} characters, at most {LONGEST} are read")
    try:
        found = _ENVIRONMENT.compile(path)
    except JSONPathError as error:
        raise ValueError(str(error.args[0])) from error
    if not isinstance(found, JSONPath):
        raise ValueError("it is more than one path")  # noqa: TRY004 - whoever wrote the path is told, as of any fault
    _require_bounded(found.segments)
    return found


def places(path: str, value: Any) -> list[Place]:  # noqa: ANN401 - any JSON value
    """Return all that a path leads to, in the order of the document.

    Raises:
        ValueError: As for `compiled`.
        RecursionError: The value is nested too deeply to be searched.
    """
    nodes: Iterable[JSONPathMatch] = [
        JSONPathMatch(filter_context={}, obj=value, parent=None, path="$", parts=(), root=value)
    ]
    for segment in compiled(path).segments:
        nodes = segment.resolve(nodes)
    return [Place(node.parts, node.obj) for node in nodes]


def spelled(location: Location) -> str:
    """Return a location as a JSONPath that leads to it alone."""
    steps = []
    for step in location:
        if isinstance(step, int):
            steps.append(f"[{step}]")
        elif step.isidentifier() and step.isascii():
            steps.append(f".{step}")
        else:
            steps.append(f"[{json.dumps(step)}]")
    return "$" + "".join(steps)


def _require_bounded(segments: tuple[JSONPathSegment, ...]) -> None:
    if sum(isinstance(one, JSONPathRecursiveDescentSegment) for one in segments) > MOST_DESCENTS:
        raise ValueError(f"it has `..` more than {MOST_DESCENTS} times")
    selected = 1
    for segment in segments:
        selected *= len(segment.selectors)
    if selected > MOST_SELECTED:
        raise ValueError("it selects by too many names at once")
    if not all(query.path.singular_query() for query in _queries(segments)):
        raise ValueError("a filter of it searches; expected names and positions alone, as in [?@.type == 'call']")


def _queries(segments: tuple[JSONPathSegment, ...]) -> Iterator[FilterQuery]:
    for segment in segments:
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                expression: BaseExpression = selector.expression
                yield from (one for one in walk(expression) if isinstance(one, FilterQuery))
