"""Assertions of promptfoo: those that a check can stand for become expectations, the others are told by type.

Names are the same where the meaning is. A value is a template over the test's variables; what a file, a script, a
server or a model would have to say is not asked.
"""

import csv
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from assay.checks import registry
from assay.errors import DataError
from assay.interchange.sets import model_graded, own_code, templates
from assay.interchange.sets.builder import Draft, Gathering, shown
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.model_graded import Unfit
from assay.interchange.sets.source import json_text, json_value
from assay.records.case import Expectation, ToolCall

SET, NOT = "assert-set", "not-"
LEFT = "nothing"
TEXT = ("contains", "icontains", "starts-with", "regex")
TEXTS = ("contains-all", "contains-any", "icontains-all", "icontains-any")
SIMILAR = 0.75
"""promptfoo's threshold of `similar` where none is written."""
GLOB = ("*", "?")
MODES = {"exact": "strict", "in_order": "sequence"}
PYTHON = "python"
EXACT = {"exact": True}
"""The `config` of an assertion that was an exact expectation of ours: promptfoo compares all texts so."""


class Assertion(NamedTuple):
    """An assertion with its variables filled in."""

    kind: str
    value: Any
    threshold: Any


def expect(draft: Draft, found: object, variables: Mapping[str, Any], place: str, gathering: Gathering) -> None:
    """Add what an assertion expects of a case, or tell that no check and no judge does; count what it became."""
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        gathering.leave("assertion", "without a type", place)
        gathering.account("(none)", f"{LEFT}: give it a type")
        return
    kind = found["type"]
    if kind == SET:
        _expect_set(draft, found, variables, place, gathering)
        return
    gathering.account(shown(kind), _taken(draft, found, variables, place, gathering) or LEFT)


def _taken(
    draft: Draft, found: Mapping[str, Any], variables: Mapping[str, Any], place: str, gathering: Gathering
) -> str:
    """Take one assertion; return what it became, or that it was left out and what to do."""
    kind = found["type"]
    plain = kind.removeprefix(NOT)
    try:
        if model_graded.is_graded(plain):
            became = model_graded.take(draft, found, lambda value: _filled(value, variables))
        else:
            expectations = _expectations(kind, plain, found, variables)
            kept = [gathering.expect(draft, one, "assertion", place) for one in expectations]
            if not all(kept):
                return f"{LEFT}: no check can score it"
            became = "check " + " and ".join(dict.fromkeys(f"`{one.check}`" for one in expectations))
    except Unfit as reason:
        which = f"of type `{shown(kind)}`"
        named = f" (`{shown(found['metric'])}`)" if found.get("metric") and model_graded.is_graded(plain) else ""
        gathering.leave(
            "assertion",
            f"{which}{named}{model_graded.GRADED if model_graded.is_graded(plain) else ''}",
            place,
            str(reason),
        )
        return f"{LEFT}: {reason}"
    _leave_rest(found, place, gathering)
    return became


def _leave_rest(found: Mapping[str, Any], place: str, gathering: Gathering) -> None:
    """Tell what else an assertion says, such as a weight: every expectation of ours has to hold."""
    fields = Fields(found, place, gathering, prefix="assert.")
    is_graded = model_graded.is_graded(found["type"].removeprefix(NOT))
    read = ["type", "value"] if is_graded else ["type", "value", "threshold"]
    read += ["config"] if found.get("config") == EXACT and not is_graded else []
    for name in (*read, *(["weight"] if found.get("weight") == 1 else [])):
        fields.take(name)
    fields.leave_rest()


def _expect_set(draft: Draft, found: Mapping[str, Any], variables: Mapping[str, Any], place: str, g: Gathering) -> None:
    """Add each assertion of a set that asks for all of them; a set of which a share is enough is left, and told."""
    inner = found.get("assert")
    if found.get("threshold") not in (None, 1) or not isinstance(inner, list):
        g.leave("assertion", "of type `assert-set` of which a share is enough", place)
        g.account(SET, f"{LEFT}: every expectation has to hold; say which of them do")
        return
    for number, one in enumerate(inner):
        where = f"{place}.assert[{number}]"
        if isinstance(one, dict) and one.get("type") == SET:
            g.leave("assertion", "of type `assert-set` within another", where)
            g.account(SET, f"{LEFT}: write its assertions out")
        else:
            expect(draft, one, variables, where, g)


def _expectations(kind: str, plain: str, found: Mapping[str, Any], variables: Mapping[str, Any]) -> list[Expectation]:
    if plain in own_code.KINDS and not (plain == PYTHON and own_code.function(found.get("value"))):
        raise Unfit(own_code.stub(plain, found.get("value"), found.get("metric")))
    if plain not in READERS:
        raise Unfit(model_graded.without_check(plain))
    if found.get("transform"):
        raise Unfit("it looks at a transformed answer")
    if found.get("weight") == 0:
        raise Unfit("its weight is 0, so nothing depends on it")
    value = found["value"] if plain == PYTHON else _filled(found.get("value"), variables)
    made = READERS[plain](Assertion(plain, value, found.get("threshold")))
    if found.get("config") == EXACT:
        made = [one.model_copy(update={"exact": one.check in registry.EXACT}) for one in made]
    if kind == plain:
        return made
    if len(made) > 1 or (len(made[0].calls) > 1 and made[0].check == "tool-call"):
        raise Unfit("the opposite of several conditions at once")
    return [made[0].model_copy(update={"check": f"{NOT}{made[0].check}"})]


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value with the variables in all its texts filled in."""
    if isinstance(value, dict):
        return {name: _filled(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, variables) for one in value]
    if not isinstance(value, str):
        return value
    if value.startswith(("file:", "package:")):
        raise Unfit("its value stands in another file")
    made = templates.filled(value, variables)
    if made.missing:
        raise Unfit(f"its value cannot be filled in: {made.missing}")
    return made.text


def _text(one: Assertion) -> list[Expectation]:
    return [Expectation(check=one.kind, values=[_scalar(one.value)])]


def _texts(one: Assertion) -> list[Expectation]:
    several = one.value
    if isinstance(several, str):
        several = [part.strip() for part in next(csv.reader([several], skipinitialspace=True), [])]
    if not isinstance(several, list):
        several = [several]
    return [Expectation(check=one.kind, values=[_scalar(part) for part in several])]


def _equals(one: Assertion) -> list[Expectation]:
    if isinstance(one.value, dict | list):
        return [Expectation(check="json-schema", values=[_json({"const": one.value})])]
    return [Expectation(check="equals", values=[_scalar(one.value)])]


def _is_json(one: Assertion) -> list[Expectation]:
    check = {"is-json": ("is-json", "json-schema"), "contains-json": ("contains-json", "contains-json")}[one.kind]
    if one.value in (None, ""):
        return [Expectation(check=check[0])]
    schema = one.value
    if isinstance(schema, str):
        try:
            schema = json_value(schema, "the value")
        except DataError as error:
            raise Unfit("its schema is no JSON") from error
    return [Expectation(check=check[1], values=[_json(schema)])]


def _similar(one: Assertion) -> list[Expectation]:
    value = one.value[0] if isinstance(one.value, list) and len(one.value) == 1 else one.value
    if not isinstance(value, str):
        raise Unfit("it is like one of several texts")
    threshold = SIMILAR if one.threshold is None else one.threshold
    options = {"measure": "embedding", "reference": value, "threshold": threshold}
    return [Expectation(check="similarity", values=[_json(options)])]


def _python(one: Assertion) -> list[Expectation]:
    threshold = {} if one.threshold is None else {"threshold": one.threshold}
    return [Expectation(check=PYTHON, values=[_json({"function": own_code.function(one.value), **threshold})])]


def _latency(one: Assertion) -> list[Expectation]:
    return [Expectation(check="latency", values=[_amount(one.threshold, -3)])]


def _cost(one: Assertion) -> list[Expectation]:
    return [Expectation(check="cost", values=[_amount(one.threshold, 0)])]


def _refusal(_one: Assertion) -> list[Expectation]:
    return [Expectation(check="refusal")]


def _words(one: Assertion) -> list[Expectation]:
    bounds = one.value if isinstance(one.value, dict) else {"min": one.value, "max": one.value}
    if not bounds.keys() <= {"min", "max"}:
        raise Unfit("its value is no number of words")
    named = {"min": "length-min", "max": "length-max"}
    return [Expectation(check=named[side], values=[_scalar(bounds[side])]) for side in named if side in bounds]


def _used(one: Assertion) -> list[Expectation]:
    names = one.value if isinstance(one.value, list) else [one.value]
    if isinstance(one.value, dict):
        least = one.value.get("min", 1)
        if not one.value.keys() <= {"pattern", "name", "min"} or type(least) is not int or not 1 <= least <= 100:  # noqa: PLR2004
            raise Unfit("no check bounds how often a tool is called")
        names = [one.value.get("pattern") or one.value.get("name")] * least
    return [Expectation(check="tool-call", calls=[ToolCall(name=_tool(name)) for name in names])]


def _arguments(one: Assertion) -> list[Expectation]:
    value = one.value if isinstance(one.value, dict) else {}
    if not value.keys() <= {"name", "pattern", "args", "arguments", "mode", "ignore"}:
        raise Unfit("no check knows all of its options")
    ignored = value.get("ignore") or []
    ignored = [ignored] if isinstance(ignored, str) else ignored
    if not isinstance(ignored, list) or any(not isinstance(one, str) or set(one) & {*GLOB, "."} for one in ignored):
        raise Unfit("it ignores arguments by pattern")
    options = {"ignore": ignored} if ignored else {}
    mode = value.get("mode", "partial")
    if mode not in {"partial", "exact"}:
        raise Unfit("its mode is unknown")
    exact = {"exact": True} if mode == "exact" else {}
    made = ToolCall(
        name=_tool(value.get("name") or value.get("pattern")),
        arguments=_json(value.get("args", value.get("arguments", {}))),
    )
    values = [_json({**options, **exact})] if options or exact else []
    return [Expectation(check="tool-call", values=values, calls=[made])]


def _sequence(one: Assertion) -> list[Expectation]:
    value = one.value if isinstance(one.value, dict) else {"steps": one.value}
    steps, mode = value.get("steps"), value.get("mode", "in_order")
    if not isinstance(steps, list) or mode not in MODES:
        raise Unfit("its value is no list of tools")
    calls = [ToolCall(name=_tool(step.get("name") if isinstance(step, dict) else step)) for step in steps]
    return [Expectation(check="trajectory", values=[_json({"mode": MODES[mode]})], calls=calls)]


def _tool(found: object) -> str:
    if not isinstance(found, str) or not found or set(found) & set(GLOB):
        raise Unfit("it names tools by pattern")
    return found


def _scalar(found: object) -> str:
    """Return a text or number as JavaScript shows it."""
    if isinstance(found, dict | list) or found is None:
        raise Unfit("its value is no text")
    return found if isinstance(found, str) else templates.plain(found)


def _json(found: object) -> str:
    try:
        return json_text(found)
    except ValueError as error:
        raise Unfit("its value holds NaN or Infinity") from error


def _amount(found: object, power: int) -> str:
    """Return a number in plain digits, moved by a power of ten."""
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 1e12:  # noqa: PLR2004
        raise Unfit("its threshold is no amount")
    digits = f"{Decimal(repr(found)).scaleb(power):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


READERS: Mapping[str, Callable[[Assertion], list[Expectation]]] = {
    **dict.fromkeys(TEXT, _text),
    **dict.fromkeys(TEXTS, _texts),
    "equals": _equals,
    "is-json": _is_json,
    "contains-json": _is_json,
    "similar": _similar,
    PYTHON: _python,
    "latency": _latency,
    "cost": _cost,
    "is-refusal": _refusal,
    "word-count": _words,
    "trajectory:tool-used": _used,
    "trajectory:tool-args-match": _arguments,
    "trajectory:tool-sequence": _sequence,
}
