"""The main job on the sample product: one night, a second one, and what DVC and the gate say afterwards."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.flows.sample import Sample
from tests.layout import ROOT

pytestmark = pytest.mark.slow


def calls(sample: Sample) -> int:
    """Return how many answers the journal holds."""
    import sqlite3

    connection = sqlite3.connect(sample.folder / ".assay/journal.sqlite")
    try:
        return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
    finally:
        connection.close()


def test_the_regression_is_named_first(night: tuple[Sample, str]) -> None:
    """Terminal and report open with the verdict and its category, and the first cases shown are of that category."""
    _, said = night
    assert said.startswith("REGRESSION in escalation: ")
    path = Path(re.search(r"^Report: (.*)$", said, re.MULTILINE)[1])  # type: ignore[index]
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", path.read_text(encoding="utf8"), re.DOTALL)
    assert heading
    assert heading[1].strip().startswith("REGRESSION in escalation: ")
    assert re.findall(r'id="case-([a-z-]+)-', path.read_text(encoding="utf8"))[:3] == ["escalation"] * 3


def test_the_readme_quotes_what_the_sample_says(night: tuple[Sample, str]) -> None:
    """The verdict that the README shows is the one that a reader will get."""
    quoted = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("REGRESSION"))
    assert night[1].startswith(quoted.removesuffix(" ..."))


def test_the_night_succeeds_and_the_gate_fails(night: tuple[Sample, str]) -> None:
    """The job did its work, so it exits 0; `assay gate` after it exits 1."""
    sample, _ = night
    assert json.loads(sample.run("assay.cli.main", "gate", "--json", code=1).stdout)["word"] == "regression"


def test_the_set_was_rebuilt_as_released(night: tuple[Sample, str]) -> None:
    """A fresh clone without any remote has the evaluation set of the release: rebuilt from the log, equal by hash."""
    sample, _ = night
    manifest = json.loads((sample.folder / "data/evalset/manifest.json").read_text())
    (notes,) = [json.loads(file.read_text()) for file in (sample.folder / "data/releases").glob("*.json")]
    assert notes["release"] == "evalset@v1.0.0"
    assert notes["content"] == manifest["content"]
    assert manifest["cases"] >= 200


def test_dvc_agrees_with_what_was_done(night: tuple[Sample, str]) -> None:
    """After the night `dvc status` is clean, `dvc repro` runs nothing, and `dvc metrics show` has the verdict."""
    sample, _ = night
    assert "up to date" in sample.run("dvc", "status").stdout
    assert "Running stage" not in sample.run("dvc", "repro").stdout
    assert "regression" in sample.run("dvc", "metrics", "show").stdout


def test_git_sees_only_what_a_night_may_change(night: tuple[Sample, str]) -> None:
    """Of all files in Git only dvc.lock, the certificates, the small results and the record of runs have changed."""
    sample, _ = night
    changed = {line[3:] for line in sample.git("status", "--short").splitlines()}
    stages = ("data/calibration/", "data/reports/", "data/responses/", "data/verdicts/", "data/signals/")
    allowed = ("dvc.lock", "data/runs/", *stages)
    assert {name for name in changed if not name.startswith(allowed)} == set()


def test_a_second_night_asks_nothing_again(night: tuple[Sample, str]) -> None:
    """On a product of one version the second run of a night makes no call, finds the same, and says what it kept."""
    sample, said = night
    before = calls(sample)
    tables = [sample.folder / f"data/{name}/{name}.parquet" for name in ("responses", "verdicts", "signals")]
    first = [rows(table) for table in tables]
    again = sample.run("assay.cli.main", "nightly", "--gate", code=1)
    *lines, last = again.stdout.splitlines()
    assert lines == said.splitlines()[:-1]
    assert last.startswith("Answers: 242 of 242 answers kept from run ")
    assert calls(sample) == before
    assert [rows(table) for table in tables] == first


def rows(table: Path) -> list[dict[str, Any]]:
    """Return the rows of a table without the run whose table it is."""
    return [{name: value for name, value in row.items() if name != "run"} for row in pq.read_table(table).to_pylist()]


TOUCHED = "\n\nTOUCHED = 1\n"
FIELD = "    owner: str\n"
EDITS = {
    "a docstring of a statistic": ("assay/stats/paired.py", lambda text: f'"""Edited.\n\n{text[3:]}', set()),
    "a comment of a stage": ("assay/stages/judge.py", lambda text: f"{text}\n# touched\n", set()),
    "code of the report": ("assay/report/wording.py", lambda text: text + TOUCHED, {"publish"}),
    "a template of the report": ("assay/report/templates/costs.html", lambda text: f"{text}<p></p>", {"publish"}),
    "code of a statistic": ("assay/stats/paired.py", lambda text: text + TOUCHED, {"calibrate", "monitor", "publish"}),
    "a field of a record": (
        *("assay/records/signal.py", lambda text: text.replace(FIELD, f'{FIELD}    trend: str = ""\n')),
        {"monitor", "publish"},
    ),
    "the project's own step": ("tasks/monitor.py", lambda text: text + TOUCHED, {"monitor"}),
    "a rubric": (
        *("data/judges/correctness/rubric.md", lambda text: f"{text}\nBe strict.\n"),
        {"judge", "calibrate", "monitor", "publish"},
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_reruns_what_it_could_change(night: tuple[Sample, str], edit: str) -> None:
    """With a fresh lock DVC names exactly the stages that an edit could change, and nothing else that is paid for."""
    sample, _ = night
    name, change, expected = EDITS[edit]
    file, lock = sample.folder / name, sample.folder / "assay.lock"
    before = file.read_text(encoding="utf8"), lock.read_text(encoding="utf8")
    file.write_text(change(before[0]), encoding="utf8")
    try:
        sample.run("assay.cli.main", "lock")
        stale = set(re.findall(r"^(\w+):$", sample.run("dvc", "status").stdout, re.MULTILINE))
    finally:
        file.write_text(before[0], encoding="utf8")
        lock.write_text(before[1], encoding="utf8")
    assert stale == expected


def test_dvc_s_lock_stays_readable(night: tuple[Sample, str]) -> None:
    """A night changes at most 200 lines of dvc.lock."""
    sample, _ = night
    added, removed, _ = sample.git("diff", "--numstat", "--", "dvc.lock").split()
    assert int(added) + int(removed) <= 200


def test_a_run_with_overrides_is_not_recorded(night: tuple[Sample, str]) -> None:
    """What ran with other parameters than params.yaml has is said so, and dvc.lock stays as it was."""
    sample, _ = night
    lock = (sample.folder / "dvc.lock").read_bytes()
    (sample.folder / "params.staging.yaml").write_text("publish: {max_drop: 0.5}\n", encoding="utf8")
    changes = ("--env", "staging", "--set", "publish.draws=1000")
    try:
        sample.run("assay.cli.main", "monitor", *changes)
        metrics = json.loads((sample.folder / "data/reports/metrics.json").read_text(encoding="utf8"))
        page = (sample.folder / "data/reports/report.html").read_text(encoding="utf8")
    finally:
        (sample.folder / "params.staging.yaml").unlink()
    assert (sample.folder / "dvc.lock").read_bytes() == lock
    assert metrics["overrides"] == " ".join(changes)
    assert "--env staging --set publish.draws=1000" in page
    sample.run("assay.cli.main", "monitor")


def test_grow_proposes_and_waits(night: tuple[Sample, str]) -> None:
    """Growth leaves candidates that wait for people and admits none by itself."""
    sample, _ = night
    said = sample.run("assay.cli.main", "grow").stdout
    waiting = re.match(r"(\d+) candidates wait for people at http://127.0.0.1:8200/candidates", said)
    assert waiting
    assert int(waiting[1]) > 0
    assert "242 cases admitted" in sample.run("assay.cli.main", "status").stdout
