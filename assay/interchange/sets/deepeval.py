"""DeepEval: test cases and goldens as JSON or CSV; the scenario of a conversational golden is for a simulated user."""

from collections.abc import Iterator, Sequence
from typing import Any

from assay.interchange.sets import metadata
from assay.interchange.sets.builder import OPENING, STOP, TURNS, Draft, Gathering, Listing, quoted
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.messages import asked, call, calls_expected, messages_of
from assay.interchange.sets.source import Row, Source, document, json_text, table
from assay.records.case import Case, SimulatedUser

NAME = "deepeval"
SUFFIXES = (".json", ".csv")
TELLING = frozenset(
    {
        *("actual_output", "actualOutput", "retrieval_context", "retrievalContext", "expected_tools", "expectedTools"),
        *("tools_called", "toolsCalled", "additional_metadata", "additionalMetadata", "source_file", "sourceFile"),
        *("scenario", "expected_outcome", "expectedOutcome", "user_description"),
    }
)
LISTS = ("goldens", "test_cases", "testCases", "conversational_goldens", "conversationalGoldens")
OF_RUN = ("actual_output", "actualOutput", "retrieval_context", "retrievalContext", "tools_called", "toolsCalled")


def recognises(found: Source) -> bool:
    """Say whether a file holds goldens or test cases."""
    if found.kind == "value":
        return bool(found.names() & set(LISTS))
    return found.kind == "rows" and bool(found.names() & TELLING) and bool(found.names() & {"input", "scenario"})


def read(found: Source, gathering: Gathering) -> None:
    """Make each golden or test case a case."""
    for place, row in _rows(found, gathering):
        fields = Fields(row, place, gathering, is_table=found.is_table)
        draft = Draft(place=place, case_id=fields.take("id"), title=fields.text("name"))
        own = fields.inner("additional_metadata", "additionalMetadata", "metadata")
        metadata.hear(draft, own, gathering)
        if "scenario" in fields:
            _converse(draft, fields, own, gathering)
        else:
            asked(draft, fields.take("input"), "input", gathering)
            draft.reference = fields.text("expected_output", "expectedOutput") or draft.reference
        tools = _tools(fields, gathering)
        calls_expected(draft, tools, {}, gathering)
        own.leave_rest()
        metadata.hear(draft, fields, gathering)
        fields.drop("part", "of an answer, outside any case", *OF_RUN)
        fields.leave_rest()
        gathering.add(draft)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:
    """Return goldens: conversational ones where every case has a simulated user, else those of one turn."""
    if suffix == ".json" and all(case.user for case in cases):
        return document([_conversational(case) for case in cases])
    rows = []
    for case in cases:
        if case.user is not None or len(case.turns) > 1:
            why = "for a golden has one turn and no simulated user (conversations need a file of their own)"
            listing.leave("case", f"left out, {why}", case.case_id)
            continue
        rows.append(_golden(case))
    if suffix == ".json":
        return document(rows)
    cells = [{name: one if isinstance(one, str) else json_text(one) for name, one in row.items()} for row in rows]
    return table(["input", "expected_output", "additional_metadata"], cells)


def _rows(found: Source, gathering: Gathering) -> Iterator[Row]:
    if found.kind == "rows":
        yield from found.rows
        return
    whole = Fields(found.value, "the file", gathering)
    for name in LISTS:
        for number, one in enumerate(whole.items(name)):
            if not isinstance(one, dict):
                raise gathering.fault(f"{name}[{number}]", f" is {quoted(one)}, expected an object: export it again")
            yield f"{name}[{number}]", one
    whole.leave_rest()


def _converse(draft: Draft, fields: Fields, own: Fields, gathering: Gathering) -> None:
    """Let a simulated user play the scenario, after the turns that the golden has."""
    for number, turn in enumerate(fields.items("turns", "messages")):
        if isinstance(turn, dict) and turn.get("role") == "user":
            draft.turns.append(str(turn.get("content") or turn.get("input") or ""))
        elif isinstance(turn, dict) and "input" in turn:
            draft.turns.append(str(turn["input"]))
        else:
            gathering.leave(
                "turn", "of the assistant, for the product to give itself", f"{draft.place}.turns[{number}]"
            )
    if not draft.turns:
        draft.turns = [OPENING]
        gathering.leave("scenario", f"without a first message, begun with `{OPENING}`", draft.place)
    draft.reference = own.text("reference")
    stop = fields.text("expected_outcome", "expectedOutcome")
    if not stop:
        stop = STOP
        gathering.leave("scenario", "without an expected outcome, stopped when its goal is reached", draft.place)
    most = own.take("max_turns")
    if type(most) is not int or not 1 <= most <= 50:  # noqa: PLR2004 - as in SimulatedUser
        gathering.leave("scenario", f"without `max_turns` of 1 to 50, given {TURNS}", draft.place)
        most = TURNS
    persona = fields.inner("persona").text("characteristics") or fields.text("user_description", "userDescription")
    draft.user = SimulatedUser(goal=fields.text("scenario"), persona=persona, stop=stop, max_turns=most)


def _tools(fields: Fields, gathering: Gathering) -> list[Any]:
    """Return the calls that are expected; in CSV they may be names between semicolons."""
    found = fields.items("expected_tools", "expectedTools")
    if not found and "expected_tools" in fields:
        found = [part.strip() for part in fields.text("expected_tools").split(";") if part.strip()]
    for tool in found:
        for name in ("output", "description", "reasoning"):
            if isinstance(tool, dict) and tool.get(name):
                gathering.leave("field", f"`expected_tools.{name}`", fields.place)
    read_calls = [call(one, f"{fields.place}.expected_tools[{number}]", gathering) for number, one in enumerate(found)]
    return [one for one in read_calls if one is not None]


def _golden(case: Case) -> dict[str, Any]:
    reference = {"expected_output": case.reference} if case.reference else {}
    return {"input": case.turns[0], **reference, "additional_metadata": metadata.tell(case)}


def _conversational(case: Case) -> dict[str, Any]:
    told = metadata.tell(case)
    if case.user is None:
        raise ValueError(f"case {case.case_id} has no simulated user; write it as a golden of one turn")
    told.pop("user")
    told["max_turns"] = case.user.max_turns
    reference = {"reference": case.reference} if case.reference else {}
    return {
        "scenario": case.user.goal,
        "expected_outcome": case.user.stop,
        "user_description": case.user.persona,
        "turns": messages_of(case.turns),
        "additional_metadata": told | reference,
    }
