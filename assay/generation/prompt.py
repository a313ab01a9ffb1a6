"""The generator's prompt, and the strict reading of what a generator answers.

A generator proposes; people admit. What it proposes is untrusted: each item of its reply becomes a valid case or a
sentence that says why it was rejected, and an item at fault costs only itself.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Any

from jinja2 import Environment, StrictUndefined
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from assay.checks import registry
from assay.errors import DataError
from assay.generation.strategies import Ask, Way
from assay.records.candidate import Source
from assay.records.case import Case, Expectation, SimulatedUser
from assay.records.record import digest
from assay.reply_text import bare

MAX_CASES = 50
"""Per reply; a longer list is a generator running away."""
MAX_CHARACTERS = 4000
"""Per text of a proposed case."""

RESOURCES = ("prompt.md",)
_TEXT = resources.files("assay.generation").joinpath("prompt.md").read_text(encoding="utf-8")
_TEMPLATE = Environment(
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - no HTML is made; all data goes in as JSON without angle brackets
    trim_blocks=True,
    lstrip_blocks=True,
).from_string(_TEXT)
PROMPT_HASH = digest(_TEXT)
"""Part of a generator's fingerprint."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A case that a generator proposed, with where it comes from."""

    case: Case
    made: Way
    sources: Sequence[Source] = ()


@dataclass(frozen=True, kw_only=True)
class Proposals:
    """What a generator's reply came to."""

    found: list[Proposal]
    rejected: list[str]
    """One sentence for each item of the reply that is no case."""


def _expectation(proposed: object) -> Expectation:
    try:
        return registry.read(proposed)
    except DataError as error:
        raise ValueError(str(error)) from error


class _Proposed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    turns: list[str]
    reference: str
    expectations: list[Annotated[Expectation, BeforeValidator(_expectation)]]
    parent: str = ""
    document: str = ""
    quote: str = ""
    user: SimulatedUser | None = None


def render(ask: Ask) -> list[dict[str, str]]:
    """Return the system and the user message in OpenAI's shape."""
    shown = {
        "way": ask.way,
        "category": _data(ask.category.model_dump()),
        "examples": "\n".join(_data(case.model_dump(exclude_none=True)) for case in ask.examples),
        "existing": _data(["\n".join(case.turns) for case in ask.existing]),
        "crowded": _data(list(ask.crowded)),
        "material": "\n".join(_data(one._asdict()) for one in ask.material),
        "tools": _data(list(ask.tools)),
        "count": str(ask.count),
    }
    context = _TEMPLATE.new_context(shown)
    return [{"role": role, "content": "".join(_TEMPLATE.blocks[role](context)).strip()} for role in ("system", "user")]


def response_format() -> dict[str, Any]:
    """Return the `response_format` of the request: any JSON object; the strictness is in the reading."""
    return {"type": "json_object"}


def fingerprint(model: str) -> str:
    """Return the hash of what could move what a generator proposes, but for what it is asked and its seed."""
    return digest({"prompt": PROMPT_HASH, "model": model})


def parse(content: str | None, ask: Ask) -> Proposals:
    """Read a generator's reply into cases of the category.

    Whether what a case expects can be held against an answer is for `soundness` to say, not for this reading.

    Args:
        content: The text of `choices[0].message`.
        ask: What was asked: layer, category and owner of the cases are taken from it, its examples and its material
            are the only legal parents and sources, and its examples are never to be repeated.
    """
    try:
        found = json.loads(bare(content or ""))
    except (ValueError, RecursionError) as error:
        return Proposals(found=[], rejected=[f"the reply is not JSON ({error}), expected an object with `cases`"])
    items = found.get("cases") if isinstance(found, dict) and set(found) == {"cases"} else None
    if not isinstance(items, list) or len(items) > MAX_CASES:
        return Proposals(found=[], rejected=[f"the reply is no object with only `cases`, a list of up to {MAX_CASES}"])
    return _sorted_out(items, ask)


def _sorted_out(items: list[Any], ask: Ask) -> Proposals:
    kept: list[Proposal] = []
    rejected: list[str] = []
    seen = {tuple(example.turns) for example in ask.examples}
    for number, item in enumerate(items, start=1):
        try:
            proposal = _proposal(item, ask)
        except ValueError as error:
            rejected.append(f"item {number}: {_sentence(error)}")
            continue
        turns = tuple(proposal.case.turns)
        if turns in seen:
            rejected.append(f"item {number}: it repeats an example or an earlier item, expected something new")
            continue
        seen.add(turns)
        kept.append(proposal)
    return Proposals(found=kept, rejected=rejected)


def _proposal(item: object, ask: Ask) -> Proposal:
    """Return what one item proposes; a ValueError says what is wrong with it."""
    proposed = _Proposed.model_validate(item)
    user = proposed.user
    texts = [
        *proposed.turns,
        proposed.reference,
        proposed.quote,
        *([user.goal, user.persona, user.stop] if user else []),
    ]
    texts += [text for one in proposed.expectations for text in one.values]
    if not _is_writable(item):
        raise ValueError("a text holds a character that cannot be written as UTF-8")
    if max(map(len, texts)) > MAX_CHARACTERS:
        raise ValueError(f"a text is longer than {MAX_CHARACTERS} characters")
    if not proposed.turns or not all(turn.strip() for turn in proposed.turns):
        raise ValueError("a turn is missing or empty")
    if not proposed.reference.strip() and not proposed.expectations and ask.way != "rubric":
        raise ValueError("there is neither a reference nor an expectation, so nothing could ever fail")
    material = {one.name for one in ask.material}
    if proposed.parent and proposed.parent not in {example.case_id for example in ask.examples} | material:
        raise ValueError(f"the parent {proposed.parent[:80]!r} is none of the examples, and not in the material")
    if (proposed.document or proposed.quote) and proposed.document not in material:
        raise ValueError(f"the document {proposed.document[:80]!r} is not in the material")
    sources = [Source(document=proposed.document, quote=proposed.quote)] if proposed.document else []
    return Proposal(case=_case(proposed, ask), made=ask.way, sources=sources)


def _case(proposed: _Proposed, ask: Ask) -> Case:
    category = ask.category
    said: object = [proposed.turns, proposed.user] if proposed.user else proposed.turns
    return Case(
        case_id=f"{category.category[:80].rstrip('._-')}-gen-{digest(said)[:8]}",
        layer=category.layer,
        category=category.category,
        turns=proposed.turns,
        reference=proposed.reference,
        expectations=proposed.expectations,
        provenance="production" if ask.way == "production" else "generated",
        parent=proposed.parent,
        owner=category.owner,
        user=proposed.user,
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
