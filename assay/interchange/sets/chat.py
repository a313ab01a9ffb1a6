"""OpenAI's chat rows, as for fine-tuning and stored completions: `messages`, and the `tools` that were offered.

The user's messages are the turns; after the last of them the assistant's words are the reference, and its calls are
expected.
"""

from collections.abc import Sequence
from typing import Any

from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.interchange.sets import metadata
from assay.interchange.sets.builder import Draft, Gathering, Listing
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.messages import SCHEMAS, answered, conversation, is_conversation, messages_of
from assay.interchange.sets.source import Source, json_text, listed
from assay.records.case import Case, Expectation

NAME = "chat"
SUFFIXES = (".jsonl", ".json")
KEPT = ("case_id", "category", "layer", "owner", "provenance", "parent", *metadata.STRUCTURED)
"""What the metadata of a row holds; OpenAI allows texts only there."""


def recognises(found: Source) -> bool:
    """Say whether rows are lists of messages."""
    return found.kind == "rows" and any(is_conversation(row.get("messages")) for _, row in found.rows[:1])


def read(found: Source, gathering: Gathering) -> None:
    """Make each row a case."""
    for place, row in found.rows:
        fields = Fields(row, place, gathering, is_table=found.is_table)
        draft = Draft(place=place, case_id=fields.take("id", "case_id"))
        messages = fields.items("messages")
        if is_conversation(messages):
            said = conversation(messages, place, gathering)
            draft.turns = said.turns
            schemas = _schemas(fields, {call.name for call in said.calls}, gathering)
            answered(draft, said, schemas, gathering)
        metadata.finish(draft, fields, gathering)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:
    """Return the rows of these cases; a case with a simulated user is no row and left out."""
    rows = []
    for case in cases:
        if case.user is not None:
            listing.leave("case", "left out, for a row of messages has no simulated user", case.case_id)
            continue
        rows.append(_row(case, listing))
    return listed(rows, suffix)


def _schemas(fields: Fields, called: set[str], gathering: Gathering) -> dict[str, Any]:
    """Return the schema of each called tool's parameters; tools that are not called are left and told."""
    found: dict[str, Any] = {}
    tools = fields.items("tools") + [{"function": one} for one in fields.items("functions")]
    for number, tool in enumerate(tools):
        inner = tool.get("function") if isinstance(tool, dict) else None
        named = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(inner, dict) and isinstance(named, str) and named in called:
            found |= {named: inner["parameters"]} if isinstance(inner.get("parameters"), dict) else {}
        else:
            gathering.leave("tool", "offered and not called", f"{fields.place}, tools[{number}]")
    return found


def _row(case: Case, listing: Listing) -> dict[str, Any]:
    messages = messages_of(case.turns)
    expected = next(
        (one for one in case.expectations if one.check == "tool-call" and _schemas_of(one) is not None), None
    )
    if expected is not None or case.reference:
        answer: dict[str, Any] = {"role": "assistant", "content": case.reference or None}
        calls = [
            {"id": f"call_{number}", "type": "function", "function": call.model_dump()}
            for number, call in enumerate(expected.calls if expected else [], 1)
        ]
        messages.append(answer | ({"tool_calls": calls} if calls else {}))
    others = [one for one in case.expectations if one is not expected]
    metadata.lose(case.model_copy(update={"expectations": others}), listing, "expectations")
    row: dict[str, Any] = {"messages": messages}
    schemas = _schemas_of(expected) if expected else {}
    if schemas:
        row["tools"] = [
            {"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in schemas.items()
        ]
    told = metadata.tell(case)
    told |= {name: json_text(told[name]) for name in metadata.STRUCTURED if name in told}
    return row | {"metadata": {name: told[name] for name in KEPT if name in told}}


def _schemas_of(expectation: Expectation) -> dict[str, Any] | None:
    """Return the schemas by which calls are compared; None where they are compared in another way too."""
    try:
        options = read_json(expectation.values[0]) if expectation.values else {SCHEMAS: {}}
    except (NotJsonError, UnreadableError):
        return None
    return options[SCHEMAS] if isinstance(options, dict) and options.keys() == {SCHEMAS} else None
