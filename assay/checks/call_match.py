"""Which of the calls that a product made are the expected ones: what `tool-call` and `trajectory` share.

A call matches by equal name and by its arguments, compared as `argument_match` describes. A call whose arguments cannot
be read matches nothing; looked at charitably, it matches any call of its tool. What holds even without charity is met,
what fails even with it is not, and what lies between is undecided.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from assay.checks.alternatives import require_acceptable
from assay.checks.argument_match import Comparison
from assay.checks.differences import Difference, differences, holds
from assay.checks.finding import quote, quote_some
from assay.checks.form import Call, Filled, Options, calls_of
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.checks.matching import largest_matching
from assay.checks.paths import JSON_PATH, fault
from assay.checks.schema_text import compiled
from assay.errors import DataError
from assay.records.case import Expectation, ToolCall

COMPARED = 20
"""Calls of a tool, and differences of each, that are looked at for a finding."""
DIFFERENCES, NAMED = 3, 5
"""Differences and calls that a finding tells."""
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


def _argument(path: str) -> str:
    if JSON_PATH.match(path) and (why := fault(path)):
        raise ValueError(f"a JSONPath such as $.order.id, or keys joined by dots ({why})")
    return path


Names = Annotated[list[Annotated[Filled, AfterValidator(_argument)]], Field(min_length=1)] | None
"""Paths of arguments."""


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


class CallForm(Options):
    """The options of a kind that compares calls of tools."""

    kept_beside: ClassVar = frozenset({"calls"})
    calls: list[Call]
    alternatives: Annotated[bool, Field(description="Each expected argument is a list of acceptable values.")] = False
    optional: Annotated[Names, Field(description="Paths of arguments that may be left out.")] = None
    ignore: Annotated[Names, Field(description="Paths of arguments that are not compared.")] = None
    null_as_absent: Annotated[Names, Field(description="Paths of arguments of which null counts as not given.")] = None
    exact: Annotated[bool, Field(description="Further arguments make it another call.")] = False
    parameters: Annotated[
        dict[str, Any] | None, Field(alias="schema", description="The JSON Schema of the only tool's parameters.")
    ] = None
    schemas: Annotated[dict[str, dict[str, Any]] | None, Field(description="The JSON Schema by tool.")] = None

    def require(self, expectation: Expectation) -> None:
        """Refuse calls whose arguments are no object, unsound schemas, and alternatives without any."""
        require_calls(expectation)
        if self.parameters is not None and (len({call.name for call in self.calls}) != 1 or self.schemas):
            tools = quote_some(sorted({call.name for call in self.calls}))
            raise DataError(
                f"check {expectation.check!r} has 'schema' for the tools {tools}; expected one tool: name each "
                "schema's tool in `schemas`"
            )
        for schema in self.comparison().schemas.values():
            compiled(expectation, schema)
        for call in expectation.calls if self.alternatives else ():
            require_acceptable(expectation, read_call(call).arguments or {})

    def comparison(self) -> Comparison:
        """Return how calls are compared."""
        schemas = self.schemas or {}
        if self.parameters is not None:
            schemas = dict.fromkeys((call.name for call in self.calls), self.parameters)
        return Comparison(
            ignore=frozenset(self.ignore or ()),
            optional=frozenset(self.optional or ()),
            null_as_absent=frozenset(self.null_as_absent or ()),
            alternatives=self.alternatives,
            exact=self.exact,
            schemas=schemas,
        )

    def written(self) -> dict[str, Any]:
        """Return the fields that somebody wrote, with the calls as they are kept."""
        calls = [call.model_dump() for call in calls_of(self.check, self.calls)]
        return super().written() | ({"calls": calls} if calls else {})


class Matcher:
    """Compares every expected call with every one that was made; each is brought into its plain form once."""

    def __init__(self, expected: Sequence[ToolCall], made: Sequence[ToolCall], how: Comparison) -> None:
        self.expected = [read_call(call) for call in expected]
        self.made = [read_call(call) for call in made]
        self._texts = [call.arguments for call in made]
        self._how = how
        self._wanted = [
            None if call.arguments is None else how.expected(call.name, call.arguments) for call in self.expected
        ]
        self._given = [None if call.arguments is None else how.actual(call.name, call.arguments) for call in self.made]

    def matches(self, wanted: int, given: int, *, charitable: bool) -> bool:
        """Say whether one call that was made is one that was expected, each named by its position."""
        left, right = self.expected[wanted], self.made[given]
        if left.name != right.name:
            return False
        if left.arguments is None or right.arguments is None:
            return charitable
        return holds(self._wanted[wanted], self._given[given], subset=not self._how.exact)

    def pairs(self, *, charitable: bool) -> list[int]:
        """Return for each expected call the position of its own actual call, -1 where none is left."""

        def fits(wanted: int, given: int) -> bool:
            return self.matches(wanted, given, charitable=charitable)

        return largest_matching(len(self.expected), len(self.made), fits)

    def broken(self) -> str:
        """Return in one line which calls could not be read; empty when all could."""
        return "; ".join(
            f"{quote(call.name)} was called with arguments that cannot be read: {call.broken}"
            for call in self.made
            if call.arguments is None
        )[:LONGEST]

    def told_made(self) -> str:
        """Return which calls were made, with their arguments, in one line."""
        return told_calls([call.name for call in self.made], self._texts) or "no call"

    def nearest(self, wanted: int, taken: Collection[int] = ()) -> str:
        """Return where the call that comes closest to an expected one differs from it; empty where there is none.

        Args:
            wanted: The position of the expected call.
            taken: Positions of calls that are other expected ones.
        """
        name = self.expected[wanted].name
        same_tool = [at for at, call in enumerate(self.made) if call.name == name and call.arguments is not None]
        found = {at: self._differences(wanted, at) for at in same_tool[:COMPARED] if at not in taken}
        if not found:
            return f"{quote(name)} was made {len(same_tool)} times" if same_tool else ""
        at = min(found, key=lambda at: len(found[at]))
        return f"{told_calls([name], [self._texts[at]])}: {'; '.join(map(str, found[at][:DIFFERENCES]))}"

    def _differences(self, wanted: int, given: int) -> list[Difference]:
        found = differences(self._wanted[wanted], self._given[given], subset=not self._how.exact)
        return list(islice(found, COMPARED))


def told_calls(names: Sequence[str], arguments: Sequence[str]) -> str:
    """Return calls of foreign names and arguments in one line, the first few in full."""
    told = [f"{quote(name)} with {quote(text)}" for name, text in zip(names, arguments, strict=True)]
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more
