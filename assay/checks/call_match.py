"""Which of the calls that a product made are the expected ones: what `tool-call` and `trajectory` share.

A call matches by equal name and by its arguments, compared as `argument_match` describes. A call whose arguments cannot
be read matches nothing; looked at charitably, it matches any call of its tool. What holds even without charity is met,
what fails even with it is not, and what lies between is undecided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.checks.argument_match import Comparison, without_absent
from assay.checks.finding import quote, quote_some
from assay.checks.json_text import NotJsonError, UnreadableError, holds, read_json
from assay.checks.schema_text import compiled
from assay.errors import DataError
from assay.records.case import Expectation, ToolCall

OPTIONS = {
    "optional": "a list of texts",
    "ignore": "a list of texts",
    "exact": "true or false",
    "schema": "an object",
    "schemas": "an object",
}
"""The form of each option of a comparison; `schemas` holds one schema a tool, `schema` the one of the only tool."""
LONGEST = 500
"""Characters of a finding on calls that could not be read."""


@dataclass(frozen=True, kw_only=True)
class ReadCall:
    """A call whose arguments were read, or the reason why they could not be."""

    name: str
    arguments: dict[str, Any] | None
    broken: str = ""


def read_call(call: ToolCall) -> ReadCall:
    """Return a call with its arguments as an object; None where they are no readable JSON object."""
    try:
        arguments = read_json(call.arguments)
    except (NotJsonError, UnreadableError) as error:
        return ReadCall(name=call.name, arguments=None, broken=str(error))
    if not isinstance(arguments, dict):
        return ReadCall(name=call.name, arguments=None, broken=f"{quote(call.arguments)} is no JSON object")
    return ReadCall(name=call.name, arguments=arguments)


def require_calls(expectation: Expectation) -> None:
    """Refuse an expected call without a name, or with arguments that are no JSON object.

    Raises:
        DataError: There is such a call.
    """
    for call in expectation.calls:
        if not call.name:
            raise DataError(f"check {expectation.check!r} has a call without a name; name the tool")
        if why := read_call(call).broken:
            raise DataError(f"check {expectation.check!r}, call {quote(call.name)}: {why}; mend it")


def comparison(expectation: Expectation, options: dict[str, Any]) -> Comparison:
    """Return how to compare calls, from the options that a value holds.

    Raises:
        DataError: A schema is malformed, or `schema` stands for several tools.
    """
    tools = {call.name for call in expectation.calls}
    schemas = dict(options.get("schemas", {}))
    if "schema" in options:
        if len(tools) != 1 or schemas:
            raise DataError(
                f"check {expectation.check!r} has 'schema' for the tools {quote_some(sorted(tools))}; expected one "
                "tool: name each schema's tool in `schemas`"
            )
        schemas = dict.fromkeys(tools, options["schema"])
    for tool, schema in schemas.items():
        if not isinstance(schema, dict):
            raise DataError(f"check {expectation.check!r} has no object as the schema of {quote(tool)}; mend it")
        compiled(expectation, schema)
    return Comparison(
        ignore=frozenset(options.get("ignore", ())),
        optional=frozenset(options.get("optional", ())),
        exact=options.get("exact", False),
        schemas=schemas,
    )


class Matcher:
    """Compares every expected call with every one that was made; each is brought into its plain form once."""

    def __init__(self, expected: Sequence[ToolCall], made: Sequence[ToolCall], how: Comparison) -> None:
        self.expected = [read_call(call) for call in expected]
        self.made = [read_call(call) for call in made]
        self._how = how
        self._wanted = [self._plain(call, fill=how.exact) for call in self.expected]
        self._given = [self._plain(call, fill=True) for call in self.made]

    def matches(self, wanted: int, given: int, *, charitable: bool) -> bool:
        """Say whether one call that was made is one that was expected, each named by its position."""
        left, right = self.expected[wanted], self.made[given]
        if left.name != right.name:
            return False
        if left.arguments is None or right.arguments is None:
            return charitable
        plain = self._wanted[wanted]
        if self._how.optional:
            least = without_absent(left.arguments, right.arguments, self._how.optional)
            plain = self._how.plain(left.name, least, fill=self._how.exact)
        return holds(plain, self._given[given], subset=not self._how.exact)

    def pairs(self, *, charitable: bool) -> list[int]:
        """Return for each expected call the position of its own actual call, -1 where none is left: a maximum matching.

        Source:
            Hopcroft & Karp (1973), as in scipy; it does not recurse.
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import maximum_bipartite_matching

        edges = [
            (wanted, given)
            for wanted in range(len(self.expected))
            for given in range(len(self.made))
            if self.matches(wanted, given, charitable=charitable)
        ]
        if not edges:
            return [-1] * len(self.expected)
        graph = csr_array(([True] * len(edges), tuple(zip(*edges, strict=True))), (len(self.expected), len(self.made)))
        return [int(given) for given in maximum_bipartite_matching(graph, perm_type="column")]

    def broken(self) -> str:
        """Return in one line which calls could not be read; empty when all could."""
        return "; ".join(
            f"{quote(call.name)} was called with arguments that cannot be read: {call.broken}"
            for call in self.made
            if call.arguments is None
        )[:LONGEST]

    def _plain(self, call: ReadCall, *, fill: bool) -> Any:  # noqa: ANN401 - a JSON value, or None
        return None if call.arguments is None else self._how.plain(call.name, call.arguments, fill=fill)
