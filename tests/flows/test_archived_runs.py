"""Nights of two clones, months later: every run is opened as it was, and nothing is asked for it."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flows.sample import Sample

pytestmark = pytest.mark.slow
ASSAY = "assay.cli.main"
RUNS = "data/runs"


@dataclass(frozen=True)
class Nights:
    """Three nights of a project, each committed and pushed."""

    sample: Sample
    runs: list[str]
    """Ids, in order."""
    commits: list[str]
    reports: list[str]
    """MD5 of each night's report, as the night left it."""


def listed(sample: Sample) -> list[dict[str, Any]]:
    """Return the runs as `assay runs` lists them."""
    rows: list[dict[str, Any]] = json.loads(sample.run(ASSAY, "runs", "--json").stdout)
    return rows


def md5(file: Path) -> str:
    """Return the hash of a file's content."""
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def named(sample: Sample, name: str) -> None:
    """Let commits in this clone be somebody's."""
    sample.git("config", "user.name", name)
    sample.git("config", "user.email", f"{name}@example.org")


def commit(sample: Sample, message: str) -> str:
    """Commit everything; return the commit."""
    sample.git("add", "--all")
    sample.git("commit", "--quiet", "--message", message)
    return sample.git("rev-parse", "HEAD").strip()


def second_clone(nights: Nights, folder: Path) -> Sample:
    """Return another clone, which has a cache of its own and nothing in it."""
    nights.sample.git("clone", "--quiet", str(nights.sample.folder), str(folder))
    other = Sample(folder)
    named(other, "bob")
    return other


def same_machine(nights: Nights, folder: Path) -> Sample:
    """Return the project as it is where its nights ran, cache and private files included, for a test to change."""
    shutil.copytree(nights.sample.folder, folder, symlinks=True)
    return Sample(folder)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """A project of three cases whose product answers otherwise each night; two nights recorded, one with overrides."""
    root = tmp_path_factory.mktemp("nights")
    Sample(root).run(ASSAY, "init", "project")
    sample = Sample(root / "project")
    named(sample, "ada")
    sample.run("dvc", "remote", "add", "--quiet", "--default", "local", str(root / "remote"))
    commit(sample, "project")
    product = sample.folder / "product/answer.py"
    made = Nights(sample, [], [], [])
    for number, options in enumerate(((), ("--set", "publish.max_drop=0.5"), ())):
        product.write_text(f"{product.read_text(encoding='utf8')}\nNIGHT = {number}\n", encoding="utf8")
        sample.run(ASSAY, "nightly", *options)
        made.runs.append(listed(sample)[0]["run"])
        made.reports.append(md5(sample.folder / "data/reports/report.html"))
        made.commits.append(commit(sample, f"night {number}"))
        sample.run("dvc", "push", "--quiet")
    yield made
    shutil.rmtree(root)


def test_every_night_is_listed_and_opened(nights: Nights) -> None:
    """Each night has one run with its own report, byte for byte; DVC has recorded all of them, and is clean."""
    rows = listed(nights.sample)
    assert [row["run"] for row in rows] == nights.runs[::-1]
    assert {row["archive"] for row in rows} == {"here"}
    assert [bool(row["overrides"]) for row in rows] == [False, True, False]
    for run, report in zip(nights.runs, nights.reports, strict=True):
        assert md5(Path(nights.sample.run(ASSAY, "report", run[:13]).stdout.strip())) == report
    status = nights.sample.run("dvc", "status").stdout
    assert RUNS not in status
    assert "publish" not in status
    assert json.loads((nights.sample.folder / ".assay/runs-to-record.json").read_text()) == []


def test_git_holds_little_of_a_night(nights: Nights) -> None:
    """A night adds two small files to data/runs in Git, of 2.5 kB together at most, and no line to any other there."""
    for before, after in zip(nights.commits, nights.commits[1:], strict=False):
        changed = nights.sample.git("diff", "--name-status", before, after, "--", RUNS).split()
        run = nights.runs[nights.commits.index(after)]
        assert changed == ["A", f"{RUNS}/{run}.dvc", "A", f"{RUNS}/{run}.json"]
        assert sum((nights.sample.folder / RUNS / f"{run}.{end}").stat().st_size for end in ("dvc", "json")) <= 2560


def test_a_second_clone_opens_any_night(nights: Nights, tmp_path: Path) -> None:
    """At the commit of a night, after `dvc pull`, its report is what it was, and publishing it has nothing to ask."""
    other = second_clone(nights, tmp_path / "second")
    last = other.run(ASSAY, "report", nights.runs[0])
    assert md5(Path(last.stdout.strip())) == nights.reports[0]
    other.git("checkout", "--quiet", nights.commits[0])
    other.run("dvc", "pull", "--quiet")
    found = other.run(ASSAY, "report", nights.runs[0]).stdout.strip()
    assert md5(Path(found)) == nights.reports[0]
    assert "Running stage" not in other.run("dvc", "repro", "publish").stdout
    assert "Running stage" not in other.run(ASSAY, "repro", "publish").stdout
    assert not (other.folder / ".assay/journal.sqlite").exists()


def test_two_clones_merge_their_runs(nights: Nights, tmp_path: Path) -> None:
    """The runs of two machines come together without a conflict, and both are listed."""
    pair = [second_clone(nights, tmp_path / name) for name in ("one", "two")]
    for number, other in enumerate(pair):
        other.run(ASSAY, "nightly")
        commit(other, f"night of clone {number}")
    one, two = pair
    new = [listed(other)[0]["run"] for other in pair]
    one.git("fetch", "--quiet", str(two.folder), "HEAD")
    done = subprocess.run(["git", "merge", "FETCH_HEAD"], cwd=one.folder, capture_output=True, text=True, check=False)
    unmerged = one.git("diff", "--name-only", "--diff-filter=U").split()
    assert done.returncode == bool(unmerged)
    assert [name for name in unmerged if name.startswith(RUNS)] == []
    assert {row["run"] for row in listed(one)} == {*nights.runs, *new}


def test_a_run_repeated_by_dvc_is_the_same_run(nights: Nights, tmp_path: Path) -> None:
    """`assay repro publish` after a changed parameter replaces record and archive of the run, and DVC is clean."""
    other = same_machine(nights, tmp_path / "copy")
    params = other.folder / "params.yaml"
    params.write_text(params.read_text(encoding="utf8").replace("publish: {}", "publish: {keep: 2}"), encoding="utf8")
    other.run(ASSAY, "repro", "publish")
    rows = listed(other)
    assert [row["run"] for row in rows] == nights.runs[::-1]
    assert [row["archive"] for row in rows] == ["here", "here", "pruned"]
    assert rows[0]["files"]["report.html"] == md5(other.folder / "data/reports/report.html")
    assert RUNS not in other.run("dvc", "status").stdout
    assert other.run(ASSAY, "report", nights.runs[0], code=2).stderr.count(f"{RUNS}/{nights.runs[0]}.dvc")


def test_a_collected_cache_keeps_the_archive(nights: Nights, tmp_path: Path) -> None:
    """`dvc gc -w` takes nothing that an archived run needs, and `dvc checkout` brings back what was deleted."""
    other = same_machine(nights, tmp_path / "copy")
    other.run("dvc", "gc", "--workspace", "--force")
    shutil.rmtree(other.folder / RUNS / nights.runs[1])
    other.run("dvc", "checkout", "--quiet")
    assert md5(other.folder / RUNS / nights.runs[1] / "report.html") == nights.reports[1]
