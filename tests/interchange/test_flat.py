"""Flat files of verdicts: read as they are, or refused with the row and the column."""

import csv
import io
import json
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.interchange.flat_file import SCALES, WORDS, Column, columns, ids, outcomes, vocabulary
from assay.interchange.flat_scale import Asked, Taken, taken
from assay.stats import annotators

HEADER = "id,verdict,label\n"
ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORD = st.sampled_from([word for words in WORDS.values() for word in words])


def saved(folder: Path, name: str, content: str | bytes) -> Path:
    """Return a file with this content."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(folder: Path, content: str | bytes, *names: str, name: str = "results.csv") -> dict[str, Column]:
    """Return the columns of this content, `verdict` and `label` unless others are named."""
    return columns(saved(folder, name, content), names or ("verdict", "label"), ())


def cells(column: Column) -> list[str]:
    """Return the text in each row."""
    return [(*column.words, "")[code] for code in column.codes]


def fault_of(folder: Path, content: bytes, name: str) -> str:
    """Return what is wrong with a file whose column `verdict` is read, or `read`."""
    try:
        found = read(folder, content, "verdict", name=name)["verdict"]
    except DataError as error:
        return str(error)
    assert found.codes.max() == len(found.words) - 1
    return "read"


def made(*texts: str, name: str = "label") -> Column:
    """Return a column of these cells, as a CSV file would give it."""
    words = tuple(dict.fromkeys(text for text in texts if text))
    codes = np.array([words.index(text) if text else -1 for text in texts], dtype=np.int32)
    return Column(file="results.csv", name=name, first_row=2, words=words, codes=codes)


def question(*labels: Column, maps: Sequence[str] = ()) -> Taken:
    """Return what people answered in these columns."""
    return taken(Asked(), [], labels, maps)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "row 1 has nothing, expected the names of the columns"),
        ("\n\n", "row 1 has nothing, expected the names of the columns"),
        (",,\n1,pass,fail\n", "row 1 has nothing, expected the names of the columns"),
        (HEADER, "holds no item, expected one row an item"),
        (HEADER + "\n\n", "holds no item, expected one row an item"),
        ("id,verdict,label,id\n", "row 1 has the column 'id' twice, expected each name once"),
        ("id, label,verdict,label \n", "row 1 has the column 'label' twice"),
        ("id,verdct,label\n", "row 1 has no column 'verdict', expected one of 'id', 'verdct', .*did you mean 'verdct'"),
        ("id|verdict|label\n", r"no column 'verdict', expected one of 'id\|verdict\|label': did you mean"),
        ("id;verdct;lable\n", "row 1 has no column 'verdict', expected one of 'id', 'verdct', 'lable': did you mean"),
        ("x,y,label\n", "no column 'verdict', expected one of 'x', 'y', 'label': correct the name$"),
        (HEADER + "1,pass,fail\n2,pass\n", "row 3 has 2 cells, expected 3 as in the header"),
        (HEADER + "1,pass,fail\n2,well, yes,pass\n", "row 3 has 4 cells, expected 3 as in the header"),
        (HEADER + "1,pass,fail\n\n2,pass,fail\n", "row 3 has 0 cells, expected 3 as in the header"),
        (HEADER + "1,pass,fail\n,,\n2,pass,fail\n", "row 3 has empty cells only, expected an item"),
        (HEADER + "1,pass,fail\n,,\n", "row 3 has empty cells only, expected an item"),
        (HEADER + '1,pass,fail\n2,"pass,fail\n3,pass,fail\n', "row 3 has broken cells .unexpected end of data"),
        (HEADER + '1,pass,fail\n2,"pass"ed,fail\n', "row 3 has broken cells .*expected closed quotes"),
        (
            "id,verdict,label\r1,pass,fail\r",
            r"row 1 has broken cells \(new-line character seen in unquoted field\), expected",
        ),
        ((HEADER + "1,pass,fail\n2,pass,").encode() + b"caf\xe9\n", "row 3 has the byte 0xe9, expected UTF-8"),
        ((HEADER + '1,"pa\nss",fail\n2,pa').encode() + b"\xff,fail\n", "row 3 has the byte 0xff, expected UTF-8"),
        ((HEADER + "1,pass,fail\n").encode("utf-16"), "row 1 has the byte 0xff, expected UTF-8"),
        (
            HEADER + f"1,{'x' * 1_000_000},fail\n",
            "row 2 has 1,000,000 characters in column 'verdict', expected at most",
        ),
    ],
)
def test_a_malformed_csv_is_refused_by_its_row(tmp_path: Path, content: str | bytes, message: str) -> None:
    """Each fault is one sentence with the file, the row as a spreadsheet shows it, and what to do."""
    with pytest.raises(DataError, match=message) as refused:
        read(tmp_path, content)
    text = str(refused.value)
    assert text.startswith("results.csv")
    assert ": " in text or "?" in text
    assert "\n" not in text
    assert len(text) < 400


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no item, expected one row an item"),
        ('{"verdict": 1, "label": 1', r"row 1 has no JSON \(Expecting ',' delimiter, character 26\)"),
        ('{"verdict": 1, "label": 1}\n{"verdict": 1, "label"}', "row 2 has no JSON"),
        ("[\n", "row 1 has no JSON .*expected one whole object a line"),
        ('[{"verdict": 1, "label": 1}]', "row 1 has .*, expected an object"),
        ('"verdict"', "row 1 has '\"verdict\"', expected an object"),
        ('{"verdict": 1, "label": 1, "label": 0}', "row 1 has the name 'label' twice in one object"),
        ('{"verdict": 1, "label": 1}\n\n{"verdict": 1, "label": 1}', "row 2 has nothing, expected one whole object"),
        ('{"verdict": [1, 2], "label": 1}', r"row 1 has '\[\"1\", \"2\"\]' on the way to column 'verdict', expected a"),
        ('{"verdict": {"outcome": 1}, "label": 1}', "row 1 has .* on the way to column 'verdict'.*label.outcome"),
        ('{"verdct": 1, "label": 1}', "row 1 has no column 'verdict', expected one of 'verdct', 'label': did you mean"),
        ('{"verdict": "\\ud83d", "label": 1}', "row 1 has half a character in column 'verdict'"),
        ("[" * 100_000, "row 1 has an object nested too deeply"),
        (b'{"verdict": 1, "label": 1}\n{"verdict": "caf\xe9"}', "row 2 has the byte 0xe9, expected UTF-8"),
    ],
)
def test_a_malformed_object_is_refused_by_its_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    """In JSON Lines the row is the line, and the fault is told in one sentence."""
    with pytest.raises(DataError, match=message) as refused:
        read(tmp_path, content, name="results.jsonl")
    assert str(refused.value).startswith("results.jsonl")
    assert "\n" not in str(refused.value)


def test_a_dotted_name_must_lead_somewhere(tmp_path: Path) -> None:
    """A text where an object should be is refused; a name that no object has lists those that the first one has."""
    content = '{"judge": {"verdict": "pass"}, "label": 1}\n{"judge": "pass", "label": 1}\n'
    with pytest.raises(DataError, match="row 2 has '\"pass\"' on the way to column 'judge.verdict'"):
        read(tmp_path, content, "judge.verdict", name="results.jsonl")
    with pytest.raises(DataError, match="no column 'judge.verdct', .*did you mean 'judge.verdict'"):
        read(tmp_path, content.splitlines()[0], "judge.verdct", name="results.jsonl")


@pytest.mark.parametrize("name", ["results.csv", "results.jsonl"])
def test_a_line_without_end_is_refused(tmp_path: Path, name: str) -> None:
    """A line of 32 MB is no row, and is refused before the rest of it is read."""
    start = HEADER + "1,pass," if name.endswith("csv") else '{"verdict": 1, "label": "'
    with pytest.raises(DataError, match="has a line of 32,000,000 bytes or more"):
        read(tmp_path, start + "x" * 33_000_000, name=name)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """Another ending, no file, and a folder are told apart."""
    with pytest.raises(DataError, match="results.xlsx ends in none of .csv, .tsv, .jsonl, .ndjson"):
        read(tmp_path, HEADER, name="results.xlsx")
    with pytest.raises(DataError, match="nowhere.csv cannot be read .No such file"):
        columns(tmp_path / "nowhere.csv", ["verdict"])
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="folder.csv cannot be read .Is a directory"):
        columns(tmp_path / "folder.csv", ["verdict"])


def test_a_column_asked_for_twice_is_refused(tmp_path: Path) -> None:
    """A judge beside itself would agree with itself."""
    with pytest.raises(ConfigError, match="column 'label' is asked for twice"):
        columns(saved(tmp_path, "results.csv", HEADER + "1,pass,fail\n"), ["label"], ["label"])


@pytest.mark.parametrize("text", ["pass", "=pass", " =pass", "good=", "good=great", "good", "good=pass=good"])
def test_a_mapping_without_word_or_outcome_is_refused(text: str) -> None:
    """Only WORD=OUTCOME is a mapping; an empty cell is nobody's verdict and cannot be made one."""
    with pytest.raises(ConfigError, match="--map has .*expected WORD=OUTCOME"):
        vocabulary([text])


def test_a_word_with_two_meanings_is_refused() -> None:
    """The same word, however it is spelled, cannot pass and fail."""
    with pytest.raises(ConfigError, match="--map has 'good' as pass and as fail"):
        vocabulary(["good=pass", " GOOD =fail"])


@pytest.mark.parametrize("word", ["maybe", "NaN", "nan", "N/A", "2", "0.5", "=1+1", "tie-a", "\x1b[2J", "x" * 900])
def test_a_word_without_meaning_is_refused(word: str) -> None:
    """Nothing is guessed, NaN least of all: the cell is named, the word quoted and cut, nothing in it acts."""
    labels = made("pass", "fail", word, word)
    for refuse in (lambda: question(labels), lambda: outcomes(labels, "pass-fail", vocabulary())):
        with pytest.raises(DataError, match=r"^results\.csv, row 4, column 'label': found '.*--map") as refused:
            refuse()
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 400


def test_words_of_both_questions_are_refused() -> None:
    """Labels that answer both questions are told with a cell and a word of each, also across annotators."""
    with pytest.raises(DataError, match="row 2, column 'label2': found 'tie' beside 'yes'"):
        question(made("", "yes"), made("tie", "", name="label2"))


def test_a_judge_that_answers_the_other_question_is_refused() -> None:
    """People passed and failed, the judge preferred: its first such word is refused with what was expected."""
    with pytest.raises(DataError, match="row 3, column 'label': found 'A', expected pass or fail"):
        outcomes(made("pass", "A"), "pass-fail", vocabulary())
    with pytest.raises(DataError, match="row 2, column 'label': found 'pass', expected a, b or tie"):
        outcomes(made("pass", "A"), "pairwise", vocabulary())


def test_columns_without_a_label_have_no_question() -> None:
    """Empty cells, and words that the user says are no label, tell nothing."""
    with pytest.raises(InsufficientDataError, match="no cell of the columns 'label', 'label2' holds a label"):
        question(made("", ""), made("skip", "", name="label2"), maps=["skip=unscored"])


def test_an_id_that_repeats_is_refused_with_both_rows() -> None:
    """One annotator would have labelled an item twice; the message says where it stood first."""
    with pytest.raises(DataError, match="row 5, column 'id': found 'a' of row 2 again, expected one row an item"):
        ids(made("a", "b", "c", "a", "b", name="id"))


def test_a_row_without_its_id_is_refused() -> None:
    """Where ids are given every row has one."""
    with pytest.raises(DataError, match="row 3, column 'id': found no id"):
        ids(made("a", "", "c", "", name="id"))


@settings(ONE_FOLDER, max_examples=200)
@given(
    content=st.binary(max_size=60)
    | st.text('",;\t\r\n {}:[]\\verdict\ufeff\ud7ff1', max_size=60).map(str.encode)
    | st.lists(st.lists(TEXT, max_size=4)).map(lambda rows: "\n".join(map(",".join, [["verdict"], *rows])).encode())
)
@pytest.mark.parametrize("name", ["fuzzed.csv", "fuzzed.jsonl"])
def test_any_bytes_are_read_or_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """Whatever the file holds, it has columns or a fault of one sentence, and no other error leaves."""
    fault = fault_of(tmp_path, content, name)
    assert fault.startswith(("fuzzed.", "read"))
    assert "\n" not in fault


@ONE_FOLDER
@given(
    rows=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6),
    mark=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.sampled_from(["", "\ufeff"]),
)
def test_a_csv_is_what_the_standard_reader_sees(
    tmp_path: Path, rows: list[tuple[str, str, str]], mark: str, end: str, bom: str
) -> None:
    """Any text, delimiter, line end and mark of byte order comes back as csv.DictReader gives it, less outer blanks."""
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "verdict", "text"), *((f"i{row[0]}", *row[1:]) for row in rows)])
    found = columns(saved(tmp_path, "results.csv", bom + sink.getvalue()), ["verdict"], ["text", "id"])
    expected = list(csv.DictReader(io.StringIO(sink.getvalue(), newline=""), delimiter=mark))
    for name in ("id", "verdict", "text"):
        assert cells(found[name]) == [row[name].strip() for row in expected]
        assert found[name].place(0) == f"results.csv, row 2, column {name!r}"


@ONE_FOLDER
@given(rows=st.lists(st.tuples(TEXT | st.none() | st.booleans() | st.integers(), TEXT), min_size=1, max_size=6))
def test_objects_are_what_the_standard_reader_sees(
    tmp_path: Path, rows: list[tuple[str | int | bool | None, str]]
) -> None:
    """Texts, numbers and booleans come back as JSON spells them, null as an empty cell, by plain or dotted name."""
    lines = [json.dumps({"verdict": verdict, "people": {"ann": {"label": label}}}) for verdict, label in rows]
    found = read(tmp_path, "\n".join(lines), "verdict", "people.ann.label", name="results.jsonl")
    spelled = [verdict if isinstance(verdict, str) else json.dumps(verdict) for verdict, _ in rows]
    expected = ["" if verdict is None else text.strip() for text, (verdict, _) in zip(spelled, rows, strict=True)]
    assert cells(found["verdict"]) == expected
    assert cells(found["people.ann.label"]) == [label.strip() for _, label in rows]
    assert found["verdict"].place(0) == "results.jsonl, row 1, column 'verdict'"


def test_a_cell_stays_the_text_that_it_is(tmp_path: Path) -> None:
    """No type is guessed and no formula is computed, in either format."""
    texts = ["NA", "1e5", "TRUE", "007", "1.10", "=1+1", "@SUM(A1)", "-2+3", "null", "12345678901234567890123"]
    rows = [f'{number},"{text}"' for number, text in enumerate(texts)]
    assert cells(read(tmp_path, "\n".join(["id,verdict", *rows]), "verdict")["verdict"]) == texts
    spelled = '{"verdict": 1e5}\n{"verdict": 1.10}\n{"verdict": -0}\n{"verdict": NaN}\n{"verdict": "=1+1"}'
    found = read(tmp_path, spelled, "verdict", name="results.jsonl")["verdict"]
    assert cells(found) == ["1e5", "1.10", "-0", "NaN", "=1+1"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id;question, in words;verdict;label", "1;why, when and where;pass;fail"),
        ("id\tone, two; three\tverdict\tlabel", '1\t"tab\there"\tpass\tfail'),
        ('"id", "verdict", "label"', '"1", "pass", "fail"'),
        ("\ufeff verdict , label ", " pass , fail "),
        ('verdict,"a header\nof two lines",label', "pass,x,fail"),
        ("verdict,label,,", "pass,fail,,"),
        ('verdict,label,"notes; of; all; kinds"', "pass,fail,none"),
    ],
)
def test_the_delimiter_is_seen_from_the_header(tmp_path: Path, header: str, row: str) -> None:
    """Commas, semicolons and tabs separate wherever they give the names that are asked for, blanks or not."""
    found = read(tmp_path, f"{header}\n{row}\n")
    assert [cells(column) for column in found.values()] == [["pass"], ["fail"]]


def test_rows_are_counted_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    """A cell of many lines is one row, and blank lines at the end are none."""
    found = read(tmp_path, HEADER + '"1\n\n2",pass,fail\n2,"pass\n",maybe\n\n\n')
    with pytest.raises(DataError, match="row 3, column 'label': found 'maybe'"):
        outcomes(found["label"], "pass-fail", vocabulary())
    assert len(found["label"].codes) == 2


def test_a_name_with_a_dot_is_a_name_first(tmp_path: Path) -> None:
    """A name that holds a dot is found before it is taken for a way into an object."""
    content = '{"judge.verdict": "pass", "judge": {"verdict": "fail"}}\n{"judge.verdict": true, "judge": {}}'
    assert cells(read(tmp_path, content, "judge.verdict", name="a.NDJSON")["judge.verdict"]) == ["pass", "true"]


def test_what_an_object_lacks_is_an_empty_cell(tmp_path: Path) -> None:
    """An absent name, null, and null on the way to it are no verdict; so is an empty text."""
    content = '{"label": 1}\n{"judge": null}\n{"judge": {}}\n{"judge": {"verdict": null}}\n{"judge": {"verdict": " "}}'
    found = read(tmp_path, content + '\n{"judge": {"verdict": true}}\n\n', "judge.verdict", name="results.jsonl")
    assert found["judge.verdict"].codes.tolist() == [-1, -1, -1, -1, -1, 0]
    assert found["judge.verdict"].words == ("true",)


def test_a_mark_of_byte_order_is_one_at_the_start_only(tmp_path: Path) -> None:
    """Anywhere else it is a character like any other, and so part of the cell."""
    assert cells(read(tmp_path, "\ufeff" + HEADER + "\ufeff1,pass,fail\n", "id")["id"]) == ["\ufeff1"]


def test_other_columns_cost_nothing(tmp_path: Path) -> None:
    """Responses of a million characters are passed over, a text may be as long, and memory holds one row at a time."""
    rows = "".join(f'{number},"{"long, " * 170_000}",pass,fail\n' for number in range(20))
    file = saved(tmp_path, "results.csv", "id,response,verdict,label\n" + rows)
    tracemalloc.start()
    try:
        found = columns(file, ["verdict", "label"], ["id"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(ids(found["id"])) == 20
    assert peak < 10_000_000 < file.stat().st_size
    assert len(columns(file, ["verdict"], ["response"])["response"].words[0]) == 1_019_999


def test_the_scales_are_those_of_the_statistics() -> None:
    """A class number here is the same outcome in every table of the statistics."""
    assert tuple(SCALES.values()) == annotators.SCALES


@given(words=st.lists(WORD | st.just(""), min_size=1), blanks=st.sampled_from(["", " ", "\t", "\xa0"]))
def test_every_documented_word_has_its_outcome(words: list[str], blanks: str) -> None:
    """Case and outer blanks are of no account, and an empty cell is -1; told by looking each word up in the list."""
    spelled = [word and f"{blanks}{word.upper()}{blanks}" for word in words]
    for asked, scale in SCALES.items():
        known = {word: place for place, outcome in enumerate(scale) for word in WORDS[outcome]} | {"": -1}
        mine = [(text, known[word]) for text, word in zip(spelled, words, strict=True) if word in known]
        found = outcomes(made(*(text for text, _ in mine)), asked, vocabulary())
        assert found.tolist() == [place for _, place in mine]


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        ({"yes": "fail", "no": "pass"}, [0, 1, -1, 0]),
        ({"yes": "pass", "no": "unscored"}, [1, -1, -1, 1]),
        ({" Yes": "FAIL "}, [0, 0, -1, 0]),
    ],
)
def test_what_the_user_tells_comes_first(maps: Mapping[str, str], expected: list[int]) -> None:
    """A known word can be given the other meaning, as where yes says that something is wrong, or none at all."""
    meanings = vocabulary([f"{word}={outcome}" for word, outcome in maps.items()])
    assert outcomes(made("yes", "no", "", "YES"), "pass-fail", meanings).tolist() == expected


def test_the_question_is_seen_after_the_mapping() -> None:
    """Letters that the user maps to pass and fail answer that question; unmapped they are a preference."""
    labels = made("", "a", "b")
    assert question(labels).scale == "pairwise"
    assert question(labels, maps=["a=pass", "b=fail"]).scale == "pass-fail"
    assert question(made("1.0", "")).scale == "pass-fail"
    assert outcomes(made("draw", "Model_A", " b  wins"), "pairwise", vocabulary()).tolist() == [1, 0, 2]


def test_a_word_may_hold_the_mark_of_a_mapping() -> None:
    """The last = separates, so a word may hold one."""
    assert vocabulary(["score=1=pass"])["score=1"] == "pass"
