"""Where an actual JSON value differs from the expected one, which may leave a choice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.checks.finding import quote
from assay.checks.json_text import show
from assay.checks.matching import largest_matching
from assay.json_path import Location, spelled

SHOWN = 5
"""Acceptable values that a text names."""


@dataclass(frozen=True)
class OneOf:
    """What an expected key of an object may be: any of several values, or not there."""

    values: tuple[Any, ...]
    may_be_absent: bool = False


@dataclass(frozen=True)
class Bag:
    """A list whose order does not count; its items are compared whole."""

    items: tuple[Any, ...]
    counted: Mapping[Any, int] | None
    """How often each item occurs; None where an expected one leaves a choice."""


class Filled(dict[str, Any]):
    """An object of an actual value in which absent keys were filled with their defaults."""

    defaults: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Absent:
    """Nothing, where something was expected or is."""


ABSENT = Absent()


@dataclass(frozen=True)
class Difference:
    """One place at which two values differ."""

    location: Location
    actual: Any
    expected: Any

    def __str__(self) -> str:
        return f"{spelled(self.location)[:200]} is {_shown(self.actual)}, expected {_shown(self.expected)}"


def holds(expected: Any, actual: Any, *, subset: bool) -> bool:  # noqa: ANN401 - any JSON values
    """Say whether an actual value is the expected one."""
    return next(differences(expected, actual, subset=subset), None) is None


def differences(
    expected: Any,  # noqa: ANN401 - any JSON value
    actual: Any,  # noqa: ANN401 - any JSON value
    *,
    subset: bool,
    at: Location = (),
) -> Iterator[Difference]:
    """Yield where an actual JSON value differs from the expected one, in the order of the expected one.

    Objects are compared whatever the order of their keys; with `subset`, an actual object may hold further keys, at
    any depth. Lists are equal item by item. Numbers are equal by value, so 1 is 1.0; true is no number.
    """
    if isinstance(expected, OneOf):
        yield from _of_choice(expected, actual, subset=subset, at=at)
    elif isinstance(expected, dict) and isinstance(actual, dict):
        yield from _of_objects(expected, actual, subset=subset, at=at)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (left, right) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(left, right, subset=subset, at=(*at, index))
    elif not _is_same(expected, actual):
        yield Difference(at, actual, expected)


def _of_choice(expected: OneOf, actual: Any, *, subset: bool, at: Location) -> Iterator[Difference]:  # noqa: ANN401 - any JSON value
    if len(expected.values) == 1:
        # Not tried before: each level would be gone through twice, and so the whole twice as often at each level.
        yield from differences(expected.values[0], actual, subset=subset, at=at)
    elif not any(holds(value, actual, subset=subset) for value in expected.values):
        yield Difference(at, actual, expected)


def _of_objects(
    expected: dict[str, Any], actual: dict[str, Any], *, subset: bool, at: Location
) -> Iterator[Difference]:
    defaults = actual.defaults if isinstance(actual, Filled) else frozenset()
    for key, value in expected.items():
        may_be_absent = isinstance(value, OneOf) and value.may_be_absent
        if may_be_absent and (key not in actual or key in defaults):
            continue
        if key not in actual:
            yield Difference((*at, key), ABSENT, value)
        else:
            yield from differences(value, actual[key], subset=subset, at=(*at, key))
    if not subset:
        further = [key for key in actual if key not in expected and key not in defaults]
        yield from (Difference((*at, key), actual[key], ABSENT) for key in further)


def _is_same(expected: Any, actual: Any) -> bool:  # noqa: ANN401 - any JSON values
    if isinstance(expected, Bag) and isinstance(actual, Bag):
        return _is_same_bag(expected, actual)
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    return bool(expected == actual)


def _is_same_bag(expected: Bag, actual: Bag) -> bool:
    if expected.counted is not None:
        return expected.counted == actual.counted
    if len(expected.items) != len(actual.items):
        return False

    def fits(wanted: int, given: int) -> bool:
        return holds(expected.items[wanted], actual.items[given], subset=False)

    return -1 not in largest_matching(len(expected.items), len(actual.items), fits)


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON value, a choice of them, or none
    if isinstance(value, OneOf):
        named = " or ".join(_shown(one) for one in value.values[:SHOWN])
        more = f" or {len(value.values) - SHOWN} more" if len(value.values) > SHOWN else ""
        return (named + more) or "null, or none"
    if isinstance(value, Absent):
        return "absent"
    if isinstance(value, Bag):
        return f"a list of {len(value.items)} items in any order"
    return show(value) if isinstance(value, dict | list | str | int | float | None) else quote(str(value))
