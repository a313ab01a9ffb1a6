"""Are the arguments of two calls the same, as the tool's own schema would say?

Whatever the schema, keys have no order and numbers are equal by value. A JSON Schema of the parameters adds: for a
`type` of number or integer, "5" is 5; with a `format` of date or date-time, texts that name the same moment are equal,
across ISO spellings and offsets; with `uniqueItems` a list has no order, and its items are compared whole; an absent
argument equals its `default`.

A path is keys joined by dots, and leads through lists without naming a position: `flights.price` is the price of each
flight. `ignore` leaves an argument out on both sides; `optional` leaves it out where the actual call does not give it.
"""

import re
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from assay.checks.schema_text import Schema, target

NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
HOPS = 20
"""References and single alternatives that are followed to find out what an argument has to be."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How the arguments of an expected and an actual call are compared."""

    ignore: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    exact: bool = False
    """Whether further arguments of the actual call, at any depth, make it another call."""
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    """The JSON Schema of the parameters, by tool; a tool without one is compared as it stands."""

    def plain(self, tool: str, arguments: dict[str, Any], *, fill: bool) -> Any:  # noqa: ANN401 - a JSON value
        """Return arguments in the one form in which equal ones are equal; `fill` puts in the defaults."""
        schema = self.schemas.get(tool, {})
        return _Plain(schema, self.ignore, fill).read(arguments, schema, "")


def without_absent(expected: Any, actual: Any, optional: frozenset[str], path: str = "") -> Any:  # noqa: ANN401 - any JSON values
    """Return an expected value without those optional keys that the actual one lacks."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {
            key: without_absent(value, actual.get(key), optional, _join(path, key))
            for key, value in expected.items()
            if key in actual or _join(path, key) not in optional
        }
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [without_absent(*pair, optional, path) for pair in zip(expected, actual, strict=True)]
    return expected


@dataclass(frozen=True)
class _Plain:
    """Rewrites a JSON value so that what the schema calls equal is equal."""

    root: Schema
    ignore: frozenset[str]
    fill: bool

    def read(self, value: Any, schema: Schema, path: str) -> Any:  # noqa: ANN401 - any JSON value
        schema = self._meant(schema)
        if isinstance(value, dict):
            return self._object(value, schema, path)
        if isinstance(value, list):
            unordered = schema.get("uniqueItems") is True
            reader = replace(self, fill=self.fill or unordered)
            items = [reader.read(item, _part(schema, index), path) for index, item in enumerate(value)]
            return _bag(items) if unordered else items
        return _scalar(value, schema) if isinstance(value, str) else value

    def _object(self, value: dict[str, Any], schema: Schema, path: str) -> dict[str, Any]:
        known, further = schema.get("properties", {}), schema.get("additionalProperties", {})
        found = {key: self.read(item, known.get(key, further), _join(path, key)) for key, item in value.items()}
        if self.fill:
            # A default is not filled in turn: a recursive schema could go on for ever.
            reader = replace(self, fill=False)
            for key, part in known.items():
                if key not in found and "default" in self._meant(part):
                    found[key] = reader.read(self._meant(part)["default"], part, _join(path, key))
        return {key: item for key, item in found.items() if _join(path, key) not in self.ignore}

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
        choices = [part for part in schema.get(key, ()) if part != {"type": "null"}]
        if len(choices) == 1:
            return key, choices[0]
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


def _bag(items: list[Any]) -> Any:  # noqa: ANN401 - something that equals only its like
    return "bag", frozenset(Counter(map(_frozen, items)).items())


def _frozen(value: Any) -> Hashable:  # noqa: ANN401 - any JSON value
    """Return what equals and hashes alike where the JSON is equal; numbers as text, lest they be chosen to collide."""
    if isinstance(value, dict):
        return "object", frozenset((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, list):
        return "list", tuple(map(_frozen, value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return (type(value).__name__, repr(value)) if isinstance(value, bool | int | float) else value


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
