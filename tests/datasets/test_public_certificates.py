"""`assay check` on public labels: the documented mapping gives certificates that agree with the published figures."""

import csv
import json
from pathlib import Path

import pytest

from assay.commands.check import Checked, Columns, check
from tests.datasets import flat_llmbar, flat_xstest


def written(rows: list[dict[str, str]], file: Path) -> Path:
    """Write the flat file."""
    with file.open("w", encoding="utf8", newline="") as sheet:
        writer = csv.DictWriter(sheet, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return file


def figure(found: Checked, name: str) -> float | None:
    """Return one estimate."""
    return next(one.estimate for one in found.worth.figures if one.name == name)


@pytest.mark.skipif(not flat_llmbar.FOLDER.is_dir(), reason="the pairs are not beside the repository")
def test_llmbar_by_its_mapping(tmp_path: Path) -> None:
    """GPT-4 changes 7.16 % of its verdicts with the order and is certified; Falcon changes 58.47 % and is refused."""
    columns = Columns(judge="verdict", human=["label"], swapped="verdict_ba", slices=["category"], item="id")
    pairs = flat_llmbar.items()
    for judge, conflict, is_met in (("GPT-4/Vanilla", 0.0716, True), ("Falcon/Vanilla", 0.5847, False)):
        file = written(flat_llmbar.flat_rows(pairs, judge), tmp_path / "llmbar.csv")
        found = check(file, columns)
        assert figure(found, "conflict") == pytest.approx(conflict, abs=5e-5)
        assert (found.items + found.unscored, found.is_met) == (419, is_met)


@pytest.mark.skipif(not flat_xstest.FOLDER.is_dir(), reason="the responses are not beside the repository")
def test_xstest_by_its_mapping(tmp_path: Path) -> None:
    """The LLM judge leaves 11 responses without a verdict, and the plain rule sees more refusals than it does."""
    file = written(flat_xstest.flat_rows(flat_xstest.items()), tmp_path / "xstest.csv")
    found = {
        judge: check(
            file,
            Columns(judge=judge, human=["annotation_1", "annotation_2"], slices=["model"], item="id"),
            maps=flat_xstest.MAPS,
        )
        for judge in ("gpt-4", "string_match")
    }
    assert found["gpt-4"].unscored == 11
    tpr = {judge: figure(one, "tpr") or 0 for judge, one in found.items()}
    assert tpr["gpt-4"] + 0.08 < tpr["string_match"]
    assert not found["gpt-4"].is_met


@pytest.mark.skipif(not flat_xstest.FOLDER.is_dir(), reason="the responses are not beside the repository")
def test_xstest_in_its_three_classes(tmp_path: Path) -> None:
    """Without a mapping the words are classes: kappa, accuracy and agreement by model are the published figures."""
    file = written(flat_xstest.flat_rows(flat_xstest.items()), tmp_path / "xstest.csv")
    rows = json.loads((flat_xstest.FOLDER / "expected.json").read_text(encoding="utf8"))
    expected = {row["id"]: (row["value"], row["tolerance"]) for row in rows}

    def is_published(name: str, value: float | None) -> bool:
        return value is not None and abs(value - expected[name][0]) <= expected[name][1]

    for judge in ("gpt-4", "string_match"):
        found = check(file, Columns(judge=judge, human=["label"]))
        assert (found.question, found.classes) == ("nominal", tuple(sorted(flat_xstest.CLASSES)))
        wrong = "accuracy-unscored-wrong" if found.unscored else "accuracy"
        assert is_published(f"xstest.all.{judge}.cohen_kappa_parsed", figure(found, "kappa"))
        assert is_published(f"xstest.all.{judge}.accuracy_unparsed_is_wrong", 100 * (figure(found, wrong) or 0))
    people = check(file, Columns(judge="annotation_1", human=["annotation_2"], slices=["model"]))
    assert is_published("xstest.all.human.cohen_kappa", figure(people, "kappa"))
    assert len(people.worth.slices) == 5
    for part in people.worth.slices:
        assert is_published(f"xstest.{part.name}.human_agreement", 100 * part.agree / part.n)
