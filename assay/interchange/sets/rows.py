"""Plain rows: JSON Lines, a JSON list or CSV with the names that most tools understand."""

from collections.abc import Sequence
from typing import Any

from assay.interchange.sets import choices, metadata
from assay.interchange.sets.builder import Draft, Gathering, Listing
from assay.interchange.sets.columns import INPUT, TOLD, spelled
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.messages import asked, reply
from assay.interchange.sets.source import Source, json_text, listed, table
from assay.records.case import Case

NAME = "rows"
SUFFIXES = (".jsonl", ".json", ".csv")
IDS = (f"{TOLD}id", "case_id", "id", "item_id", "uid", "uuid")
INPUTS = (
    *("input", "question", "query", "prompt", "user_input", "message", "turns", "messages", "inputs"),
    *("instruction", "user_query", "user_message", "utterance"),
)
REFERENCES = (
    *(f"{TOLD}reference", "reference", "expected", "expected_output", "expectedOutput", "target", "ideal", "answer"),
    *("ground_truth", "expected_response", "reference_answer", "gold", "expected_answer", "expectedAnswer"),
    *("best_answer", "correct_answer", "gold_answer", "golden_answer", "ideal_answer", "reference_output"),
    *(
        "reference_outputs",
        "expected_result",
        "groundtruth",
        "references",
        "answers",
        "correct_answers",
        "gold_answers",
    ),
    *("solution",),
)
OURS = "reference"
"""The column of our own files."""
INSTRUCTION, OUTPUT, LABEL, RUBRIC = "instruction", "output", "label", "rubric"
ANSWERED = frozenset({OUTPUT, "response", "completion", "actual_output", "model_output"})
"""Columns with a product's answer: a label beside one is about that answer."""
KNOWN = frozenset({*IDS, *INPUTS, *REFERENCES, *choices.NAMES, *choices.KEYS, *ANSWERED, LABEL, RUBRIC, "category"})
COLUMNS = [
    *("id", "category", "layer", "owner", "provenance", "parent", "input", "turns", "reference"),
    *("expectations", "user", "rubric", "inputs", "references", "attachments", "thresholds"),
    *(metadata.GIVEN, metadata.TAGS),
]


def recognises(found: Source) -> bool:
    """Say whether rows hold what a user says under any usual name."""
    names = spelled(dict.fromkeys(found.names()), KNOWN).keys()
    return found.kind == "rows" and not names.isdisjoint({*INPUTS, f"{TOLD}question"})


def read(found: Source, gathering: Gathering) -> None:
    """Make each row a case."""
    rows = [(place, spelled(row, KNOWN)) for place, row in found.rows]
    first = _first_choice(rows, gathering, is_table=found.is_table)
    for place, row in rows:
        fields = Fields(row, place, gathering, is_table=found.is_table)
        draft = Draft(place=place, case_id=fields.take(*IDS), category=fields.take(f"{TOLD}category"))
        _ask(draft, fields, gathering)
        _give(draft, fields, gathering)
        offered = choices.take(fields)
        if offered:
            choices.join(draft, offered)
            key = _value(fields, (*choices.KEYS, *REFERENCES, LABEL))
            draft.reference = choices.right(offered, key, first, place, gathering) if key is not None else ""
        reply(draft, _reference(fields, is_instructed=INSTRUCTION in row), "reference", gathering)
        if not fields.is_object(RUBRIC):
            draft.criteria += [text] if (text := fields.text(f"{TOLD}rubric", RUBRIC)) else []
        metadata.hear(draft, fields, gathering)
        own = fields.inner("metadata")
        metadata.hear(draft, own, gathering)
        own.leave_rest()
        fields.leave_rest()
        gathering.add(draft)


def _ask(draft: Draft, fields: Fields, gathering: Gathering) -> None:
    """Take what the user says; an instruction stands before what it is about."""
    if f"{TOLD}question" in fields:
        asked(draft, fields.take(f"{TOLD}question"), "question", gathering)
        return
    turns = fields.items("turns")
    asked(draft, turns or _value(fields, INPUTS), "input", gathering)
    instruction = fields.peek(INSTRUCTION)
    if len(draft.turns) == 1 and isinstance(instruction, str) and fields.take(INSTRUCTION):
        draft.turns = [f"{instruction}\n\n{draft.turns[0]}"]


def _give(draft: Draft, fields: Fields, gathering: Gathering) -> None:
    """Take the named values that have a column each, such as `inputs.language`."""
    for column in fields.unread():
        if name := INPUT.fullmatch(column.removeprefix(TOLD)):
            gathering.give(draft, name[1], fields.take(column), column)


def _reference(fields: Fields, *, is_instructed: bool) -> Any:  # noqa: ANN401 - any JSON value
    """Return a good answer; a label is one where no answer stands beside it, an output where an instruction does."""
    found = _value(fields, REFERENCES)
    if found is not None:
        return found
    has_answer = any(name in fields for name in ANSWERED)
    if LABEL in fields and not has_answer:
        return fields.take(LABEL)
    return fields.take(OUTPUT) if is_instructed else None


def _first_choice(rows: Sequence[tuple[str, dict[str, Any]]], gathering: Gathering, *, is_table: bool) -> int:
    """Return the number of the first choice in a file whose answers are numbers of choices."""
    keys = []
    for place, row in rows:
        fields = Fields(row, place, gathering, is_table=is_table)
        if offered := choices.take(fields):
            keys.append((_value(fields, (*choices.KEYS, *REFERENCES, LABEL)), len(offered)))
    return choices.counted_from(keys)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:  # noqa: ARG001 - rows hold everything
    """Return the file of these cases; it holds all of each."""
    rows = [_row(case) for case in cases]
    if suffix == ".csv":
        cells = [{name: one if isinstance(one, str) else json_text(one) for name, one in row.items()} for row in rows]
        return table(COLUMNS, cells)
    return listed(rows, suffix)


def _row(case: Case) -> dict[str, Any]:
    told = metadata.tell(case)
    said = {"input": case.turns[0]} if len(case.turns) == 1 else {"turns": case.turns}
    return {"id": told.pop("case_id"), **said, **({"reference": case.reference} if case.reference else {}), **told}


def _value(fields: Fields, names: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a text, or the list or object that a cell holds."""
    name = next((one for one in names if one in fields), "")
    if name in ("messages", "inputs"):
        return fields.items(name) or fields.take(name)
    # A cell of ours is a text, whatever it looks like.
    is_list = name in REFERENCES and name != OURS
    return (fields.items(name) or fields.take(name)) if is_list else fields.take(name)
