"""The two doors: formats are told from the content, hostile files end in one sentence, files are written whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import AssayError, ConfigError, DataError
from assay.interchange.sets import registry, source, yaml_text
from tests.cast import case
from tests.interchange.sets.shop import FILLING, JSON, save, taken
from tests.layout import ROOT

KNOWN = (
    "chat, openai-evals, promptfoo, inspect, deepeval, ragas, langsmith, langfuse, openai-modelgraded, autoevals, rows"
)


def test_every_format_is_listed_once() -> None:
    """The list of formats is closed, and rows, which take what nobody else knows, come last."""
    assert ", ".join(registry.FORMATS) == KNOWN


@pytest.mark.parametrize("content", [[{"foo": 1}], {"foo": 1}, "5", "just words", '"text"'])
def test_a_file_of_no_known_format(tmp_path: Path, content: Any) -> None:
    """A file that looks like no format is refused with the list of formats, or as no such file at all."""
    with pytest.raises((ConfigError, DataError), match=rf"x.json .*expected (one of {KNOWN}|an object|JSON)"):
        taken(tmp_path, "x.json", content)


def test_a_file_of_two_formats(tmp_path: Path) -> None:
    """A file that could be of two formats is read only when one is named."""
    rows = [{"messages": [{"role": "user", "content": "Hi"}], "vars": {"question": "Ho"}}]
    with pytest.raises(ConfigError, match=rf"looks like chat and promptfoo .*expected one of {KNOWN}: name its format"):
        taken(tmp_path, "x.jsonl", rows)
    assert taken(tmp_path, "x.jsonl", rows, as_format="chat").cases[0].turns == ["Hi"]
    assert taken(tmp_path, "x.jsonl", rows, as_format="promptfoo").cases[0].turns == ["Ho"]


def test_an_unknown_name(tmp_path: Path) -> None:
    """A format that nobody has is refused before the file is looked at, and so is writing it."""
    with pytest.raises(ConfigError, match=f"the format is 'csv', expected one of {KNOWN}"):
        registry.read(tmp_path / "nowhere", "csv", FILLING)
    with pytest.raises(ConfigError, match=f"the format is 'csv', expected one of {KNOWN}"):
        registry.write([], tmp_path / "x.csv", "csv")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """A file that cannot be read or written is the command's fault, and leaves nothing behind."""
    with pytest.raises(ConfigError, match="cannot be read .No such file"):
        registry.read(tmp_path / "x.jsonl", None, FILLING)
    with pytest.raises(ConfigError, match="cannot be read .Is a directory"):
        registry.read(tmp_path, None, FILLING)
    with pytest.raises(ConfigError, match="cannot be written .No such file"):
        registry.write([case(1)], tmp_path / "no" / "x.jsonl", "rows")


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    """What was there is replaced only by a whole file, and no part lies beside it."""
    file = save(tmp_path, "x.jsonl", "before")
    assert registry.write([case(1)], file, "langsmith") == (1, [])
    assert json.loads(file.read_text())["inputs"] == {"question": case(1).turns[0]}
    assert [one.name for one in tmp_path.iterdir()] == ["x.jsonl"]


@pytest.mark.parametrize("name", [name for name in registry.FORMATS if name != "promptfoo"])
def test_cells_that_a_spreadsheet_would_compute(tmp_path: Path, name: str) -> None:
    """In no table does a cell of a case begin with what a spreadsheet computes."""
    if ".csv" not in registry.FORMATS[name].SUFFIXES:
        return
    registry.write([case(1, turns=["=HYPERLINK(1)"], reference="@x", owner="+1")], tmp_path / "x.csv", name)
    text = (tmp_path / "x.csv").read_text("utf-8-sig")
    assert "'=HYPERLINK" in text or '""=HYPERLINK' in text
    assert not [cell for cell in text.replace("\n", ",").split(",") if cell.startswith(("=", "@", "+", "-"))]


LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2_000))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.yaml", LAUGHS, "unfolds to more than 1,000,000 values"),
        ("x.yaml", MERGES, "unfolds to more than 1,000,000 values"),
        ("x.yaml", CHAIN, "nested deeper than 100 levels"),
        ("x.yaml", "a: &a [*a]", "an alias of what it stands in"),
        ("x.yaml", "tests: !!python/object/apply:os.system [ls]", "has the tag"),
        ("x.yaml", "a: !!binary aGk=", "has the tag"),
        ("x.yaml", "a: 1\na: 2", "has the name 'a' twice"),
        ("x.yaml", "? [a]\n: b", "a name that is no text"),
        ("x.yaml", "a: {<<: 5}", "a merge of what is no mapping"),
        ("x.yaml", 'a: "\\ud800"', "is no YAML|half a character"),
        ("x.yaml", "[" * 5_000, "nested deeper than 100 levels"),
        ("x.yaml", "- " * 5_000, "nested deeper than 100 levels"),
        ("x.yaml", "a: b: c", "is no YAML"),
        ("x.yaml", "a: 1\n---\nb: 2", "is no YAML"),
        ("x.yaml", "", "expected an object or a list"),
        ("x.yaml", "a: \x00", "is no YAML"),
        ("x.yaml", "x" * (yaml_text.MOST_LETTERS + 1), "expected YAML of at most"),
        ("x.json", "[" * 100_000, "nested too deep|nested deeper"),
        ("x.json", '[{"input": ' + "[" * 200 + "]" * 200 + "}]", "nested deeper than 100 levels"),
        ("x.json", '[{"input": "a", "input": "b"}]', "the same name twice"),
        ("x.json", '[{"input": "\\ud800"}]', "half a character"),
        ("x.json", '[{"in\\udfff": "a"}]', "half a character"),
        ("x.json", '[{"input": ' + "9" * 5_000 + "}]", "expected JSON"),
        ("x.json", '[{"input": "a"}, 5]', r"record 2 is '5'|record 2 is 5"),
        ("x.jsonl", '{"input": "a"}\n{"input": \n', "row 2 is"),
        ("x.jsonl", '{"input": "a\\u0000b"}', r"row 1 has the character U\+0000"),
        ("x.jsonl", json.dumps({"input": "x" * 10_000_000}), "row 1 has a text of 10,000,000 characters"),
        ("x.jsonl", json.dumps({"input": "a", "expected": "x" * 1_000_001}), "has a text of 1,000,001 characters"),
        ("x.csv", 'input\n"' + "x" * 10_000_000 + '"\n', "row 2 has a text of 10,000,000 characters"),
        ("x.csv", 'input\n"' + "x" * 40_000_000, "field larger than field limit|expected CSV"),
        ("x.csv", "input,input\na,b\n", "has the column 'input' twice"),
        ("x.csv", "input,\na,b\n", "twice or unnamed"),
        ("x.csv", "input,b\na\n", "row 2 has 1 cells, expected 2"),
        ("x.csv", 'input,b\n"a,b\n', "expected CSV"),
        ("x.csv", "", "has no columns"),
        ("x.csv", "input\na\x00b\n", r"U\+0000|line contains NUL"),
        ("x.jsonl", b"\xff\xfe", "has the byte 0xff at 0, expected UTF-8"),
        ("x.eval", b"PK\x03\x04" + b"x" * 100, "cannot be unpacked"),
        ("x.jsonl", '{"input": NaN}', "has NaN or Infinity"),
    ],
)
def test_hostile_files(tmp_path: Path, name: str, content: Any, why: str) -> None:
    """Whatever is wrong with a file, one sentence says where and what, in bounded time and without a trace."""
    with pytest.raises((DataError, ConfigError), match=why) as caught:
        taken(tmp_path, name, content)
    assert str(caught.value).count("\n") == 0
    assert len(str(caught.value)) < 600


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """A file above the bound is refused before a byte of it is read."""
    file = tmp_path / "x.jsonl"
    with file.open("wb") as sink:
        sink.truncate(source.MOST_BYTES + 1)
    with pytest.raises(DataError, match="has 200,000,001 bytes, expected at most 200,000,000: split it"):
        registry.read(file, None, FILLING)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("010", 10),
        ("0x1F", "0x1F"),
        ("2026-11-30", "2026-11-30"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("'1'", "1"),
        ('"true"', "true"),
        (".inf", ".inf"),
        ("=", "="),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    """A word without quotes is read as JavaScript's tools read it."""
    assert yaml_text.value(f"a: {text}", "x") == {"a": value}


def test_merges_are_resolved() -> None:
    """A merged mapping gives way to what stands beside it, and an earlier one in a list to none after it."""
    text = "a: &a {p: 1, q: 1}\nb: &b {p: 2, r: 2}\nc: {<<: [*a, *b], q: 3}\n"
    assert yaml_text.value(text, "x")["c"] == {"p": 1, "q": 3, "r": 2}


def test_lines_under_another_name(tmp_path: Path) -> None:
    """JSON Lines are read under .json too, and a separator of Unicode within a text ends no line."""
    text = '{"input": "a\u2028b"}\n{"input": "c"}\n'
    assert [one.turns for one in taken(tmp_path, "x.json", text).cases] == [["a\u2028b"], ["c"]]
    assert [one.turns for one in taken(tmp_path, "x", text).cases] == [["a\u2028b"], ["c"]]
    assert [one.turns for one in taken(tmp_path, "x.txt", "id,input\n1,Hi\n").cases] == [["Hi"]]
    assert [one.turns for one in taken(tmp_path, "x.txt", "- input: Hi\n").cases] == [["Hi"]]


WORDS = st.sampled_from(
    [
        *("input", "messages", "inputs", "outputs", "vars", "assert", "metadata", "tests", "prompts", "item", "rows"),
        *("expected_output", "expected_tools", "scenario", "turns", "user_input", "status", "results", "role"),
        *("content", "tool_calls", "type", "value", "expectations", "user", "category", "id", "samples", "target"),
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["user", "contains", "x", "{{ a }}", "", "ACTIVE"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(list(registry.FORMATS)),
    value=st.lists(st.dictionaries(WORDS, ANYTHING, max_size=5)) | ANYTHING,
)
def test_any_shape_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str, value: object) -> None:
    """Whatever JSON stands under a format's own names, it is read or refused by an error of ours."""
    file = save(tmp_path_factory.mktemp("any"), "x.json", json.dumps(value))
    try:
        found = registry.read(file, name, FILLING)
    except AssayError as error:
        assert "x.json" in str(error)  # noqa: PT017 - either way has to end in a promise kept
        return
    assert found.cases or found.judges
    assert registry.read(file, name, FILLING) == found


@settings(max_examples=30, deadline=None)
@given(value=JSON.filter(lambda value: json.dumps(value).isascii() and "\\ud" not in json.dumps(value)))
def test_yaml_reads_the_json_that_it_is(value: object) -> None:
    """JSON is YAML too: both readers agree on it."""
    text = json.dumps(value)
    assert yaml_text.value(text, "x") == json.loads(text)


def test_the_document_has_a_row_for_each_format() -> None:
    """docs/formats.md has one row a format, with the endings of the files it writes."""
    text = (ROOT / "docs/formats.md").read_text(encoding="utf8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    table = {row[0].strip("`"): row[-1] for row in rows if len(row) == 5}
    assert sorted(table) == sorted(registry.FORMATS)
    for name, written in table.items():
        endings = ", ".join(f"`{suffix}`" for suffix in registry.FORMATS[name].SUFFIXES)
        assert written.split(":")[0] == (endings or "nothing")
