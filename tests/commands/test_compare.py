"""`assay compare`: two versions by whatever names them, a sentence first, and an exit code for machines."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from assay.cli.main import app
from assay.project import archive, files
from assay.project.archive import RUNS
from assay.project.programs import md5
from assay.project.results import GATE, METRICS, REPORT, SLICES
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.run import RunRecord
from tests.archives import a_record, an_id
from tests.cast import Project
from tests.interchange.results import result_files
from tests.interchange.results.result_files import written
from tests.layout import ROOT
from tests.nights import Night, good_night
from tests.repository import git

SHARED = ROOT.parent / "shared/cases/check"
in_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the files are not beside the repository")
RAW = "raw, checks and judges, certified"


def run(*words: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["compare", *map(str, words)])


def told(*words: object) -> dict[str, Any]:
    """Return what the command says as JSON."""
    done = run(*words, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def table(file: Path, *passed: int, category: str = "a") -> Path:
    """Write a CSV file with one case a number."""
    rows = [f"c{at},{one},{category}" for at, one in enumerate(passed)]
    file.write_text("\n".join(["id,passed,category", *rows]), encoding="utf8")
    return file


@pytest.mark.parametrize("words", [[], ["a.csv"], ["--gate"]])
def test_one_version_is_no_comparison(words: list[str]) -> None:
    """Fewer than two names are a usage error."""
    assert run(*words).exit_code == 2


@pytest.mark.parametrize(
    "name",
    ["last", "HEAD", "v1.0.0", "2026-11-03", "no.csv", "", "x" * 9000, "\x1b[2Jhidden", "--output=x", "-x", an_id(1)],
)
def test_without_a_project_only_files_are_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever is no file is refused in one sentence, which no terminal obeys."""
    monkeypatch.chdir(tmp_path)
    done = run("--", table(tmp_path / "a.csv", 1), name)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "\x1b" not in done.stderr


def test_disjoint_sets_are_refused(tmp_path: Path) -> None:
    """Files without a common case are refused, with the number of those in common."""
    other = tmp_path / "b.csv"
    other.write_text("id,passed\nx,1\ny,0\n")
    done = run(table(tmp_path / "a.csv", 1, 1, 1), other)
    assert done.exit_code == 2
    assert "0 of 5 cases in common" in done.stderr


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        ('{"a": 1}', 0),
        ('{"a": 3, "b": 0}', 0),
        ("[]", 2),
        ('{"a": "x"}', 2),
        ('{"b": 1}', 2),
        ('{"a": -1}', 2),
        ("{", 2),
    ],
)
def test_weights(tmp_path: Path, weights: str, code: int) -> None:
    """Weights are numbers by category; a category of the mix without cases is refused."""
    file = tmp_path / "w.json"
    file.write_text(weights)
    sides = table(tmp_path / "a.csv", 1, 1, 0), table(tmp_path / "b.csv", 1, 0, 0)
    assert run(*sides, "--weights", file).exit_code == code
    (tmp_path / "w.csv").write_text("category,weight\na,0.7\n")
    assert told(*sides, "--weights", tmp_path / "w.csv")["pairs"][0]["weighted"]["change"]["estimate"] < 0


@pytest.mark.parametrize(
    ("before", "after", "word", "code"),
    [
        ([1] * 300, [0] * 30 + [1] * 270, "regression", 1),
        ([0] * 30 + [1] * 270, [1] * 300, "improvement", 0),
        ([1] * 300, [1] * 299 + [0], "no difference shown", 0),
        ([1] * 20, [1] * 19 + [0], "inconclusive", 7),
    ],
)
def test_the_exit_code_says_the_word(tmp_path: Path, before: list[int], after: list[int], word: str, code: int) -> None:
    """With --gate it exits with 1 when worse and 7 when inconclusive, as the gate does; without it, with 0."""
    sides = table(tmp_path / "a.csv", *before), table(tmp_path / "b.csv", *after)
    assert told(*sides)["word"] == word
    assert run(*sides, "--gate").exit_code == code
    assert run(*sides).exit_code == 0
    assert run(*sides).stdout.startswith(word.upper())


def test_a_file_is_no_different_from_itself(tmp_path: Path) -> None:
    """A file against itself, and against its copy, shows no difference, however few its cases are."""
    file = table(tmp_path / "a.csv", 1, 0, 1)
    copy = shutil.copy(file, tmp_path / "b.csv")
    for other in (file, copy):
        done = run(file, other, "--gate")
        assert (done.exit_code, done.stdout.split(":")[0]) == (0, "NO DIFFERENCE")


def test_the_tolerated_drop_is_told(tmp_path: Path) -> None:
    """What is inconclusive at five points is none at forty."""
    sides = table(tmp_path / "a.csv", *[1] * 20), table(tmp_path / "b.csv", *[1] * 19, 0)
    assert run(*sides, "--gate", "--max-drop", "0.4").exit_code == 0


def test_names_in_files_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    """Control characters of a file are spelled out, in names of cases, categories and scorers alike."""
    evil = "\x1b[2J\u202eevil\u200b\U000e0041"
    rows = [{"id": f"{at}{evil}", "passed": 1, "category": evil, "tone": evil} for at in range(9)]
    files_ = [written(tmp_path / f"{evil}{n}.jsonl", [{**row, "passed": n} for row in rows]) for n in (0, 1)]
    for words in ([], ["--json"], ["--map", f"category={evil}"]):
        done = run(*files_, *words)
        assert not {"\x1b", "\u202e", "\u200b", "\U000e0041"} & set(done.stdout)
        assert not {"\x1b", "\u202e"} & set(done.stderr)


def test_the_page_holds_no_markup_of_others(tmp_path: Path) -> None:
    """What stands in a file is text on the page, which loads and runs nothing; a place that is none is refused."""
    evil = "<script>alert(1)</script>\u202e"
    rows = [{"id": f"{evil}{at}", "passed": 1, "category": evil, "layer": evil, "tone": 1} for at in range(60)]
    sides = [written(tmp_path / f"{n}.jsonl", [{**row, "passed": n} for row in rows]) for n in (1, 0)]
    page = tmp_path / "page.html"
    assert run(*sides, "--html", page).exit_code == 0
    text = page.read_text(encoding="utf8")
    assert "REGRESSION" in text
    assert "<script" not in text
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;") >= 60
    assert "default-src 'none'" in text
    assert run(*sides, "--html", "/dev/null/page.html").exit_code == 2


def tools() -> dict[str, Callable[[list[int]], Any]]:
    """Return by file name what makes the results of a tool."""
    return {
        "promptfoo.json": lambda passed: result_files.promptfoo([bool(one) for one in passed]),
        "inspect.json": lambda passed: result_files.inspect(["C" if one else "I" for one in passed], epochs=3),
        "deepeval.json": lambda passed: result_files.deepeval([bool(one) for one in passed]),
        "samples.jsonl": lambda passed: result_files.lm_eval(
            [float(one) for one in passed], "strict-match", "flexible"
        ),
    }


@pytest.mark.parametrize("name", sorted(tools()))
def test_results_of_four_tools(tmp_path: Path, name: str) -> None:
    """Results of each tool compare as they come: 30 of 200 cases newly fail, which is 15 points."""
    before, after = [1] * 200, [0] * 30 + [1] * 170
    sides = [tmp_path / folder / name for folder in ("before", "after")]
    for side, passed in zip(sides, (before, after), strict=True):
        side.parent.mkdir()
        written(side, tools()[name](passed))
    found = told(*sides)
    (pair,) = found["pairs"]
    assert (found["word"], pair["common"], pair["lost"]) == ("regression", 200, 30)
    assert pair["change"]["estimate"] == pytest.approx(-0.15)
    assert bool(pair["trials"]) == (name == "inspect.json")
    assert [version["name"] for version in found["versions"]] == [str(side) for side in sides]


def test_files_of_two_tools(tmp_path: Path) -> None:
    """What one tool says of a case is compared with what another says, where the user tells the ids."""
    inspect = written(tmp_path / "log.json", result_files.inspect(["C"] * 40))
    rows = [f"{at + 1},{int(at > 9)}" for at in range(40)]
    (tmp_path / "b.csv").write_text("\n".join(["nummer,ok", *rows]))
    assert run(inspect, tmp_path / "b.csv").exit_code == 2
    rows = [{"id": at + 1, "success": at > 9} for at in range(40)]
    assert told(inspect, written(tmp_path / "b.jsonl", rows))["pairs"][0]["lost"] == 10


def test_three_versions(tmp_path: Path) -> None:
    """Each is held against the first, at a shared level, and all have a strength with an interval over cases."""
    worlds = {"a": [1] * 60 + [0] * 40, "b": [0] * 30 + [1] * 30 + [0] * 35 + [1] * 5, "c": [1] * 90 + [0] * 10}
    found = told(*(table(tmp_path / f"{name}.csv", *passed) for name, passed in worlds.items()))
    assert [pair["word"] for pair in found["pairs"]] == ["regression", "improvement"]
    assert [pair["change"]["level"] for pair in found["pairs"]] == pytest.approx([1 - 0.025 / 2] * 2)
    strengths = {row["system"]: row for row in found["strengths"]["ranking"]["strengths"]}
    assert strengths["c.csv"]["low"] > 0 > strengths["b.csv"]["high"]
    assert found["word"] == "regression"
    text = run(*(tmp_path / f"{name}.csv" for name in worlds)).stdout
    assert text.splitlines()[1].startswith("IMPROVEMENT: c.csv is better than a.csv")
    assert "Bradley-Terry" in text


def test_strengths_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Where one version always wins no finite strength fits, and why is said."""
    worlds = {"a": [1] * 30, "b": [0] * 30, "c": [0] * 30}
    found = told(*(table(tmp_path / f"{name}.csv", *passed) for name, passed in worlds.items()))
    assert found["strengths"]["ranking"] is None
    assert "no finite strength" in found["strengths"]["note"]


def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    """Two files of 100,000 rows are compared within the processor time of half a minute on the slowest machine."""
    sides = [
        table(tmp_path / name, *(int((at * step) % 7 > 0) for at in range(100_000)))
        for name, step in (("a.csv", 3), ("b.csv", 5))
    ]
    began = time.process_time()
    assert told(*sides)["pairs"][0]["common"] == 100_000
    assert time.process_time() - began < 30


@in_shared
def test_the_shared_files() -> None:
    """The published files differ by 7.0 points, a regression, which --gate says with 1."""
    done = run(SHARED / "before.csv", SHARED / "after.csv", "--gate")
    assert done.exit_code == 1
    assert done.stdout.startswith("REGRESSION: after.csv is worse than before.csv: -7.0 points")
    assert run(SHARED / "before.csv", SHARED / "before.csv", "--gate").exit_code == 0


def keep(number: int, night: Night, **changes: Any) -> RunRecord:
    """File a night's tables as those of a run, and archive it; return its record."""
    run_id = an_id(number)
    night.write()
    RESPONSES.write([row.model_copy(update={"run": run_id}) for row in RESPONSES.read()])
    VERDICTS.write([row.model_copy(update={"run": run_id}) for row in VERDICTS.read()])
    for name in (REPORT, SLICES):
        files.write_bytes(name, f"{number}\n".encode())
    files.write_json(METRICS, {"basis": changes.get("basis", RAW)})
    gate = {"run": run_id, "word": "pass", "reason": "", "next": "", "sentence": "PASS"}
    files.write_json(GATE, gate)
    archive.keep(a_record(number, **{"basis": RAW, **changes}))
    return archive.read(run_id)


@pytest.fixture
def two_runs(project: Project) -> Project:
    """The project with two archived runs, of which the second newly fails thirty cases of refunds, in Git."""
    git("init", "-q")
    keep(1, good_night())
    git("add", "--all")
    git("commit", "-qm", "the first night")
    night = good_night()
    night.lose(30)
    keep(2, night)
    git("add", "--all")
    git("commit", "-qm", "the second night")
    git("tag", "second")
    return project


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (an_id(1), an_id(2)),
        (an_id(1)[:13], "last"),
        ("2026-11-03", "2026-11-04"),
        ("HEAD~1", "HEAD"),
        ("HEAD~1", "second"),
    ],
)
def test_runs_are_named_in_many_ways(two_runs: Project, before: str, after: str) -> None:
    """A run by its id, its date or as the last one, and by the commit or tag that has its verdict."""
    found = told(before, after)
    (pair,) = found["pairs"]
    assert (found["word"], pair["common"], pair["lost"], pair["gained"]) == ("regression", 200, 30, 0)
    assert [row["name"] for row in pair["categories"] if row["word"]] == ["refunds"]
    assert {row["name"]: row["lost"] for row in pair["by_scorer"]} == {"correctness": 30, "check:icontains-any": 0}
    assert [row["name"] for row in pair["layers"]] == ["unit"]
    assert pair["basis"] == RAW
    assert pair["latency_s"]["n"] == 200
    assert run(before, after, "--gate").exit_code == 1
    assert two_runs.folder.is_dir()


def test_names_of_one_run_have_no_difference(two_runs: Project) -> None:
    """Whatever a run is called, it is the same results."""
    for name in ("last", "second", "HEAD", an_id(2)):
        assert told(an_id(2), name)["pairs"][0]["is_same"]
    assert two_runs.folder.is_dir()


def test_the_baseline_is_a_version(two_runs: Project) -> None:
    """The accepted answers are compared as the last run scored them, with what its report rests on."""
    (pair,) = told("baseline", "last")["pairs"]
    assert (pair["word"], pair["lost"], pair["basis"]) == ("regression", 30, RAW)
    BASELINE.write([])
    (two_runs.folder / BASELINE.path).unlink()
    assert run("baseline", "last").exit_code == 2


def test_a_release_is_the_last_run_on_it(two_runs: Project) -> None:
    """A version of the set names the last run whose cases were that release; one without a run is refused."""
    assert told("v1.0.0", "last")["pairs"][0]["is_same"]
    assert told("evalset@v1.0.0", an_id(1))["pairs"][0]["word"] == "improvement"
    assert run("v9.9.9", "last").exit_code == 2
    assert two_runs.folder.is_dir()


@pytest.mark.parametrize(
    "name", ["nothing", "HEAD~9", "--all", "0" * 40, "ffffffff", "HEAD:data", "../x", "2026-01-01"]
)
def test_what_names_nothing_is_refused(two_runs: Project, name: str) -> None:
    """A name of no run, release, commit or file is refused in one sentence."""
    done = run("--", "last", name)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert two_runs.folder.is_dir()


@pytest.mark.parametrize("name", [an_id(1), "HEAD~1"])
def test_tables_that_only_dvc_has_are_to_be_pulled(two_runs: Project, name: str) -> None:
    """Where a run's files are not in the workspace the command says which `dvc pull` brings them, with exit code 2."""
    folder, elsewhere = two_runs.folder / RUNS / an_id(1), two_runs.folder / "elsewhere"
    folder.rename(elsewhere)
    done = run(name, "last")
    assert done.exit_code == 2
    assert f"dvc pull {RUNS}/{an_id(1)}.dvc" in done.stderr
    elsewhere.rename(folder)
    assert told(name, "last")["word"] == "regression"


def test_a_damaged_archive_is_not_compared(two_runs: Project) -> None:
    """Tables that are not those of the record, sound ones of another run too, are none of the run."""
    mine, theirs = (two_runs.folder / RUNS / an_id(number) / "verdicts.parquet" for number in (1, 2))
    for content in (b"PAR1", theirs.read_bytes()):
        mine.write_bytes(content)
        assert run(an_id(1), "last").exit_code == 2


def test_a_commit_without_results_is_refused(project: Project) -> None:
    """A commit of before the first night has nothing to compare."""
    git("init", "-q")
    git("add", "--all")
    git("commit", "-qm", "no night yet")
    keep(1, good_night())
    done = run("HEAD", "last")
    assert (done.exit_code, "neither a run" in done.stderr) == (2, True)
    assert project.folder.is_dir()


def test_a_commit_of_before_runs_had_records(project: Project) -> None:
    """Where a commit has no record of a run its dvc.lock names the tables: the ones that lie here, or ones to pull."""
    git("init", "-q")
    night = good_night()
    night.write()
    files.write_json(METRICS, {"basis": "checks alone"})
    tables = {"execute": RESPONSES.path, "judge": VERDICTS.path}
    stages = {
        stage: {"cmd": "x", "outs": [{"path": path, "md5": md5(project.folder / path)}]}
        for stage, path in tables.items()
    }
    (project.folder / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    git("add", "--all")
    git("commit", "-qm", "a night of before")
    git("tag", "old")
    (pair,) = told("old", "HEAD")["pairs"]
    assert (pair["is_same"], pair["common"], pair["basis"]) == (True, 200, "checks alone")
    night.lose(30)
    keep(1, night)
    done = run("old", "last")
    assert done.exit_code == 2
    assert "dvc pull" in done.stderr


def test_judges_without_a_certificate_decide_nothing(two_runs: Project) -> None:
    """Of uncalibrated runs checks alone decide, and what judges say beside them stands there as raw."""
    night = good_night()
    night.lose(30)
    night.lose(12, "escalation", by="check")
    keep(3, night, basis="raw, checks and judges, uncalibrated")
    (pair,) = told(an_id(1), an_id(3))["pairs"]
    assert (pair["scorers"], pair["lost"], pair["by_all"]["lost"]) == ("checks", 12, 42)
    assert (pair["word"], [row["name"] for row in pair["categories"] if row["word"]]) == ("regression", ["escalation"])
    assert "by checks alone" in run(an_id(1), an_id(3)).stdout
    assert two_runs.folder.is_dir()


def test_sets_of_two_versions_are_compared_on_common_cases(two_runs: Project) -> None:
    """Cases that were added, retired or changed between two runs are counted and left out."""
    night = good_night()
    changed = [one.model_copy(update={"reference": "Another answer."}) for one in night.cases[:5]]
    night.cases = [*changed, *night.cases[5:190]]
    kept = {one.case_id: one.revision() for one in night.cases}
    night.responses = [
        row.model_copy(update={"revision": kept[row.case_id]}) for row in night.responses if row.case_id in kept
    ]
    night.outcomes = {key: said for key, said in night.outcomes.items() if key[1] in kept}
    keep(3, night)
    (pair,) = told(an_id(1), an_id(3))["pairs"]
    assert (pair["common"], pair["changed"], pair["only_before"], pair["only_now"]) == (185, 5, 10, 0)
    assert two_runs.folder.is_dir()


def test_a_run_of_several_trials(two_runs: Project) -> None:
    """Runs of three trials are compared by the share that passes, and flips are attributed."""
    night = good_night()
    night.responses = [row.model_copy(update={"trial": at}) for row in night.responses for at in range(3)]
    first = list(night.verdicts())
    night.more = [
        row.model_copy(update={"trial": at} | ({"outcome": "fail"} if at == 2 and row.item_id.endswith("1") else {}))
        for row in first
        if row.subject == "target"
        for at in (1, 2)
    ]
    keep(3, night)
    (pair,) = told(an_id(1), an_id(3))["pairs"]
    assert (pair["common"], pair["lost"]) == (200, 20)
    assert pair["change"]["estimate"] == pytest.approx(-20 / 3 / 200)
    assert pair["flips"] is None
    night.lose(0)
    keep(4, night)
    assert told(an_id(3), an_id(4))["pairs"][0]["flips"]["own"] == pytest.approx(20 * 2 / 3 / 200)
    assert two_runs.folder.is_dir()
