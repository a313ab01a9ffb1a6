"""Small inputs that would take a reader apart: one sentence with the place, at once, and no terminal obeys it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.calibration.certificate import Seen
from assay.cli.main import app
from assay.errors import AssayError, DataError
from assay.interchange import flat_file
from assay.interchange.sets import source
from assay.project import dvc, entrypoint, files, params
from assay.project.results import GATE, read_gate
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.taxonomy import TAXONOMY, read_taxonomy
from assay.report.gate import Gate
from assay.stages import execute
from assay.storage import jsonl
from assay.storage.rows import parse_row
from assay.text import one_line, printable
from assay.yaml_text import MOST_BYTES, YamlError, parse_yaml
from tests.cast import Project, label

DEEP = "[" * 100_000
QUICK_S = 5
"""A thousandth of what a quadratic reader takes, and ten times what a linear one does."""
HOSTILE = "\x1b[2J\x1b]0;PASS\x07\u202e\u2066\x9b2J\r\x00"


def bounded(run: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    began = time.monotonic()
    run()
    return time.monotonic() - began


@pytest.mark.parametrize("name", [LABELS.path, ITEMS.path, DECISIONS.path, "data/calibration/seen.jsonl"])
@pytest.mark.parametrize("line", [DEEP, '{"a": ' + "[" * 940 + "]" * 940 + "}"], ids=["endless", "just too deep"])
def test_deep_json_lines_are_one_sentence(project: Project, name: str, line: str) -> None:
    """A line that nests without end ends `assay doctor` with exit code 2 and a sentence that names file and row."""
    file = files.path(name)
    file.write_text((file.read_text().splitlines()[0] + "\n" if file.is_file() else "") + line + "\n")
    done = CliRunner().invoke(app, ["doctor"])
    said = done.output.splitlines()[-1]
    assert (done.exit_code, said.startswith(f"assay: {name}, row ")) == (2, True), said


@pytest.mark.parametrize("name", ["data/reports/gate.json", "data/calibration/correctness.json"])
def test_deep_json_files_are_one_sentence(project: Project, name: str) -> None:
    """A result that nests without end is refused by its name."""
    files.path(name).write_text(DEEP)
    with pytest.raises(DataError, match=f"{name} is not JSON"):
        files.read_json(name, "run it again")


def test_a_value_too_deep_to_be_quoted_is_still_named() -> None:
    """A value that was read near the limit of nesting is named in the message, whatever it takes to quote it."""
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(DataError, match="judge is nested too deeply"):
        parse_row(Seen, {"judge": value}, "seen", 1)


def test_json_lines_with_their_row() -> None:
    """The row of a line that nests too deeply is counted from 1."""
    with pytest.raises(DataError, match=r"x\.jsonl, row 3: not a JSON object \(nested too deeply\)"):
        list(jsonl.values([b"{}", b"{}", DEEP.encode()], "x.jsonl"))


@pytest.mark.parametrize("last", ["c7", "unknown"])
def test_a_header_of_many_columns_is_read_at_once(tmp_path: Path, last: str) -> None:
    """A hundred thousand columns, one of them twice, or one that is asked for missing, are told in a moment."""
    file = tmp_path / "wide.csv"
    names = [f"c{number}" for number in range(100_000)]
    file.write_text(",".join([*names, *([last] if last == "c7" else [])]) + "\n")

    def read() -> None:
        with pytest.raises(DataError, match="'c7' twice" if last == "c7" else "no column 'unknown'"):
            flat_file.columns(file, [last])

    assert bounded(read) < QUICK_S


def test_a_set_with_a_header_of_many_columns_is_read_at_once(tmp_path: Path) -> None:
    """The same of another tool's cases."""
    file = tmp_path / "wide.csv"
    file.write_text(",".join([*(f"c{number}" for number in range(100_000)), "c7"]) + "\n")

    def read() -> None:
        with pytest.raises(DataError, match="the column 'c7' twice"):
            source.load(file)

    assert bounded(read) < QUICK_S


def test_an_object_of_many_names_is_read_at_once(tmp_path: Path) -> None:
    """A hundred thousand names in one object of a JSON line, one of them twice at the end, are told in a moment."""
    file = tmp_path / "wide.jsonl"
    pairs = ", ".join(f'"c{number}": 1' for number in range(100_000))
    file.write_text("{" + pairs + ', "c99999": 2}\n')

    def read() -> None:
        with pytest.raises(DataError, match="'c99999' twice"):
            flat_file.columns(file, ["c1"])

    assert bounded(read) < QUICK_S


MANY_KEYS = "".join(f"key-{number}: 1\n" for number in range(300_000))


READERS: dict[str, Callable[[], object]] = {
    "params.yaml": params.read_file,
    f"{TAXONOMY}/refunds.yaml": read_taxonomy,
    "dvc.yaml": dvc.whole,
}


@pytest.mark.parametrize("name", READERS)
def test_yaml_without_end_is_refused_at_once(project: Project, name: str) -> None:
    """Three hundred thousand keys are refused by their size, in a sentence that names the file."""
    files.path(name).write_text(MANY_KEYS)

    def read() -> None:
        with pytest.raises(AssayError) as refused:
            READERS[name]()
        assert f"{len(MANY_KEYS):,} bytes, expected at most {MOST_BYTES:,}" in str(refused.value)
        assert name in str(refused.value)

    assert bounded(read) < QUICK_S


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: {b: 1, b: 1}\n", "x: &x {a: 1}\ny: {<<: *x, c: 1, c: 2}\n"])
def test_a_name_twice_in_yaml_is_refused(text: str) -> None:
    """The last of two values under one name is no answer: the name is refused."""
    with pytest.raises(YamlError, match=r"the name '[abc]' stands there twice"):
        parse_yaml(text)


def test_yaml_as_before() -> None:
    """Merges, which give a name once more on purpose, and equal names in different mappings are as ever."""
    assert parse_yaml("x: &x {a: 1}\ny: {<<: *x, a: 2}\n") == {"x": {"a": 1}, "y": {"a": 2}}
    keys = "".join(f"k{number}: 1\n" for number in range(9_000))
    assert bounded(lambda: parse_yaml(keys)) < QUICK_S


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    """C0, C1 and bidi controls, line ends and half characters are spelled out; every other letter stays."""
    codes = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    for code in (*codes, 0x2028, 0x2029, 0xD800, 0xDFFF):
        assert printable(chr(code)).isprintable()
        assert printable(f"a{chr(code)}b")[0] == "a"
    assert printable("Größe — 日本語 🙂 \\x1b") == "Größe — 日本語 🙂 \\x1b"
    assert one_line(f"a\n{HOSTILE}b").isprintable()


@pytest.mark.parametrize("where", ["params.yaml", GATE, LABELS.path])
def test_an_error_that_quotes_somebody_is_printed_harmlessly(
    project: Project, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    """Whatever stands in a file, the sentence that quotes it is one line without a control character."""
    read: dict[str, Callable[[], object]] = {
        "params.yaml": lambda: params.read_params("execute", execute.Settings),
        GATE: read_gate,
        LABELS.path: LABELS.read,
    }
    gate = Gate(word="pass", reason="r", next="n", sentence="PASS.")
    row = gate if where == GATE else label("pass-fail.001", "pass")
    if where == "params.yaml":
        project.params("execute", **{HOSTILE: 1})
    else:
        files.path(where).write_text(json.dumps(row.model_dump(mode="json") | {HOSTILE: 1}) + "\n")
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(read[where])
    said = capsys.readouterr().err.removesuffix("\n")
    assert (ended.value.code, said.isprintable(), "\\x1b[2J" in said) == (2, True, True), said
