"""JSONPath (RFC 9535), the one path language of checks and targets, in bounded time whatever the document holds.

A path stands in a file of the project, the document is what a model or a product wrote. So a path searches all depths
once at most, a filter looks at what names and positions lead to, and the patterns of `match` and `search` stand in the
path and are read as RE2 does, in linear time.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import re2
from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch
from jsonpath.filter import BaseExpression, FilterQuery, FunctionExtension, StringLiteral, walk
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import Filter

LONGEST = 1_000
"""Characters of a path."""
MOST_DESCENTS = 1
"""How often a path may search all depths: each further time multiplies what is visited by the depth of the document."""
PROGRAM = 1_000
"""Instructions of a compiled pattern at most."""
MOST_SELECTED = 64
"""How often one value may be named, as by `[*, *]`, over all segments."""
PATTERNED = {"match": True, "search": False}
"""Functions with a pattern, and whether it has to match the whole text."""
Location = tuple[str | int, ...]
"""Keys and positions from the root to a value."""


class Place(NamedTuple):
    """A value in a document, and where it stands."""

    location: Location
    value: Any


class _Node(JSONPathMatch):
    """A node on the way, without what others need of it: its spelling, and all that was found below."""

    __slots__ = ()

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        """Return the node of a child."""
        parts = (*self.parts, key)
        return _Node(filter_context=self.filter_context(), obj=obj, parent=self, parts=parts, path="", root=self.root)

    def add_child(self, *children: JSONPathMatch) -> None:
        """Keep nothing."""


class _Pattern(FilterFunction):
    """The function `match` or `search`."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the library's own declaration
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        read = _pattern(pattern)
        return bool((read.fullmatch if self._is_whole else read.search)(value.encode(errors="surrogatepass")))


class _Environment(JSONPathEnvironment):
    """RFC 9535 to the letter, but for the patterns."""

    max_recursion_depth = 200
    match_class = _Node

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions |= {name: _Pattern(is_whole=is_whole) for name, is_whole in PATTERNED.items()}


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
    nodes: Iterable[JSONPathMatch] = [_Node(filter_context={}, obj=value, parent=None, path="$", parts=(), root=value)]
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
    for expression in _expressions(segments):
        if isinstance(expression, FilterQuery) and not expression.path.singular_query():
            raise ValueError("a filter of it searches; expected names and positions alone, as in [?@.type == 'call']")
        if isinstance(expression, FunctionExtension) and expression.name in PATTERNED:
            _require_pattern(expression.args[1])


def _expressions(segments: tuple[JSONPathSegment, ...]) -> Iterator[BaseExpression]:
    for segment in segments:
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                yield from walk(selector.expression)


def _require_pattern(expression: BaseExpression) -> None:
    """Refuse a pattern that a document would have to say, that RE2 does not take, or that compiles to too much."""
    if not isinstance(expression, StringLiteral):
        raise ValueError("a pattern of it is no text, as in search(@.name, '^get_')")  # noqa: TRY004 - as for any fault
    try:
        size = _pattern(expression.value).programsize
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(f"RE2 does not take its pattern {expression.value[:80]!r}") from error
    if size > PROGRAM:
        raise ValueError(f"its pattern {expression.value[:80]!r} compiles to {size} instructions, expected {PROGRAM}")


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
