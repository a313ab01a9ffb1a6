"""LangSmith: the examples of a data set as JSON Lines, JSON or CSV: `inputs`, `outputs`, `metadata`, `split`."""

from collections.abc import Sequence
from typing import Any

from assay.interchange.sets import metadata
from assay.interchange.sets.builder import Draft, Gathering, Listing
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.messages import ASKED, asked, messages_of, reply
from assay.interchange.sets.source import Source, json_text, listed, table
from assay.records.case import Case

NAME = "langsmith"
SUFFIXES = (".jsonl", ".json", ".csv")
PREFIXES = {"inputs": ("inputs.", "inputs_", "input_"), "outputs": ("outputs.", "outputs_", "output_")}
"""How a table names a field of the inputs and outputs, a column each."""


def recognises(found: Source) -> bool:
    """Say whether rows have inputs, whole or a column each; beside a question they are a case's named values."""
    if found.kind != "rows":
        return False
    names = found.names()
    return ("inputs" in names and names.isdisjoint({*ASKED, "turns"})) or (
        found.is_table and all(any(name.startswith(PREFIXES[side]) for name in names) for side in PREFIXES)
    )


def read(found: Source, gathering: Gathering) -> None:
    """Make each example a case."""
    for place, row in found.rows:
        fields = Fields(_gathered(row) if found.is_table else row, place, gathering, is_table=found.is_table)
        draft = Draft(place=place)
        asked(draft, fields.whole("inputs"), "inputs", gathering)
        reply(draft, fields.whole("outputs"), "outputs", gathering)
        run = fields.text("source_run_id")
        if run:
            draft.provenance, draft.parent = "production", run
        own = fields.inner("metadata")
        metadata.hear(draft, own, gathering)
        metadata.hear(draft, fields, gathering)
        draft.case_id = draft.case_id or fields.take("id")
        fields.take("id")
        own.leave_rest()
        fields.leave_rest()
        gathering.add(draft)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:  # noqa: ARG001 - metadata holds all else
    """Return examples; LangSmith gives ids of its own, so that ours is in the metadata."""
    rows: list[dict[str, Any]] = []
    for case in cases:
        said = {"question": case.turns[0]} if len(case.turns) == 1 else {"messages": messages_of(case.turns)}
        answer = {"answer": case.reference} if case.reference else {}
        rows.append({"inputs": said, "outputs": answer, "metadata": metadata.tell(case)})
    if suffix == ".csv":
        return table(["inputs", "outputs", "metadata"], [{k: json_text(v) for k, v in row.items()} for row in rows])
    return listed(rows, suffix)


def _gathered(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a table with the columns of one side put together."""
    made: dict[str, Any] = {}
    for name, value in row.items():
        side, prefix = next(
            ((side, one) for side, several in PREFIXES.items() for one in several if name.startswith(one)), ("", "")
        )
        if side and side not in row and value != "":
            made.setdefault(side, {})[name.removeprefix(prefix)] = value
        elif not side or side in row:
            made[name] = value
    return made
