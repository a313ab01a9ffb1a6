"""Chat rows and plain rows: turns, references, calls and names, in whichever spelling."""

from pathlib import Path
from typing import Any

import pytest

from assay.errors import DataError
from assay.interchange.sets.builder import Filling
from assay.records.case import Expectation, ToolCall
from tests.interchange.sets.shop import FILLING, canonical, expected, taken

PARAMETERS = {"type": "object", "properties": {"order": {"type": "string"}}}


def tool(name: str, parameters: object = PARAMETERS) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "x", "parameters": parameters}}


def calling(name: str, arguments: object) -> dict[str, Any]:
    one = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [one]}


def test_a_conversation_with_tools(tmp_path: Path) -> None:
    """The user's messages are the turns; after the last one calls are expected and words are the reference."""
    row = {
        "messages": [
            {"role": "system", "content": "You answer for Pantry Lane."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello, how can I help?"},
            {"role": "user", "content": [{"type": "text", "text": "Where is"}, {"type": "text", "text": "PL-1042?"}]},
            calling("find_order", '{"order": "PL-1042"}'),
            {"role": "tool", "tool_call_id": "call_1", "content": "{}"},
            {"role": "assistant", "content": "It is on its way."},
        ],
        "tools": [tool("find_order"), tool("refund")],
        "parallel_tool_calls": False,
    }
    found = taken(tmp_path, "train.jsonl", [row])
    (case,) = found.cases
    assert (case.turns, case.reference) == (["Hi", "Where is\nPL-1042?"], "It is on its way.")
    wanted = ToolCall(name="find_order", arguments='{"order": "PL-1042"}')
    assert case.expectations == [
        expected("tool-call", canonical({"schemas": {"find_order": PARAMETERS}}), calls=(wanted,))
    ]
    assert found.not_understood == [
        "1 message of the role `system`, in row 1, messages[0]",
        "1 message of the role `assistant` before the last turn, in row 1, messages[2]",
        "1 message of the role `tool`, in row 1, messages[5]",
        "1 tool offered and not called, in row 1, tools[1]",
        "1 field `parallel_tool_calls`, in row 1",
    ]


@pytest.mark.parametrize("arguments", ["{not json", "[1]", '{"a": 1, "a": 2}', "", '"x"'])
def test_arguments_that_do_not_parse(tmp_path: Path, arguments: str) -> None:
    """Arguments that are no JSON object make no expectation; the case stays, and the raw text is told."""
    row = {"messages": [{"role": "user", "content": "Hi"}, calling("refund", arguments)]}
    found = taken(tmp_path, "train.jsonl", [row])
    if arguments:
        assert found.cases[0].expectations == []
        (line,) = found.not_understood
        assert line.startswith("1 expected call of `refund` with arguments that are no JSON object, in row 1: ")
        assert repr(arguments) in line
    else:
        assert found.cases[0].expectations == [expected("tool-call", calls=(ToolCall(name="refund"),))]


def test_older_spellings(tmp_path: Path) -> None:
    """A function_call, arguments as an object, the roles of ShareGPT and a broken schema are read as they are meant."""
    older = {"role": "assistant", "content": "", "function_call": {"name": "refund", "arguments": '{"n": 1}'}}
    rows: list[dict[str, Any]] = [
        {
            "messages": [{"role": "user", "content": "a"}, older],
            "functions": [{"name": "refund", "parameters": {"type": 5}}],
        },
        {"messages": [{"role": "human", "content": "b"}, calling("refund", {"n": 1})]},
    ]
    found = taken(tmp_path, "train.jsonl", rows)
    one = expected("tool-call", calls=(ToolCall(name="refund", arguments='{"n": 1}'),))
    assert [case.expectations for case in found.cases] == [[one], [one]]
    assert "1 schema of a tool's parameters that no check can use, in row 1" in found.not_understood


def test_pictures_and_unknown_roles_are_told(tmp_path: Path) -> None:
    """A part of a message that is no text is told by its type, a message of another role by its role."""
    parts = [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    rows = [{"messages": [{"role": "critic", "content": "no"}, {"role": "user", "content": parts}]}]
    found = taken(tmp_path, "train.jsonl", rows)
    assert found.not_understood == [
        "1 message of the role `critic`, in row 1, messages[0]",
        "1 part of a message, of type `image_url`, in row 1, messages[1]",
    ]


def test_the_usual_names_of_rows(tmp_path: Path) -> None:
    """Input, reference, id and category are found under any usual name, and what has none is told."""
    rows = [
        {"id": "Q 1", "input": "a", "expected": "b", "tags": ["x"], "context": ["c"]},
        {"item_id": 2, "question": "c", "ideal": 5, "metadata": {"category": "Billing Issues", "source": "mail"}},
        {"prompt": "d", "target": {"label": "yes"}, "category": "é"},
        {"messages": [{"role": "user", "content": "e"}, {"role": "assistant", "content": "f"}]},
        {"inputs": {"query": "g"}, "expected_output": "h", "output": "a product said this"},
    ]
    found = taken(tmp_path, "set.jsonl", rows, as_format="rows")
    assert [(one.case_id, one.turns, one.reference, one.category) for one in found.cases[:3]] == [
        ("q-1", ["a"], "b", "refunds"),
        ("2", ["c"], "5", "billing-issues"),
        (found.cases[2].case_id, ["d"], "yes", "e"),
    ]
    assert [(one.turns, one.reference) for one in found.cases[3:]] == [(["e"], "f"), (["g"], "h")]
    assert found.not_understood == [
        "1 field `context`, in row 1",
        "1 tag `x`, in row 1",
        "1 field `metadata.source`, in row 2",
        "1 field `output`, in row 5",
    ]


def test_a_table_for_spreadsheets(tmp_path: Path) -> None:
    """CSV is read with any separator, cells that a spreadsheet must not compute as they were meant, others as text."""
    text = "\ufeffid;question;expected;notes\r\n1;'=1+1;007;\r\n2;\"a;b\r\nc\";'x;why\r\n\r\n"
    found = taken(tmp_path, "set.csv", text)
    assert [(one.case_id, one.turns, one.reference) for one in found.cases] == [
        ("1", ["=1+1"], "007"),
        ("2", ["a;b\r\nc"], "'x"),
    ]
    assert found.not_understood == ["1 field `notes`, in row 3"]


EMPTY = Filling(category="", layer="unit", owner="payments")


@pytest.mark.parametrize(
    ("row", "category"),
    [
        ({"category": "A"}, "a"),
        ({"metadata": {"category": "B"}}, "b"),
        ({"tags": ["smoke", "category:C"]}, "c"),
        ({"tags": ["D"]}, "d"),
        ({"tags": "E"}, "e"),
    ],
)
def test_who_says_the_category(tmp_path: Path, row: dict[str, Any], category: str) -> None:
    """Where the caller leaves the category to the file, a field, the metadata or a tag says it."""
    found = taken(tmp_path, "set.jsonl", [{"input": "Hi"} | row], filling=EMPTY)
    assert (found.cases[0].category, found.not_understood) == (category, [])


@pytest.mark.parametrize("row", [{}, {"tags": ["a", "b"]}, {"metadata": {"category": ""}}, {"category": None}])
def test_nobody_says_the_category(tmp_path: Path, row: dict[str, Any]) -> None:
    """A row without a category is refused by its place, where the caller gives none."""
    rows = [{"input": "Hi", "category": "a"}, {"input": "Ho"} | row]
    with pytest.raises(DataError, match=r"^set.jsonl, row 2: no category, expected one in `category`"):
        taken(tmp_path, "set.jsonl", rows, filling=EMPTY)


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("A b", "a-b"), (7, "7")])
def test_two_rows_with_one_id(tmp_path: Path, first: object, second: object) -> None:
    """Two rows whose ids become one name are refused, both by their places."""
    rows = [{"id": first, "input": "x"}, {"id": second, "input": "y"}]
    with pytest.raises(DataError, match=r"^set.jsonl, row 2: the id '.*' is that of row 1 too, expected each id once"):
        taken(tmp_path, "set.jsonl", rows)


def test_ids_that_no_name_can_spell(tmp_path: Path) -> None:
    """Ids that lose letters on the way to a name stay apart, and a row without one is named after its content."""
    ids: list[Any] = ["質問一", "質問二", "x" * 300, "x" * 299 + "y", "***", None, ""]
    rows = [{"id": one, "input": f"Hi {number}"} for number, one in enumerate(ids)]
    found = taken(tmp_path, "set.jsonl", rows).cases
    assert len({one.case_id for one in found}) == len(ids)
    assert found[5].case_id == f"case-{found[5].revision()}"
    again = taken(tmp_path, "other.jsonl", list(reversed(rows))).cases
    assert {one.case_id for one in again} == {one.case_id for one in found}


def test_rows_that_repeat_or_say_nothing(tmp_path: Path) -> None:
    """A row without an id that repeats another, and one in which nobody says anything, are left out and told."""
    rows = [{"input": "Hi"}, {"input": "Hi"}, {"input": "  "}, {"expected": "x", "input": None}]
    found = taken(tmp_path, "set.jsonl", rows)
    assert len(found.cases) == 1
    assert [line.split(" (")[0] for line in found.not_understood] == [
        "1 row with the words of an earlier one",
        "1 turn without a word, in row 3",
        "2 rows in which a user says nothing, the first in row 3",
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        {"expectations": [{"check": "contains"}]},
        {"expectations": [{"check": "no-such-check", "values": ["x"]}]},
        {"expectations": [{"check": "contains", "values": ["x"], "weight": 2}]},
        {"expectations": ["x"]},
        {"expectations": "contains x"},
        {"user": {"goal": "x"}},
        {"user": "bob"},
        {"layer": 3},
        {"provenance": "invented"},
    ],
)
def test_what_is_not_written_as_ours_is_told(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """Metadata with our names and other content makes no part of a case; it is told."""
    found = taken(tmp_path, "set.jsonl", [{"input": "Hi", "metadata": metadata}])
    (case,) = found.cases
    assert (case.expectations, case.user, case.layer, case.provenance) == ([], None, FILLING.layer, "written")
    assert found.not_understood


def test_kinds_of_what_is_told_are_bounded(tmp_path: Path) -> None:
    """A file that names thousands of fields is told in some two hundred lines, and every field is counted."""
    rows = [{"input": "Hi"} | {f"field-{number}": 1 for number in range(5_000)}]
    told = taken(tmp_path, "set.jsonl", rows).not_understood
    assert len(told) == 201
    assert told[-1] == "4800 things of further kinds, the first in row 1"


def test_what_is_told_stays_on_one_line(tmp_path: Path) -> None:
    """A name from the file is cut, and shown without what cannot be printed."""
    rows = [{"input": "Hi", "a\nb\u202e`" + "x" * 500: 1}]
    (line,) = taken(tmp_path, "set.jsonl", rows).not_understood
    assert line.isprintable()
    assert len(line) < 150


def test_a_call_that_only_a_table_could_hide(tmp_path: Path) -> None:
    """Expectations in a cell of a table are JSON, and each is held to the rules of its check."""
    cell = canonical([{"check": "contains", "values": ["14 days"]}, {"check": "regex", "values": ["(?=x)"]}])
    quoted = cell.replace('"', '""')
    found = taken(tmp_path, "set.csv", f'input,expectations\nHi,"{quoted}"\n')
    assert found.cases[0].expectations == [Expectation(check="contains", values=["14 days"])]
    assert any("that no check can score as `regex`" in line for line in found.not_understood)
