"""Contrasts: an admitted case, asked for something else, whose expected behaviour follows from how it was made.

A perturbation (assay/generation/perturbations.py) changes how the user speaks and keeps what is expected. A contrast
changes what the user wants, and changes what is expected along with it: a request that is now forbidden must not be
carried out, another quantity must arrive in the call. A case from which nothing follows makes none.
"""

import json
import re
from collections.abc import Callable

import numpy as np

from assay.records.case import Case, Expectation, ToolCall

Contrast = Callable[[Case, np.random.Generator], Case | None]

_REQUEST = re.compile(r"^(?:please|can you|could you|would you|will you)(?: please)? ([a-z]+)\b", re.IGNORECASE)
_ALONE = re.compile(r"(?<![\w#$€£.,:/+-])\d{1,2}(?![\w%€£/:-]|[.,]\d)")
LARGEST = 12
"""No other quantity than up to this one: beyond it a rule of the product may forbid what was asked."""


def negation(case: Case, rng: np.random.Generator) -> Case | None:  # noqa: ARG001 - a contrast takes a source of chance
    """Forbid what was asked for: the calls that were expected must not be made."""
    asked = _REQUEST.match(case.turns[0])
    wanted = [one for one in case.expectations if one.check == "tool-call" and one.calls]
    if asked is None or not wanted or len(case.turns) > 1 or case.user:
        return None
    rest = case.turns[0][asked.end() :].rstrip(" ?!.")
    turn = f"Please do not {asked[1].lower()}{rest}. I only wanted to say that you must leave it as it is."
    forbidden = [one.model_copy(update={"check": "not-tool-call"}) for one in wanted]
    return case.model_copy(update={"turns": [turn], "reference": "", "expectations": forbidden})


def other_number(case: Case, rng: np.random.Generator) -> Case | None:
    """Ask for another quantity: where it is an argument of an expected call, it is the other one there too."""
    numbers = sorted({found[0] for turn in case.turns for found in _ALONE.finditer(turn)})
    there = [number for number in numbers if any(_holds(call, int(number)) for call in _calls(case))]
    if not there or case.user:
        return None
    old = there[int(rng.integers(len(there)))]
    new = str(1 + (int(old) - 1 + int(rng.integers(1, LARGEST))) % LARGEST)
    expectations = [_renumbered(one, int(old), int(new)) for one in case.expectations if one.calls]
    turns = [_ALONE.sub(lambda found: new if found[0] == old else found[0], turn) for turn in case.turns]
    return case.model_copy(update={"turns": turns, "reference": "", "expectations": expectations})


CONTRASTS: dict[str, Contrast] = {"negation": negation, "other-number": other_number}
"""Every contrast by its name; the name becomes part of the new case's id."""


def _calls(case: Case) -> list[ToolCall]:
    return [call for one in case.expectations if one.check in ("tool-call", "trajectory") for call in one.calls]


def _holds(call: ToolCall, number: int) -> bool:
    arguments = _read(call)
    return any(type(value) is int and value == number for value in arguments.values())


def _renumbered(expectation: Expectation, old: int, new: int) -> Expectation:
    calls = []
    for call in expectation.calls:
        changed = {name: new if type(value) is int and value == old else value for name, value in _read(call).items()}
        calls.append(call.model_copy(update={"arguments": json.dumps(changed)}))
    return expectation.model_copy(update={"calls": calls})


def _read(call: ToolCall) -> dict[str, object]:
    """Return a call's arguments; nothing where they are no object, so that nothing follows from them."""
    try:
        found = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
