"""Ragas: evaluation data sets and generated test sets, of one turn or several, as JSON Lines, JSON or CSV."""

from collections.abc import Sequence
from typing import Any

from assay.interchange.sets import metadata
from assay.interchange.sets.builder import Draft, Gathering, Listing
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.messages import (
    USER,
    asked,
    call,
    calls_expected,
    is_conversation,
    message_role,
    messages_of,
)
from assay.interchange.sets.source import Source, json_value, listed, table
from assay.records.case import Case, Expectation

NAME = "ragas"
SUFFIXES = (".jsonl", ".json", ".csv")
OLD = frozenset({"ground_truth", "ground_truths", "contexts"})
"""Fields of version 0.1, beside `question`."""
OF_RUN = ("response", "answer", "retrieved_contexts", "retrieved_context_ids", "contexts")


def recognises(found: Source) -> bool:
    """Say whether rows have Ragas' names, of today or of version 0.1."""
    names = found.names()
    return found.kind == "rows" and ("user_input" in names or ("question" in names and bool(names & OLD)))


def read(found: Source, gathering: Gathering) -> None:
    """Make each sample a case."""
    for place, row in found.rows:
        fields = Fields(row, place, gathering, is_table=found.is_table)
        draft = Draft(place=place, case_id=fields.take("id", "case_id"))
        asked(draft, _said(fields.take("user_input", "question"), place, gathering), "user_input", gathering)
        truths = fields.items("ground_truths")
        draft.reference = fields.text("reference", "ground_truth") or str((truths or [""])[0])
        draft.references = [str(one) for one in truths if str(one) != draft.reference]
        wanted = fields.items("reference_tool_calls")
        calls = [call(one, f"{place}.reference_tool_calls[{number}]", gathering) for number, one in enumerate(wanted)]
        calls_expected(draft, [one for one in calls if one is not None], {}, gathering)
        if "synthesizer_name" in fields or "evolution_type" in fields:
            draft.provenance = "generated"
        own = fields.inner("metadata")
        metadata.hear(draft, fields, gathering)
        metadata.hear(draft, own, gathering)
        own.leave_rest()
        fields.drop("part", "of an answer, outside any case", *OF_RUN)
        fields.leave_rest()
        gathering.add(draft)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:
    """Return samples, all of several turns where one is, for Ragas reads no mixture; it has no names and categories."""
    kept = []
    for case in cases:
        if case.user is not None:
            listing.leave("case", "left out, for a sample has no simulated user", case.case_id)
        elif len(case.turns) > 1 and suffix == ".csv":
            listing.leave("case", "left out, for a row of a table has one turn", case.case_id)
        else:
            kept.append(case)
    is_several = suffix != ".csv" and any(len(case.turns) > 1 or _called(case) for case in kept)
    rows = [_row(case, is_several=is_several, listing=listing) for case in kept]
    if suffix == ".csv":
        return table(["user_input", "reference"], rows)
    return listed(rows, suffix)


def _said(found: Any, place: str, gathering: Gathering) -> Any:  # noqa: ANN401 - any JSON value
    """Return the user's messages of a conversation, whose others are what a product said; or the text itself."""
    if not is_conversation(found):
        return found
    for number, one in enumerate(found):
        if message_role(one) not in USER:
            gathering.leave("message", "of a run, outside any case", f"{place}, user_input[{number}]")
    return [one for one in found if message_role(one) in USER]


def _row(case: Case, *, is_several: bool, listing: Listing) -> dict[str, Any]:
    called = _called(case) if is_several else None
    others = [one for one in case.expectations if one is not called]
    metadata.lose(case.model_copy(update={"expectations": others}), listing, "expectations", "parent")
    metadata.lose(
        case,
        listing,
        "case_id",
        "category",
        "layer",
        "owner",
        "inputs",
        "references",
        "attachments",
        "contexts",
        "thresholds",
    )
    row: dict[str, Any] = {"user_input": case.turns[0]}
    if is_several:
        row["user_input"] = messages_of(case.turns, role="type", user="human")
    if case.reference:
        row["reference"] = case.reference
    if called is not None:
        where = f"the case {case.case_id}"
        row["reference_tool_calls"] = [
            {"name": one.name, "args": json_value(one.arguments, where)} for one in called.calls
        ]
    return row


def _called(case: Case) -> Expectation | None:
    """Return the expectation that is a plain list of calls."""
    return next((one for one in case.expectations if one.check == "tool-call" and not one.values), None)
