"""A candidate in a form: its case as fields a person can change, and the changed case read back strictly."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count, takewhile
from typing import Any

from pydantic import ValidationError

from assay.checks import examples, registry
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.desk.candidate_queue import RefusedError
from assay.errors import DataError
from assay.records.case import Case, Expectation, ToolCall

SPARE = 1
"""Empty fields that are offered beyond what a case has."""
BESIDE = frozenset({"check", "values", "calls", "exact"})
"""What of an expectation has a field of its own in the form; `exact` only where it is no option."""
CHECKED = "on"
"""What a browser sends of a box that is checked."""


def fields(case: Case, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form shows: each turn and each expectation in a field, and empty ones to add to.

    Args:
        case: What is edited.
        typed: What was typed before, where the form comes back with a fault; empty for a new one.
    """
    turns, references = [*case.turns, *[""] * SPARE], [*case.references, *[""] * SPARE]
    expected = [
        (one.check, _options(one) or _lines(one.values), _calls(one.calls), CHECKED if one.exact else "")
        for one in case.expectations
    ]
    expected += [("", "", "", "")] * SPARE
    if typed:
        turns = [typed.get(f"turn-{number}", "") for number in range(len(turns))]
        references = [typed.get(f"reference-{number}", "") for number in range(len(references))]
        names = ("check", "values", "calls", "exact")
        rows = range(len(expected))
        expected = [tuple(typed.get(f"{name}-{number}", "") for name in names) for number in rows]  # type: ignore[misc]
    return {
        "turns": turns,
        "expectations": expected,
        "inputs": typed.get("inputs", case.inputs),
        "reference": typed.get("reference", case.reference),
        "references": references,
        "category": typed.get("case-category", case.category),
    }


def has_any(case: Case) -> bool:
    """Tell whether a case has a reference or an expectation."""
    return bool(case.right_answers() or case.expectations)


def edited(
    case: Case,
    form: Mapping[str, str],
    categories: Mapping[str, str],
    can_fail: Callable[[Case], bool] = has_any,
) -> Case:
    """Return the case as the form has it.

    Args:
        case: As it was shown; what the form does not hold stays.
        form: The fields that came back; an empty turn or expectation is left out.
        categories: The owner of each category of the taxonomy.
        can_fail: Tells whether anything can fail a case; without a project, whether there is anything to fail it by.

    Raises:
        RefusedError: It is no sound case; the text says which field, and why.
    """
    category = form.get("case-category", "")
    if category not in categories:
        raise RefusedError(f"The category is {category[:80]!r}: choose one of the list.")
    turns, others = (
        [text for number in _numbers(form, name) if (text := form[f"{name}-{number}"]).strip()]
        for name in ("turn", "reference")
    )
    expectations = [one for number in _numbers(form, "check") if (one := _expectation(case, form, number))]
    changes = {
        "turns": turns,
        "expectations": expectations,
        "category": category,
        "inputs": form.get("inputs", case.inputs).strip(),
        "reference": _text(form, "reference"),
        "references": others,
    }
    if category != case.category:
        changes["owner"] = categories[category]
    try:
        found = Case.model_validate(case.model_dump() | changes)
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    if wrong := next(iter(examples.sentences(found)), ""):
        raise RefusedError(f"{wrong[:300]}.")
    if not can_fail(found):
        raise RefusedError(
            "No check is expected and no judge that blocks is asked about it, so nothing could ever fail."
        )
    for expectation in found.expectations:
        try:
            registry.validate(expectation)
        except DataError as error:
            raise RefusedError(f"{str(error)[:300]}.") from error
    return found


def _expectation(case: Case, form: Mapping[str, str], number: int) -> Expectation | None:
    check = form.get(f"check-{number}", "")
    if not check:
        return None
    calls = _read_calls(_text(form, f"calls-{number}"), number)
    options = _read_options(check, _text(form, f"values-{number}"))
    if options:
        fields = {"check": check, **options, **({"calls": [call.model_dump() for call in calls]} if calls else {})}
        try:
            written = registry.read(fields)
        except DataError as error:
            raise RefusedError(f"{str(error)[:300]}.") from error
    else:
        written = Expectation(check=check, values=_read(_text(form, f"values-{number}"), number), calls=calls)
    shown = case.expectations[number] if number < len(case.expectations) else written
    kept = {"good": shown.good, "bad": shown.bad} if shown.check == check else {}
    return written.model_copy(update={"exact": form.get(f"exact-{number}") == CHECKED, **kept})


def _options(expectation: Expectation) -> str:
    """Return the options of an expectation, one a line as `name: JSON`; empty where it would not come back the same."""
    plain = expectation.scored()
    try:
        fields = registry.fields(plain)
        beside = BESIDE if expectation.check.removeprefix(registry.NOT) in registry.EXACT else BESIDE - {"exact"}
        options = {name: value for name, value in fields.items() if name not in beside}
        text = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in options.items())
        again = {name: fields[name] for name in fields.keys() - options.keys()} | _read_options(plain.check, text)
        return text if registry.read(again) == plain else ""
    except DataError:
        return ""


def _read_options(check: str, text: str) -> dict[str, Any]:
    """Return the options that stand in lines; none for a kind that has values, or where the lines hold none."""
    lines = [line.partition(":") for line in text.split("\n") if line.strip()]
    names = registry.options(check)
    if "values" in names or not all(colon and name.strip() in names for name, colon, _ in lines):
        return {}
    return {name.strip(): _value(value.strip()) for name, _, value in lines}


def _value(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a text says as JSON, else the text."""
    try:
        return read_json(text)
    except (NotJsonError, UnreadableError):
        return text


def _lines(values: list[str]) -> str:
    """Return values one a line, or as JSON where one of them would not fit on its line."""
    plain = all(value.strip() and value.splitlines() == [value] and not value.startswith("[") for value in values)
    return "\n".join(values) if plain else json.dumps(values, ensure_ascii=False)


def _read(text: str, number: int) -> list[str]:
    if not text.startswith("["):
        return [line for line in text.split("\n") if line.strip()]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"Values of expectation {number + 1}: this is no JSON ({str(error)[:120]}).") from error
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise RefusedError(f"Values of expectation {number + 1}: expected a list of texts.")
    return found


def _calls(calls: list[ToolCall]) -> str:
    return "\n".join(f"{call.name} {call.arguments}" for call in calls)


def _read_calls(text: str, number: int) -> list[ToolCall]:
    """Read calls one a line: the tool's name, a blank, its arguments as JSON."""
    found = []
    for line in filter(str.strip, text.split("\n")):
        name, _, arguments = line.strip().partition(" ")
        try:
            json.loads(arguments or "{}")
        except (ValueError, RecursionError) as error:
            raise RefusedError(
                f"Calls of expectation {number + 1}: {name[:60]} needs its arguments as JSON."
            ) from error
        found.append(ToolCall(name=name, arguments=arguments or "{}"))
    return found


def _numbers(form: Mapping[str, str], name: str) -> Iterator[int]:
    """Return the numbers of the fields of one kind, from 0; a browser sends the empty ones too."""
    return takewhile(lambda number: f"{name}-{number}" in form, count())


def _text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "")
