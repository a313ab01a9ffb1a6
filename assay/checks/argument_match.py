"""Are the arguments of two calls the same, as the tool's own schema would say?

Whatever the schema, keys have no order and numbers are equal by value. A JSON Schema of the parameters adds: for a
`type` of number or integer, "5" is 5; with a `format` of date or date-time, texts that name the same moment are equal,
across ISO spellings and offsets; with `uniqueItems` a list has no order, and its items are compared whole; an absent
argument equals its `default`.

`ignore` leaves an argument out on both sides; `optional` leaves it out where the actual call does not give it;
`null_as_absent` takes null for an argument that is not given. Each names arguments by `paths`. With `alternatives` each
expected argument is a list of acceptable values, and so is each key of an object among them; `""` in the list says that
the argument may be left out, as in the Berkeley Function Calling Leaderboard (Patil et al., ICML 2025).
"""

import re
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from assay.checks.alternatives import ABSENT, choices, outline
from assay.checks.differences import Bag, Filled, OneOf
from assay.checks.paths import locations
from assay.checks.schema_text import Schema, target
from assay.json_path import Location

NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
HOPS = 20
"""References and single alternatives that are followed to find out what an argument has to be."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How the arguments of an expected and an actual call are compared."""

    ignore: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    null_as_absent: frozenset[str] = frozenset()
    alternatives: bool = False
    """Whether each expected argument is a list of acceptable values."""
    exact: bool = False
    """Whether further arguments of the actual call, at any depth, make it another call."""
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    """The JSON Schema of the parameters, by tool; a tool without one is compared as it stands."""

    def expected(self, tool: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - a JSON value, with choices in it
        """Return the expected arguments of a call, in the form in which actual ones are compared with them."""
        schema = self.schemas.get(tool, {})
        named = self._named(outline(arguments) if self.alternatives else arguments, schema)
        return _Plain(schema, named, fill=self.exact, is_expected=True, alternatives=self.alternatives).read(
            arguments, schema
        )

    def actual(self, tool: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - a JSON value
        """Return the arguments of a call that was made, in the one form in which equal ones are equal."""
        schema = self.schemas.get(tool, {})
        return _Plain(schema, self._named(arguments, schema), fill=True).read(arguments, schema)

    def _named(self, arguments: dict[str, Any], schema: Schema) -> "_Named":
        """Return where the arguments stand that the options name, defaults among them."""
        if not (self.ignore or self.optional or self.null_as_absent):
            return _Named()
        whole = _Plain(schema, _Named(), fill=True).filled(arguments, schema) if self.ignore else arguments
        return _Named(
            ignored=locations(self.ignore, whole),
            optional=locations(self.optional, arguments),
            nullable=locations(self.null_as_absent, arguments),
        )


@dataclass(frozen=True)
class _Named:
    """Where the arguments stand that options name."""

    ignored: frozenset[Location] = frozenset()
    optional: frozenset[Location] = frozenset()
    nullable: frozenset[Location] = frozenset()


@dataclass(frozen=True)
class _Plain:
    """Rewrites a JSON value so that what the schema calls equal is equal."""

    root: Schema
    named: _Named
    fill: bool
    is_expected: bool = False
    alternatives: bool = False

    def filled(self, value: Any, schema: Schema) -> Any:  # noqa: ANN401 - any JSON value
        """Return a value with the defaults that its schema names, as JSON."""
        schema = self._meant(schema)
        if isinstance(value, list):
            return [self.filled(item, _part(schema, index)) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        known, further = schema.get("properties", {}), schema.get("additionalProperties", {})
        given = {key: self.filled(item, known.get(key, further)) for key, item in value.items()}
        return given | self._absent(value, known)

    def read(self, value: Any, schema: Any, at: Location = ()) -> Any:  # noqa: ANN401 - any JSON value
        """Return what stands at one place of the arguments, as its schema means it."""
        schema = self._meant(schema)
        if isinstance(value, dict):
            return self._object(value, schema, at)
        if isinstance(value, list):
            unordered = schema.get("uniqueItems") is True
            reader = replace(self, fill=self.fill or unordered)
            items = [reader.read(item, _part(schema, index), (*at, index)) for index, item in enumerate(value)]
            return _bag(items) if unordered else items
        return _scalar(value, schema) if isinstance(value, str) else value

    def _object(self, value: dict[str, Any], schema: Schema, at: Location) -> dict[str, Any]:
        known, further = schema.get("properties", {}), schema.get("additionalProperties", {})
        found: dict[str, Any] = {}
        for key, item in value.items():
            where = (*at, key)
            if where in self.named.ignored or (not self.is_expected and item is None and where in self.named.nullable):
                continue
            found[key] = self._argument(item, known.get(key, further), where)
        absent = self._absent(found, known) if self.fill else {}
        # A default is not filled in turn: a recursive schema could go on for ever.
        reader = replace(self, fill=False, is_expected=False)
        filled = Filled(found)
        for key, default in absent.items():
            if (*at, key) not in self.named.ignored:
                filled[key] = reader.read(default, known[key], (*at, key))
        filled.defaults = frozenset(filled.keys() - found.keys())
        return filled

    def _absent(self, value: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the defaults of those keys that an object lacks."""
        meant = {key: self._meant(part) for key, part in known.items() if key not in value}
        return {key: part["default"] for key, part in meant.items() if "default" in part}

    def _argument(self, item: Any, schema: Any, where: Location) -> Any:  # noqa: ANN401 - any JSON value
        """Return an argument; of an expected one what it may be."""
        if not self.is_expected:
            return self.read(item, schema, where)
        several = choices(item) if self.alternatives else [item]
        is_nullable = where in self.named.nullable
        may_be_absent = where in self.named.optional or (self.alternatives and ABSENT in several)
        may_be_absent = may_be_absent or (is_nullable and None in several)
        read = [self.read(one, schema, where) for one in several if one is not None or not is_nullable]
        return read[0] if len(read) == 1 and not may_be_absent else OneOf(tuple(read), may_be_absent)

    def _meant(self, schema: Any) -> Schema:  # noqa: ANN401 - a schema, or true or false
        """Return a schema with its reference, and its only alternative beside null, put in."""
        for _ in range(HOPS):
            if not isinstance(schema, dict):
                return {}
            if isinstance(schema.get("$ref"), str):
                key, inner = "$ref", target(self.root, schema["$ref"])
            else:
                key, inner = _only_alternative(schema)
            if not key:
                break
            schema = {**{name: part for name, part in schema.items() if name != key}, **_as_object(inner)}
        return schema if isinstance(schema, dict) else {}


def _only_alternative(schema: Schema) -> tuple[str, Any]:
    for key in ("anyOf", "oneOf", "allOf"):
        parts = [part for part in schema.get(key, ()) if part != {"type": "null"}]
        if len(parts) == 1:
            return key, parts[0]
    return "", None


def _as_object(schema: Any) -> Schema:  # noqa: ANN401 - a schema, or true or false
    return schema if isinstance(schema, dict) else {}


def _part(schema: Schema, index: int) -> Any:  # noqa: ANN401 - a schema, or true or false
    """Return what the item at one position has to be."""
    first, rest = schema.get("prefixItems", ()), schema.get("items", {})
    if isinstance(rest, list):
        first, rest = rest, schema.get("additionalItems", {})
    return first[index] if index < len(first) else rest


def _scalar(text: str, schema: Schema) -> Any:  # noqa: ANN401 - a number, a date, a time, or the text
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if kinds & {"number", "integer"} and "string" not in kinds and NUMBER.fullmatch(text):
        return float(text) if set(text) & set(".eE") else int(text)
    read = {"date": _date, "date-time": _moment}.get(schema.get("format", ""))
    return text if read is None else read(text)


def _date(text: str) -> date | str:
    """Return the day that a text names; a time of day other than midnight names no day."""
    moment = _moment(text)
    return moment.date() if isinstance(moment, datetime) and moment.time() == time() else text


def _moment(text: str) -> datetime | str:
    """Return the moment that a text names, or the text; with an offset it never equals one without."""
    try:
        return datetime.fromisoformat(text.strip().upper())
    except ValueError:
        return text


def _bag(items: list[Any]) -> Bag:
    counted = None if _leaves_choice(items) else Counter(map(_frozen, items))
    return Bag(tuple(items), counted)


def _leaves_choice(value: Any) -> bool:  # noqa: ANN401 - any JSON value, with choices in it
    if isinstance(value, OneOf) or (isinstance(value, Bag) and value.counted is None):
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_leaves_choice, parts))


def _frozen(value: Any) -> Hashable:  # noqa: ANN401 - any JSON value
    """Return what equals and hashes alike where the JSON is equal; numbers as text, lest they be chosen to collide."""
    if isinstance(value, dict):
        return "object", frozenset((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, list):
        return "list", tuple(map(_frozen, value))
    if isinstance(value, Bag):
        return "bag", frozenset((value.counted or {}).items())
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return (type(value).__name__, repr(value)) if isinstance(value, bool | int | float) else value
