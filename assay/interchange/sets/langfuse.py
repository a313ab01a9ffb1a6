"""Langfuse: the items of a data set, as the API and the SDKs return them; archived ones are left out, and told."""

from collections.abc import Iterator, Sequence
from typing import Any

from assay.interchange.sets import metadata
from assay.interchange.sets.builder import Draft, Gathering, Listing, quoted
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.messages import asked, messages_of, reply
from assay.interchange.sets.source import Row, Source, json_text, listed, table
from assay.records.case import Case

NAME = "langfuse"
SUFFIXES = (".json", ".jsonl", ".csv")
EXPECTED = ("expectedOutput", "expected_output")
TELLING = frozenset(
    {
        *("sourceTraceId", "source_trace_id", "sourceObservationId", "source_observation_id", "datasetId"),
        *("dataset_id", "datasetName", "dataset_name"),
    }
)
JSON = ("{", "[")
"""How a cell begins that is read as JSON; a text that begins so is written within some."""
STATES = ("ACTIVE", "ARCHIVED")


def recognises(found: Source) -> bool:
    """Say whether a file holds items, as a list or as a page of the API."""
    if found.kind == "value":
        rows = _listed(found)
        names = frozenset(name for one in rows[:20] if isinstance(one, dict) for name in one)
        return "input" in names and _are_told(names, rows)
    return (
        found.kind == "rows" and "input" in found.names() and _are_told(found.names(), [one for _, one in found.rows])
    )


def read(found: Source, gathering: Gathering) -> None:
    """Make each active item a case."""
    for place, row in _rows(found, gathering):
        fields = Fields(row, place, gathering, is_table=found.is_table)
        if str(fields.take("status") or STATES[0]).upper() == STATES[1]:
            gathering.leave("item", "left out as archived", place)
            continue
        draft = Draft(place=place, case_id=fields.take("id"))
        asked(draft, fields.whole("input"), "input", gathering)
        name = next((one for one in EXPECTED if one in fields), EXPECTED[0])
        reply(draft, fields.whole(name), name, gathering)
        trace = fields.text("sourceTraceId", "source_trace_id")
        if trace:
            draft.provenance, draft.parent = "production", trace
        metadata.finish(draft, fields, gathering)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:  # noqa: ARG001 - metadata holds all else
    """Return active items; a case from production has its trace as the source."""
    rows = []
    for case in cases:
        told = metadata.tell(case)
        is_plain = len(case.turns) == 1 and not (suffix == ".csv" and case.turns[0].lstrip().startswith(JSON))
        said = case.turns[0] if is_plain else messages_of(case.turns)
        row: dict[str, Any] = {"id": told.pop("case_id"), "input": said}
        if case.reference:
            is_plain = suffix != ".csv" or not case.reference.lstrip().startswith(JSON)
            row["expectedOutput"] = case.reference if is_plain else {"answer": case.reference}
        if case.provenance == "production" and case.parent:
            row["sourceTraceId"] = told.pop("parent")
        rows.append(row | {"metadata": told, "status": STATES[0]})
    if suffix == ".csv":
        columns = ["id", "input", "expectedOutput", "metadata", "status", "sourceTraceId"]
        cells = [{name: one if isinstance(one, str) else json_text(one) for name, one in row.items()} for row in rows]
        return table(columns, cells)
    return listed(rows, suffix)


def _rows(found: Source, gathering: Gathering) -> Iterator[Row]:
    if found.kind == "rows":
        yield from found.rows
        return
    for number, one in enumerate(_listed(found)):
        if not isinstance(one, dict):
            raise gathering.fault(f"items[{number}]", f" is {quoted(one)}, expected an object: export it again")
        yield f"items[{number}]", one
    whole = Fields(found.value, "the file", gathering)
    whole.take("items", "data")
    whole.leave_rest()


def _listed(found: Source) -> list[Any]:
    listed = found.value.get("items") or found.value.get("data")
    return listed if isinstance(listed, list) else []


def _are_told(names: frozenset[str], rows: Sequence[Any]) -> bool:
    """Say whether these are Langfuse's names; a status counts only with a word of its own."""
    states = {str(one.get("status")).upper() for one in rows[:20] if isinstance(one, dict) and one.get("status")}
    return bool(names & TELLING) or bool(states & set(STATES))
