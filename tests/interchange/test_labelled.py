"""Labels from and to people's tools: what was said comes back whole, and what is no label is told, never dropped."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import ConfigError, DataError
from assay.interchange import labels
from assay.interchange.annotation import files
from assay.records.label import Item
from tests.cast import item
from tests.handouts import KINDS, fill, judge, whose

HOSTILE = '<script>alert(1)</script> & "quoted" =1+1'
TELLING = ("slice", "category", "refunds", "natural", "verdict", "model", "stratum", "case_id")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NASTY = ("\u2028", "\x85", "\x0b", "\r\n", "\r", "\n", '"', "'", ",", ";", "\t", "\0", "=1", "@", "\ufeff")


def items(question: str = "pass-fail") -> list[Item]:
    """Return three items whose texts would do harm if they were anything but text."""
    return [
        item(number, f"=cmd|' /C calc'!A0 {HOSTILE}", question, "@SUM(A1)" * 9, turns=["-2+3"]) for number in (1, 2, 3)
    ]


def read(folder: Path, name: str, content: str | bytes | list[Any] | dict[str, Any], **options: Any) -> labels.Reading:
    """Write a file and read it."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return labels.read(folder / name, asked=whose, **options)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("x.json", "[7]", r"begins '\[7\]', expected Label Studio's"),
        ("x.json", "[" * 100_000, "x.json is not JSON"),
        ("x.json", '{"item_id": "x"}\n{}', "name it .jsonl"),
        ("x.json", "[]", r"begins '\[\]', expected Label Studio's tasks.*Argilla's records.*rows"),
        ("x.json", '[{"id": 1}]', "expected Label Studio's"),
        ("x.json", '{"id": ["x"], "outcome.responses": []}', "has columns of .* expected one length"),
        ("x.json", '[{"outcome": "pass"}]', "has the columns outcome, expected item_id and outcome"),
        ("x.csv", b"item_id,outcome\n\xff,pass\n", "byte 0xff at 16, expected UTF-8"),
    ],
)
def test_a_file_of_no_known_shape_is_refused(tmp_path: Path, name: str, text: str | bytes, sentence: str) -> None:
    """What is no export of labels is refused in one sentence that names the file and what was expected."""
    with pytest.raises(DataError, match=sentence) as refusal:
        read(tmp_path, name, text, annotator="ada")
    assert str(refusal.value).startswith("x.")
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A wrong path, and a folder, are told as such."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError, match="cannot be read .* correct the path"):
            labels.read(path, asked=whose)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """A file above 256 MiB is refused before a byte of it is read."""
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(files.MOST_BYTES + 1)
    with pytest.raises(DataError, match=r"huge.json has 268,435,457 bytes, expected at most 268,435,456: split it"):
        labels.read(tmp_path / "huge.json", asked=whose)


def test_two_labels_of_one_person_are_refused(tmp_path: Path) -> None:
    """An annotator who labelled an item twice, under two spellings of one name, is told with both places."""
    text = "item_id,outcome,annotator\nx,pass,Ada L\nx,pass,ben\nx,fail,ada-l\n"
    with pytest.raises(DataError, match=r"x.csv, row 4: ada-l has labelled x in x.csv, row 2 too"):
        read(tmp_path, "x.csv", text)


@pytest.mark.parametrize("name", ["sheet.xlsx", "tasks.json", "sheet", "sheet.CSV"])
def test_a_name_without_a_format_is_refused(tmp_path: Path, name: str) -> None:
    """A file whose name tells no format is not written."""
    with pytest.raises(ConfigError, match=f"{name} names no format, expected .csv"):
        labels.write(items(), tmp_path / name, judge())
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A path that cannot be written is told as such."""
    with pytest.raises(ConfigError, match=r"sheet.csv cannot be written .*: correct the path"):
        labels.write(items(), tmp_path / "none" / "sheet.csv", judge())


@pytest.mark.parametrize("name", KINDS)
def test_half_a_character_is_refused(tmp_path: Path, name: str) -> None:
    """A lone surrogate, which no file could hold, is refused with its item and text, and nothing is written."""
    with pytest.raises(DataError, match=r"item pass-fail.001: response has half a character .* leave the item out"):
        labels.write([item(1, "half \ud800")], tmp_path / name, judge())
    with pytest.raises(DataError, match=r"rubric has half a character"):
        labels.write(items(), tmp_path / name, judge(rubric="\udfff"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", KINDS)
def test_one_project_has_one_question(tmp_path: Path, name: str) -> None:
    """A file is of one judge's question, so answers and pairs are not mixed in it."""
    with pytest.raises(ValueError, match="answers and pairs in one file"):
        labels.write([*items(), *items("pairwise")], tmp_path / name, judge())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("question", "outcome"), [("pass-fail", "fail"), ("pairwise", "tie")])
def test_what_people_say_comes_back(tmp_path: Path, name: str, question: str, outcome: str) -> None:
    """Written, filled as the tool fills it, and read: every item has its label, with a name as we write names."""
    labels.write(items(question), tmp_path / name, judge(question))
    found = labels.read(fill(tmp_path / name, outcome=outcome), asked=whose)
    assert [(one.item_id, one.annotator, one.outcome) for one in found.labels] == [
        (one.item_id, "ada-lovelace", outcome) for one in items(question)
    ]
    assert found.left_out == []


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.lists(TEXTS | st.sampled_from(NASTY), max_size=4).map("".join), min_size=4, max_size=4),
    name=st.sampled_from(KINDS),
)
def test_any_text_survives(texts: list[str], name: str) -> None:
    """Whatever a model, a user or a rubric wrote, no label is lost or moved by it."""
    answer, other, turn, rubric = texts
    pairs = [item(number, answer, "pairwise", other, turns=[turn]) for number in (1, 2)]
    with tempfile.TemporaryDirectory() as folder:
        labels.write(pairs, Path(folder) / name, judge("pairwise", rubric))
        found = labels.read(fill(Path(folder) / name, outcome="b"), asked=whose)
    assert [(one.item_id, one.outcome) for one in found.labels] == [(pair.item_id, "b") for pair in pairs]


@pytest.mark.parametrize("name", KINDS)
def test_a_megabyte_survives(tmp_path: Path, name: str) -> None:
    """A response of a million characters is written and read back as any other."""
    labels.write([item(1, "é=\n" * 333_334)], tmp_path / name, judge())
    assert [one.outcome for one in labels.read(fill(tmp_path / name, outcome="pass"), asked=whose).labels] == ["pass"]


@pytest.mark.parametrize("name", KINDS)
def test_nothing_tells_what_a_judge_said(tmp_path: Path, name: str) -> None:
    """What people are shown names no case, no category, no slice, no model and no verdict, in any format."""
    one = items()[0].model_copy(update={"category": "secret-category", "slice": "natural", "case_id": "secret-case"})
    labels.write([one], tmp_path / name, judge())
    text = (tmp_path / name).read_text(encoding="utf8")
    assert "secret" not in text
    assert not [word for word in TELLING if f'"{word}"' in text]


@pytest.mark.parametrize("name", KINDS)
def test_what_people_need_is_there(tmp_path: Path, name: str) -> None:
    """Conversation, reference, both responses and the rubric are in the files, and each item once, in order."""
    pair = item(1, "the first", "pairwise", "the second", turns=["turn one", "turn two"])
    labels.write([pair], tmp_path / name, judge("pairwise", "Prefer what is right."))
    text = "".join(file.read_text(encoding="utf8") for file in sorted(tmp_path.iterdir()))
    for shown in ("turn one", "turn two", pair.reference, "the first", "the second", "Prefer what is right."):
        assert shown in text
    assert text.count(pair.item_id) == 1


def test_words_are_the_users(tmp_path: Path) -> None:
    """A tool's own words are told with --map, and one that stands for no label is left out and counted."""
    text = "item_id,outcome\nx,Good\ny,skip\nz,skip\n"
    found = read(tmp_path, "x.csv", text, annotator="ada", maps=["good=pass", "skip=unscored"])
    assert [(one.item_id, one.outcome) for one in found.labels] == [("x", "pass")]
    assert found.left_out == ["2 answers that stand for no label left out, the first in x.csv, row 3"]
