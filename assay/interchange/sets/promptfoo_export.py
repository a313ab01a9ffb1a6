"""Cases as a configuration of promptfoo, and expectations as its assertions, where it has one of the same meaning."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import yaml

from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.interchange.sets import metadata, templates
from assay.interchange.sets.builder import Listing
from assay.interchange.sets.fields import EMPTY
from assay.interchange.sets.messages import ASKED
from assay.interchange.sets.promptfoo_assertions import EXACT, GLOB, MODES, NOT, TEXT, TEXTS
from assay.interchange.sets.promptfoo_question import WHOLE
from assay.records.case import Case, Expectation

VARIABLE = "message"
ONE_VALUE = {"length-min": "min", "length-max": "max"}


class _Dumper(yaml.SafeDumper):
    """Writes each value out, however often it occurs, and quotes every text that another reader could take for more."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's own signature
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Dumper.add_representer(str, _quoted)


def write(cases: Sequence[Case], listing: Listing) -> bytes:
    """Return the configuration; a case of several turns, or with a simulated user, is left out and told."""
    tests = []
    for case in cases:
        said = templates.literal(case.turns[0])
        if len(case.turns) > 1 or case.user is not None or said is None:
            why = "for promptfoo's tests have one turn" if said is not None else "for promptfoo would change its words"
            listing.leave("case", f"left out, {why}", case.case_id)
            continue
        tests.append(_test(case, said, listing))
    whole = {
        "prompts": [f"{{{{{VARIABLE}}}}}"],
        "providers": ["echo"],
        "tests": tests,
    }
    return yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000).encode()


def _test(case: Case, said: str, listing: Listing) -> dict[str, Any]:
    assertions: list[dict[str, Any]] = []
    lost: list[Expectation] = []
    for expectation in case.expectations:
        made = _assertion(expectation)
        if made is None:
            lost.append(expectation)
            continue
        assertions.append(made)
        if expectation.good or expectation.bad:
            listing.leave("expectation", f"of the check `{expectation.check}`: its example answers", case.case_id)
    metadata.lose(case.model_copy(update={"expectations": lost}), listing, "expectations")
    reference = templates.literal(case.reference)
    if case.reference and reference is not None:
        assertions.append({"type": "factuality", "value": reference})
    elif reference is None:
        metadata.lose(case, listing, "reference")
    told = metadata.tell(case)
    told.pop("expectations", None)
    variables = {name: value for name, value in case.values().items() if _is_variable(name, value, case)}
    others = {name: value for name, value in told.pop("inputs", {}).items() if name not in variables}
    told |= {"inputs": others} if others else {}
    test: dict[str, Any] = {"vars": {VARIABLE: said, **variables}, "metadata": told}
    return test | ({"assert": assertions} if assertions else {})


def _is_variable(name: str, value: object, case: Case) -> bool:
    """Tell whether promptfoo takes a named value as it is: neither as a template or a list, nor as the question."""
    if name in (*ASKED, *WHOLE) or value in EMPTY or value in case.turns:
        return False
    return _is_plain(value) if isinstance(value, str) else isinstance(value, int | float)


def _assertion(expectation: Expectation) -> dict[str, Any] | None:
    """Return the assertion of the same meaning; None where promptfoo has none."""
    kind = expectation.check.removeprefix(NOT)
    made = _plain(kind, expectation)
    if made is None:
        return None
    if expectation.exact:
        made["config"] = EXACT
    if expectation.check != kind:
        made["type"] = f"{NOT}{made['type']}"
    return made


def _plain(kind: str, expectation: Expectation) -> dict[str, Any] | None:
    if expectation.calls:
        return _of_calls(kind, expectation)
    values = [templates.literal(value) for value in expectation.values]
    if None in values:
        return None
    if kind in (*TEXT, "equals"):
        return {"type": kind, "value": values[0]}
    if kind in TEXTS:
        return {"type": kind, "value": values}
    if kind in ONE_VALUE:
        return {"type": "word-count", "value": {ONE_VALUE[kind]: int(expectation.values[0])}}
    if kind in ("latency", "cost"):
        return {"type": kind, "threshold": _number(expectation.values[0], 3 if kind == "latency" else 0)}
    if kind == "refusal":
        return {"type": "is-refusal"}
    return _of_json(kind, expectation)


def _of_json(kind: str, expectation: Expectation) -> dict[str, Any] | None:
    """Return the assertion of an expectation whose value is JSON."""
    if kind in ("is-json", "contains-json", "json-schema") and all(map(_is_plain, expectation.values)):
        named = "is-json" if kind == "json-schema" else kind
        return {"type": named} | ({"value": read_json(expectation.values[0])} if expectation.values else {})
    if kind != "similarity":
        return None
    options = read_json(expectation.values[0])
    reference = templates.literal(options["reference"])
    if options["measure"] != "embedding" or reference is None:
        return None
    return {"type": "similar", "value": reference, "threshold": options["threshold"]}


def _of_calls(kind: str, expectation: Expectation) -> dict[str, Any] | None:
    """Return the assertion of an expectation of calls: there is one for a single call, and one for a sequence."""
    try:
        options = read_json(expectation.values[0]) if expectation.values else {}
        arguments = [read_json(call.arguments) for call in expectation.calls]
    except (NotJsonError, UnreadableError):
        return None
    names = [call.name for call in expectation.calls]
    if any(set(name) & set(GLOB) or not _is_plain(name) for name in names):
        return None
    modes = {ours: theirs for theirs, ours in MODES.items()}
    if kind == "trajectory":
        fits = options.keys() == {"mode"} and options["mode"] in modes and not any(arguments)
        value = {"mode": modes.get(str(options.get("mode"))), "steps": names}
        return {"type": "trajectory:tool-sequence", "value": value} if fits else None
    ignored = options.get("ignore", [])
    fits = options.keys() <= {"exact", "ignore"} and not any(set(one) & {*GLOB, "."} for one in ignored)
    fits = fits and all(map(_is_plain, ignored))
    if len(names) != 1 or not fits or not _is_plain(expectation.calls[0].arguments):
        return None
    value = {"name": names[0], "args": arguments[0]}
    if options.get("exact"):
        value["mode"] = "exact"
    if ignored:
        value["ignore"] = ignored
    return {"type": "trajectory:tool-args-match", "value": value}


def _is_plain(text: str) -> bool:
    """Say whether promptfoo leaves a text as it is where it cannot be told to."""
    return templates.literal(text) == text


def _number(digits: str, power: int) -> int | float:
    """Return a number in plain digits, moved by a power of ten."""
    moved = Decimal(digits).scaleb(power)
    return int(moved) if moved == moved.to_integral_value() else float(moved)
