"""Two projects whose truth is known, walked by the commands that a user types: the right word and the right figures."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from assay.report.correction import TRANSFERRED, WHOLE
from tests.flows.sample import Sample
from tests.layout import ROOT

FOLDER = ROOT.parent / "shared/cases/statistics"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the projects are not beside the repository"),
]
CHANCE = "random.SystemRandom().random()"
BY_SEED = "random.Random(f'{q} {SEED} {ASKED.update([q]) or ASKED[q]}').random()"
"""The same chance at every run of the test: of a question, a seed, and how often it was asked."""
SEED = "import random,re\nfrom collections import Counter\nASKED=Counter()\nSEED="
GONE = "  slice_fdr: 0.1\n"
"""A parameter of before that the projects still have."""


class Walk(Sample):
    """A project, and what its commands leave."""

    def assay(self, *words: str, code: int | None = 0) -> str:
        """Run a command and return what it prints."""
        return self.run("assay.cli.main", *words, code=code).stdout

    def metrics(self) -> dict[str, Any]:
        """Return the figures of the last night."""
        found: dict[str, Any] = json.loads((self.folder / "data/reports/metrics.json").read_bytes())
        return found

    def change(self, file: str, old: str, new: str) -> None:
        """Write a file of the project otherwise."""
        text = (self.folder / file).read_text()
        assert old in text, f"{file} has no {old!r}"
        (self.folder / file).write_text(text.replace(old, new))


def begin(folder: Path, name: str) -> Walk:
    """Return an empty folder made a project of this name, with its taxonomy, its product and its cases imported."""
    walk = Walk(folder)
    walk.assay("init", ".")
    shutil.rmtree(folder / "data/taxonomy")
    (folder / "data/decisions/decisions.jsonl").unlink()
    shutil.copytree(FOLDER / "trials-project/taxonomy", folder / "data/taxonomy")
    for file in (FOLDER / name).iterdir():
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    walk.change("params.yaml", GONE, "")
    walk.assay("import", "cases.yaml", "--reviewer", "me")
    return walk


def right(walk: Walk) -> dict[str, list[bool]]:
    """Return by case which of tonight's answers have the code, read from the answers themselves."""
    found: dict[str, list[bool]] = {}
    for row in pq.read_table(walk.folder / "data/responses/responses.parquet").to_pylist():
        found.setdefault(row["case_id"], []).append(f"code-{row['case_id']}" in row["text"])
    return found


def mean(shares: Mapping[str, list[bool]]) -> float:
    """Return the mean over cases of the share of trials that pass."""
    return sum(sum(trials) / len(trials) for trials in shares.values()) / len(shares)


def test_an_unchanged_product_of_three_trials_is_no_regression(tmp_path: Path) -> None:
    """Right nine times of ten, asked anew: a pass with the mean over trials; then a planted drop is named."""
    walk = begin(tmp_path, "trials-project")
    walk.change("product.py", "import random,re\n", f"{SEED}1\n")
    walk.change("product.py", CHANCE, BY_SEED)
    walk.assay("nightly")
    before = right(walk)
    assert {len(trials) for trials in before.values()} == {3}
    walk.assay("accept")

    walk.change("product.py", "SEED=1", "SEED=2")
    assert walk.assay("nightly").startswith("PASS: ")
    after, metrics = right(walk), walk.metrics()
    rate, change = metrics["pass_rate"], metrics["change"]
    assert after != before
    assert rate["basis"] == "checks alone, the mean over 3 trials a case, against 3 of the baseline"
    assert rate["estimate"] == pytest.approx(mean(after), abs=1e-6)
    assert rate["low"] <= 0.9 <= rate["high"]
    assert change["estimate"] == pytest.approx(mean(after) - mean(before), abs=1e-6)
    assert change["low"] <= 0 <= change["high"]
    assert metrics["answered_pass_rate"]["estimate"] == pytest.approx(
        sum(all(trials) for trials in after.values()) / len(after), abs=1e-6
    )

    walk.change("product.py", "<.9", "<(.6 if c=='delta' else .9)")
    assert walk.assay("nightly").startswith("REGRESSION in delta: ")
    metrics = walk.metrics()
    assert metrics["verdict"] == "regression"
    assert metrics["pass_rate"]["estimate"] == pytest.approx(mean(right(walk)), abs=1e-6)
    assert metrics["change"]["low"] <= -0.3 / 5 <= metrics["change"]["high"]


@pytest.fixture(scope="module")
def truth() -> Callable[[str], float]:
    """Return what knows the share of a version's answers that people pass."""
    answers, passes = (
        json.loads((FOLDER / f"rounds-project/{name}.json").read_bytes()) for name in ("answers", "truth")
    )
    cases = yaml.load((FOLDER / "rounds-project/cases.yaml").read_text(), yaml.CSafeLoader)

    def share(version: str) -> float:
        return sum(passes[f"{answers[version][one['turns'][0]]}|{one['case_id']}"] for one in cases) / len(cases)

    return share


def lines(walk: Walk, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table of labels; none where there is no such file yet."""
    file = walk.folder / f"data/labels/{table}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def label(walk: Walk, sheet: str) -> int:
    """Draw up to 200 in all, none of which has its label, label them as the truth has it, and return how many."""
    known = {row["item_id"] for row in lines(walk, "labels")}
    walk.assay("labels", "draw", "--labels", "200", "--out", sheet)
    rows = list(csv.DictReader((walk.folder / sheet).read_text(encoding="utf-8-sig").splitlines()))
    assert not known & {row["item_id"] for row in rows}
    walk.run("label", sheet)
    assert walk.assay("labels", "import", sheet, "--annotator", "ada").startswith(f"{len(rows)} labels")
    return len(rows)


def counting(walk: Walk) -> int:
    """Return how many labels on file are held out and about an answer that was given tonight."""
    tonight = {
        (row["case_id"], row["text"])
        for row in pq.read_table(walk.folder / "data/responses/responses.parquet").to_pylist()
    }
    items = {row["item_id"]: (row["case_id"], row["response_a"]) for row in lines(walk, "items")}
    return sum(row["split"] == "heldout" and items[row["item_id"]] in tonight for row in lines(walk, "labels"))


def holds(figure: Mapping[str, float], true: float) -> bool:
    """Tell whether an interval holds the truth."""
    return figure["low"] <= true <= figure["high"]


def test_labels_over_two_versions_of_a_product(tmp_path: Path, truth: Callable[[str], float]) -> None:
    """Night, draw, labels, another version, night, draw, labels, night: each corrected rate holds the truth."""
    walk = begin(tmp_path, "rounds-project")
    walk.change("product.py", "'v2'", "'v1'")
    walk.assay("nightly")
    walk.assay("accept")
    assert label(walk, "first.csv") == 200
    walk.assay("nightly")
    assert_corrected(walk, truth("v1"), counting(walk), WHOLE)

    walk.change("product.py", "'v1'", "'v2'")
    walk.assay("nightly")
    heldout = sum(row["split"] == "heldout" for row in lines(walk, "labels"))
    assert_corrected(walk, truth("v2"), heldout, TRANSFERRED)

    assert "assay labels draw --judge correctness" in walk.assay("next")
    assert 0 < label(walk, "second.csv") < 200
    walk.assay("nightly")
    assert_corrected(walk, truth("v2"), counting(walk), WHOLE)
    change = walk.metrics()["judges"]["correctness"]["change"]
    assert holds(change, truth("v2") - truth("v1"))
    assert (change["labels"], change["basis"].split(" cases ")[0]) == (change["n"], f"corrected by {change['n']}")
    assert "0 drawn" in walk.assay("labels", "draw", "--judge", "correctness", "--labels", "200", "--out", "third.csv")


def assert_corrected(walk: Walk, true: float, labels: int, note: str) -> None:
    """Hold what a night publishes of its judge against the truth, and its basis against the labels on file."""
    found = walk.metrics()["judges"]["correctness"]
    assert holds(found["corrected_pass_rate"], true)
    assert (found["corrected_by"]["labels"], found["corrected_pass_rate"]["n"]) == (labels, labels)
    assert found["corrected_by"]["note"] == note
    assert found["corrected_pass_rate"]["basis"] == f"corrected by {labels} human labels"
    assert found["pass_rate"]["basis"] == "raw, judge alone, uncalibrated"
    assert f"corrected by {labels} labelled answers" in (walk.folder / "data/reports/report.html").read_text()
