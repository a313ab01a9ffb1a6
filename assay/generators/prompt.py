"""The generator's prompt, and the strict reading of what a generator answers.

A generator proposes; people admit. What it proposes is untrusted: each item of its reply becomes a valid case or a
sentence that says why it was rejected, and an item at fault costs only itself.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from pydantic import BaseModel, ConfigDict, ValidationError

from assay.records import Case, Category, Expectation, digest

MAX_CASES = 50
"""Per reply; a longer list is a generator running away."""
MAX_CHARACTERS = 4000
"""Per text of a proposed case."""

_TEXT = resources.files("assay.generators").joinpath("prompt.md").read_text(encoding="utf-8")
_TEMPLATE = Environment(
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - no HTML is made; all data goes in as JSON without angle brackets
    trim_blocks=True,
    lstrip_blocks=True,
).from_string(_TEXT)
PROMPT_HASH = digest(_TEXT)
"""Part of a generator's fingerprint."""


@dataclass(frozen=True, kw_only=True)
class Proposals:
    """What a generator's reply came to."""

    cases: list[Case]
    rejected: list[str]
    """One sentence for each item of the reply that is no case."""


class _Proposed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    turns: list[str]
    reference: str
    expectations: list[Expectation]
    parent: str = ""


def render(
    category: Category, examples: Sequence[Case], existing: Sequence[Case], *, count: int
) -> list[dict[str, str]]:
    """Return the system and the user message in OpenAI's shape.

    Args:
        category: What kind of failure the cases are to provoke.
        examples: Admitted cases of the category, with all that is expected of the product.
        existing: Cases whose questions are not to be repeated.
        count: How many cases to ask for.
    """
    shown = {
        "category": _data(category.model_dump()),
        "examples": "\n".join(_data(case.model_dump()) for case in examples),
        "existing": _data(["\n".join(case.turns) for case in existing]),
        "count": str(count),
    }
    context = _TEMPLATE.new_context(shown)
    return [{"role": role, "content": "".join(_TEMPLATE.blocks[role](context)).strip()} for role in ("system", "user")]


def response_format() -> dict[str, Any]:
    """Return the `response_format` of the request: any JSON object; the strictness is in the reading."""
    return {"type": "json_object"}


def fingerprint(model: str, parameters: dict[str, Any]) -> str:
    """Return the hash of everything that could move what a generator proposes."""
    return digest({"prompt": PROMPT_HASH, "model": model, "parameters": parameters})


def parse(content: str | None, category: Category, examples: Sequence[Case]) -> Proposals:
    """Read a generator's reply into cases of the category.

    Whether the expectations' checks exist and are well formed is for the checks to say, not for this reading.

    Args:
        content: The text of `choices[0].message`.
        category: What was asked for; layer, category and owner of the cases are taken from it.
        examples: The cases shown in the prompt: the only legal parents, and never to be repeated.
    """
    try:
        found = json.loads(content or "")
    except (ValueError, RecursionError) as error:
        return Proposals(cases=[], rejected=[f"the reply is not JSON ({error}), expected an object with `cases`"])
    items = found.get("cases") if isinstance(found, dict) and set(found) == {"cases"} else None
    if not isinstance(items, list) or len(items) > MAX_CASES:
        return Proposals(cases=[], rejected=[f"the reply is no object with only `cases`, a list of up to {MAX_CASES}"])
    return _sorted_out(items, category, examples)


def _sorted_out(items: list[Any], category: Category, examples: Sequence[Case]) -> Proposals:
    cases: list[Case] = []
    rejected: list[str] = []
    parents = {example.case_id for example in examples}
    seen = {tuple(example.turns) for example in examples}
    for number, item in enumerate(items, start=1):
        try:
            case = _case(item, category, parents)
        except ValueError as error:
            rejected.append(f"item {number}: {_sentence(error)}")
            continue
        if tuple(case.turns) in seen:
            rejected.append(f"item {number}: it repeats an example or an earlier item, expected something new")
            continue
        seen.add(tuple(case.turns))
        cases.append(case)
    return Proposals(cases=cases, rejected=rejected)


def _case(item: object, category: Category, parents: set[str]) -> Case:
    """Return the case that one item proposes; a ValueError says what is wrong with it."""
    proposed = _Proposed.model_validate(item)
    texts = [*proposed.turns, proposed.reference, *(text for one in proposed.expectations for text in one.values)]
    if not _is_writable(item):
        raise ValueError("a text holds a character that cannot be written as UTF-8")
    if max(map(len, texts)) > MAX_CHARACTERS:
        raise ValueError(f"a text is longer than {MAX_CHARACTERS} characters")
    if not proposed.turns or not all(turn.strip() for turn in proposed.turns):
        raise ValueError("a turn is missing or empty")
    if not proposed.reference.strip() and not proposed.expectations:
        raise ValueError("there is neither a reference nor an expectation, so nothing could ever fail")
    if proposed.parent and proposed.parent not in parents:
        raise ValueError(f"the parent {proposed.parent[:80]!r} is none of the examples")
    return Case(
        case_id=f"{category.category[:80].rstrip('._-')}-gen-{digest(proposed.turns)[:8]}",
        layer=category.layer,
        category=category.category,
        turns=proposed.turns,
        reference=proposed.reference,
        expectations=proposed.expectations,
        provenance="generated",
        parent=proposed.parent,
        owner=category.owner,
    )


def _is_writable(item: object) -> bool:
    try:
        json.dumps(item, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _sentence(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"


def _data(value: object) -> str:
    """Return JSON in plain ASCII without angle brackets: no text in it can look like a delimiter."""
    return json.dumps(value, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e")
