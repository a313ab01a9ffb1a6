"""Labels in a file of their own give what they give beside the verdicts, whatever their order."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import app

ROWS = [(f"i{n}", "pass" if n % 3 else "fail", "pass" if n % 4 else "fail", f"s{n % 2}") for n in range(300)]
"""Id, the judge's word, a person's, and a slice; people label the first hundred."""


def write(file: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """Write a CSV file."""
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([header, *rows])
    return file


def run(*words: str | Path) -> Result:
    """Run `assay check`."""
    return CliRunner().invoke(app, ["check", *map(str, words), "--judge", "judge", "--human", "human"])


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """Verdicts alone."""
    return write(tmp_path / "verdicts.csv", ["id", "judge", "segment"], [(row[0], row[1], row[3]) for row in ROWS])


def test_two_files_say_what_one_says(verdicts: Path, tmp_path: Path) -> None:
    """Labels in another order and file give the same certificate and corrected rate as beside the verdicts."""
    both = [(*row[:2], row[2] if at < 100 else "", row[3]) for at, row in enumerate(ROWS)]
    one = write(tmp_path / "one.csv", ["id", "judge", "human", "segment"], both)
    labels = write(tmp_path / "labels.csv", ["human", "id"], [(row[2], row[0]) for row in reversed(ROWS[:100])])
    options = ("--id", "id", "--slice", "segment", "--json")
    found = [json.loads(run(*words, *options).output) for words in ((one,), (verdicts, "--labels", labels))]
    assert found[0] == found[1]
    assert found[0]["corrected"]["labels"] == 100
    assert found[0]["unlabelled"] == 200


def test_labels_of_other_items_are_counted(verdicts: Path, tmp_path: Path) -> None:
    """What people labelled and the file does not have is left out, and said."""
    rows = [(row[0], row[2]) for row in ROWS[:100]] + [(f"x{n}", "pass") for n in range(7)]
    found = run(verdicts, "--labels", write(tmp_path / "labels.csv", ["id", "human"], rows), "--id", "id")
    assert "7 labelled that the file does not have" in found.output


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([("i1", "pass")], (), "found no --id"),
        ([("x1", "pass")], ("--id", "id"), "have no item in common"),
        ([("i1", "pass"), ("i1", "fail")], ("--id", "id"), "labels.csv, row 3"),
        ([("", "pass")], ("--id", "id"), "labels.csv, row 2"),
        ([("i1", "pass")], ("--id", "other"), "other"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    verdicts: Path, tmp_path: Path, rows: list[tuple[str, str]], options: tuple[str, ...], said: str
) -> None:
    """Without ids, with none in common, twice or empty: one sentence that names the place, and exit code 2."""
    done = run(verdicts, "--labels", write(tmp_path / "labels.csv", ["id", "human"], rows), *options)
    assert (done.exit_code, said in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "options",
    [
        *(("--floor", f"tnr={number}") for number in ("2", "-1", "nan", "inf", "abc")),
        ("--epsilon", "nan"),
    ],
)
def test_a_demand_that_is_no_share_is_refused(verdicts: Path, tmp_path: Path, options: tuple[str, str]) -> None:
    """A floor beyond what can be reached, and numbers that are none, are the user's fault and no bug of ours."""
    labels = write(tmp_path / "labels.csv", ["id", "human"], [(row[0], row[2]) for row in ROWS[:100]])
    assert run(verdicts, "--labels", labels, "--id", "id", *options).exit_code == 2


@pytest.mark.parametrize("options", [("--max-drop", "nan"), ("--threshold", "nan"), ("--threshold", "inf")])
def test_a_bound_that_is_no_number_makes_no_gate_green(tmp_path: Path, options: tuple[str, str]) -> None:
    """What compares with nothing, such as nan, is refused where a comparison is asked for."""
    file = write(tmp_path / "rows.csv", ["id", "passed"], [("a", "1"), ("b", "0.5")])
    assert CliRunner().invoke(app, ["compare", str(file), str(file), *options]).exit_code == 2
