"""DeepEval, Ragas, LangSmith and Langfuse: their exports become cases, and what is of a run is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import DataError
from assay.records.case import SimulatedUser, ToolCall
from tests.interchange.sets.shop import canonical, expected, taken

GOLDEN = {
    "input": "May I send it back?",
    "actual_output": None,
    "expected_output": "Yes, within 14 days.",
    "context": ["Refunds are possible within 14 days."],
    "source_file": "refunds.md",
}


def test_goldens_as_deepeval_saves_them(tmp_path: Path) -> None:
    """Goldens as JSON and as CSV give the same cases; contexts and sources are told."""
    header = "input,actual_output,expected_output,context,source_file\n"
    table = f'{header}May I send it back?,,"Yes, within 14 days.",a|b,r.md\n'
    for name, content in (("goldens.json", [GOLDEN]), ("goldens.csv", table)):
        found = taken(tmp_path, name, content)
        assert [(one.turns, one.reference) for one in found.cases] == [([GOLDEN["input"]], GOLDEN["expected_output"])]
        assert [line.split(",")[0] for line in found.not_understood] == ["1 field `context`", "1 field `source_file`"]


def test_test_cases_with_tools(tmp_path: Path) -> None:
    """Expected tools are expected calls with their parameters; the answer and the tools called are of a run."""
    row = {
        "input": "Refund PL-1042",
        "actual_output": "Done.",
        "retrieval_context": ["x"],
        "tools_called": [{"name": "refund"}],
        "expected_tools": [{"name": "refund", "input_parameters": {"order": "PL-1042"}, "output": "ok"}, {"name": ""}],
        "additional_metadata": {"category": "Tools"},
        "name": "Refund one",
    }
    found = taken(tmp_path, "cases.json", [row])
    (case,) = found.cases
    assert (case.category, case.case_id.startswith("refund-one-")) == ("tools", True)
    assert case.expectations == [
        expected("tool-call", calls=(ToolCall(name="refund", arguments='{"order": "PL-1042"}'),))
    ]
    assert found.not_understood == [
        "1 field `expected_tools.output`, in record 1",
        "1 call without a tool's name, in record 1.expected_tools[1]",
        "3 parts of an answer, outside any case, the first in record 1, actual_output",
    ]


def test_names_of_tools_in_a_table(tmp_path: Path) -> None:
    """A table's cell of tools is JSON or names between semicolons."""
    cell = canonical([{"name": "refund"}]).replace('"', '""')
    text = f'input,expected_tools\nHi,refund; escalate\nHo,"{cell}"\n'
    found = taken(tmp_path, "goldens.csv", text)
    assert [[call.name for call in one.expectations[0].calls] for one in found.cases] == [
        ["refund", "escalate"],
        ["refund"],
    ]


def test_conversational_goldens(tmp_path: Path) -> None:
    """A scenario is played by a simulated user after the golden's own turns; whatever it lacks is told."""
    rows: list[dict[str, Any]] = [
        {
            "scenario": "Cleo wants her money back.",
            "expectedOutcome": "The refund is confirmed.",
            "userDescription": "Short and angry.",
            "turns": [{"role": "user", "content": "Refund!"}, {"role": "assistant", "content": "Sure?"}],
            "additionalMetadata": {"max_turns": 4},
        },
        {"scenario": "Cleo asks for a present."},
    ]
    found = taken(tmp_path, "set.json", {"conversationalGoldens": rows})
    first, second = found.cases
    assert (first.turns, second.turns) == (["Refund!"], ["Hello."])
    wanted = {"goal": rows[0]["scenario"], "stop": rows[0]["expectedOutcome"], "persona": "Short and angry."}
    assert first.user == SimulatedUser.model_validate(wanted | {"max_turns": 4})
    assert second.user is not None
    assert second.user.max_turns == 10
    place = "conversationalGoldens[1]"
    assert found.not_understood == [
        "1 turn of the assistant, for the product to give itself, in conversationalGoldens[0].turns[1]",
        f"1 scenario without a first message, begun with `Hello.`, in {place}",
        f"1 scenario without an expected outcome, stopped when its goal is reached, in {place}",
        f"1 scenario without `max_turns` of 1 to 50, given 10, in {place}",
    ]


def test_samples_of_ragas(tmp_path: Path) -> None:
    """Samples of one turn, of several, generated ones and those of version 0.1 are read."""
    rows: list[dict[str, Any]] = [
        {
            "user_input": "When?",
            "retrieved_contexts": ["x"],
            "reference_contexts": ["y"],
            "response": "Soon.",
            "reference": "Within 14 days.",
            "synthesizer_name": "single_hop",
        },
        {
            "user_input": [
                {"content": "Refund PL-1042", "type": "human", "metadata": None},
                {"content": "", "type": "ai", "tool_calls": [{"name": "refund", "args": {"order": "PL-1042"}}]},
                {"content": "ok", "type": "tool"},
                {"content": "Done.", "type": "ai"},
            ],
            "reference_tool_calls": [{"name": "refund", "args": {"order": "PL-1042"}}],
        },
    ]
    found = taken(tmp_path, "testset.jsonl", rows)
    first, second = found.cases
    assert (first.turns, first.reference, first.provenance) == (["When?"], "Within 14 days.", "generated")
    assert (second.turns, second.reference, second.provenance) == (["Refund PL-1042"], "", "written")
    call = expected("tool-call", calls=(ToolCall(name="refund", arguments='{"order": "PL-1042"}'),))
    assert second.expectations == [call]
    told = "\n".join(found.not_understood)
    assert "2 parts of an answer" in told
    assert "3 messages of a run" in told
    assert "`reference_contexts`" in told
    assert "`synthesizer_name`" in told
    old = {"question": "When?", "contexts": ["x"], "answer": "Soon.", "ground_truths": ["Within 14 days.", "Later."]}
    found = taken(tmp_path, "old.jsonl", [old])
    assert found.cases[0].right_answers() == ["Within 14 days.", "Later."]


EXAMPLE = {
    "id": "1dda8da7-fbfd-4ca8-965b-5a97a180f014",
    "dataset_id": "a9bee06a-9bd7-44be-bbbd-03b00b65d9e4",
    "created_at": "2026-10-01T10:00:00+00:00",
    "inputs": {"question": "May I send it back?", "locale": "en"},
    "outputs": {"answer": "Yes, within 14 days."},
    "metadata": {"dataset_split": ["test"], "category": "refunds"},
    "source_run_id": "27e9444f-d80b-4063-9b35-aeb29a500566",
}


def test_examples_of_langsmith(tmp_path: Path) -> None:
    """Examples give question and answer; one made from a run is from production and names it."""
    chat = {
        "inputs": {"messages": [{"role": "user", "content": "Hi"}]},
        "outputs": {"messages": [{"role": "assistant", "content": "Hello"}]},
        "split": "base",
    }
    found = taken(tmp_path, "examples.jsonl", [EXAMPLE, chat, {"inputs": {"x": "only one field"}, "outputs": None}])
    first, second, third = found.cases
    assert (first.case_id, first.reference) == (EXAMPLE["id"], "Yes, within 14 days.")
    assert (first.provenance, first.parent) == ("production", EXAMPLE["source_run_id"])
    assert (second.turns, second.reference, third.turns) == (["Hi"], "Hello", ["only one field"])
    assert first.values() == {"locale": EXAMPLE["inputs"]["locale"]}
    told = "\n".join(found.not_understood)
    for name in ("metadata.dataset_split", "split", "dataset_id", "created_at"):
        assert f"`{name}`" in told


@pytest.mark.parametrize("prefix", [("inputs.", "outputs."), ("input_", "output_"), ("inputs_", "outputs_")])
def test_a_table_of_langsmith(tmp_path: Path, prefix: tuple[str, str]) -> None:
    """A table with a column for each field of inputs and outputs is put together again."""
    asked, said = prefix
    text = f"id,{asked}question,{asked}locale,{said}answer\n1,Hi,en,Hello\n2,Ho,,\n"
    found = taken(tmp_path, "examples.csv", text)
    assert [(one.case_id, one.turns, one.reference) for one in found.cases] == [
        ("1", ["Hi"], "Hello"),
        ("2", ["Ho"], ""),
    ]
    assert ([one.values() for one in found.cases], found.not_understood) == ([{"locale": "en"}, {}], [])


def item(number: int, **changes: Any) -> dict[str, Any]:
    """Return an item as Langfuse's API returns it."""
    fields = {
        "id": f"item-{number}",
        "status": "ACTIVE",
        "input": {"question": f"Question {number}?"},
        "expectedOutput": f"Answer {number}.",
        "metadata": {"category": "refunds"},
        "sourceTraceId": None,
        "sourceObservationId": None,
        "datasetId": "set",
        "datasetName": "support",
        "createdAt": "2026-10-01T10:00:00.000Z",
    }
    return fields | changes


@pytest.mark.parametrize("wrap", ["list", "page", "lines"])
def test_items_of_langfuse(tmp_path: Path, wrap: str) -> None:
    """Active items become cases, those of a trace are from production; archived ones are left out and told."""
    rows = [item(1, sourceTraceId="trace-9"), item(2, status="ARCHIVED"), item(3, expectedOutput={"a": 1, "b": 2})]
    content = {"data": rows, "meta": {"page": 1}} if wrap == "page" else rows
    found = taken(tmp_path, "items.jsonl" if wrap == "lines" else "items.json", content)
    first, third = found.cases
    assert (first.turns, first.reference) == (["Question 1?"], "Answer 1.")
    assert (first.provenance, first.parent, first.case_id) == ("production", "trace-9", "item-1")
    assert (third.provenance, third.parent, third.reference) == ("written", "", '{"a": 1, "b": 2}')
    told = "\n".join(found.not_understood)
    assert "1 item left out as archived" in told
    assert "2 fields `datasetId`" in told


def test_all_items_archived(tmp_path: Path) -> None:
    """A data set of archived items holds no case, and says why."""
    with pytest.raises(DataError, match="holds no case .1 item left out as archived"):
        taken(tmp_path, "items.json", [item(1, status="ARCHIVED")])


@pytest.mark.parametrize("name", ["goldens", "test_cases"])
def test_lists_of_something_else(tmp_path: Path, name: str) -> None:
    """Where objects are expected and something else stands, the place is named."""
    with pytest.raises(DataError, match=rf"{name}\[0\] is '5', expected an object"):
        taken(tmp_path, "x.json", json.dumps({name: [5]}))
    with pytest.raises(DataError, match=r"items\[1\] is '5', expected an object"):
        taken(tmp_path, "x.json", {"data": [item(1), 5]})
