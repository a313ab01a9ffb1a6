"""Plain rows: JSON Lines, a JSON list or CSV with the names that most tools understand."""

from collections.abc import Sequence
from typing import Any

from assay.interchange.sets import metadata
from assay.interchange.sets.builder import Draft, Gathering, Listing
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.messages import asked, reply
from assay.interchange.sets.source import Source, json_text, listed, table
from assay.records.case import Case

NAME = "rows"
SUFFIXES = (".jsonl", ".json", ".csv")
IDS = ("case_id", "id", "item_id", "uid", "uuid")
INPUTS = ("input", "question", "query", "prompt", "user_input", "message", "turns", "messages", "inputs")
REFERENCES = (
    *("reference", "expected", "expected_output", "expectedOutput", "target", "ideal", "answer"),
    *("ground_truth", "expected_response", "reference_answer", "gold"),
)
COLUMNS = [
    *("id", "category", "layer", "owner", "provenance", "parent", "input", "turns", "reference"),
    *("expectations", "user", "rubric"),
]


def recognises(found: Source) -> bool:
    """Say whether rows hold what a user says under any usual name."""
    return found.kind == "rows" and not found.names().isdisjoint(INPUTS)


def read(found: Source, gathering: Gathering) -> None:
    """Make each row a case."""
    for place, row in found.rows:
        fields = Fields(row, place, gathering, is_table=found.is_table)
        draft = Draft(place=place, case_id=fields.take(*IDS))
        turns = fields.items("turns")
        asked(draft, turns or _value(fields, INPUTS), "input", gathering)
        reply(draft, _value(fields, REFERENCES), "reference", gathering)
        metadata.hear(draft, fields, gathering)
        own = fields.inner("metadata")
        metadata.hear(draft, own, gathering)
        own.leave_rest()
        fields.leave_rest()
        gathering.add(draft)


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
    return fields.take(name)
