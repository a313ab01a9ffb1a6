"""Whatever ends a night, or fails in it: the gate says pass only where this very night passed."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from assay.cli.flows import load
from assay.cli.main import app
from assay.commands.upgrade import upgrade
from assay.errors import ConfigError
from assay.project import files
from assay.project.results import GATE, REPORT, UNFINISHED
from assay.project.run_lock import exclusive
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE
from assay.project.tables.signals import SIGNALS
from assay.project.tables.traces import TRACES
from assay.report.gate import EXIT
from assay.stages import review
from tests import repository
from tests.cast import CATEGORIES, Project, case, decision, response, small_project
from tests.conftest import NOW
from tests.endpoint import Served, completion, failure, refusing, serving

NIGHT = ("nightly", "--set", "publish.max_drop=1.0", "--set", "publish.keep=0")
"""With overrides and without an archive, so that DVC, which takes seconds, records nothing."""
CASES = [case(number, category, reference="") for category in CATEGORIES for number in (1, 2, 3)]
CHAT = {"kind": "chat", "name": "support", "model": "m"}
TEXT = "Yes, refunds are possible within 14 days."
Break = Callable[[Project, pytest.MonkeyPatch], object]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """Judges of whom everything passes."""
    with serving(lambda _: completion(json.dumps({"verdict": "pass"}), model="judge")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def passed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of six cases that checks decide, whose night of yesterday passed."""
    folder = tmp_path_factory.mktemp("passed") / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as here:
        outside(folder, served, here)
        made = small_project(folder)
        made.open_doors()
        DECISIONS.write([decision(one) for one in CASES])
        BASELINE.write([response(one, TEXT, target="support@1") for one in CASES])
        ITEMS.file().unlink()
        LABELS.file().unlink()
        (folder / "answers.jsonl").write_text(
            "\n".join(json.dumps({"case_id": c.case_id, "text": TEXT}) for c in CASES)
        )
        for name in ("data/labels", "data/releases", "data/calibration", ".dvc", ".git"):
            (folder / name).mkdir(exist_ok=True)
        (folder / ".dvc/config").write_text("")
        made.params("monitor", grounding_sample=2)
        review.run()
        upgrade()
        done = CliRunner().invoke(app, NIGHT)
        assert (done.exit_code, gate().exit_code) == (0, EXIT["pass"]), done.output
    return folder


@pytest.fixture
def project(passed: Path, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A copy of that project for one test, as the current folder; its flows are forgotten afterwards."""
    shutil.copytree(passed, tmp_path / "project")
    outside(tmp_path / "project", served, monkeypatch)
    known = {name: module for name, module in sys.modules.items() if is_flow(name)}
    yield Project(tmp_path / "project")
    for name in [name for name in sys.modules if is_flow(name)]:
        del sys.modules[name]
    sys.modules.update(known)


def outside(folder: Path, served: Served, here: pytest.MonkeyPatch) -> None:
    """Set the folder and the judges' address; let the path of modules be put back afterwards."""
    here.chdir(folder)
    here.setenv("OPENAI_BASE_URL", served.url)
    here.setenv("OPENAI_API_KEY", "sk-none")
    here.setattr(sys, "path", list(sys.path))


def is_flow(module: str) -> bool:
    """Tell whether a module bears one of the two names that every project uses."""
    return module.split(".", maxsplit=1)[0] in ("flows", "tasks")


def night() -> Result:
    """Run a night; return how it ended."""
    return CliRunner().invoke(app, NIGHT)


def gate(*more: str) -> Result:
    """Ask for the gate's word."""
    return CliRunner().invoke(app, ["gate", *more])


def run_of_gate() -> str:
    """Return which run gate.json is about."""
    return str(json.loads(files.path(GATE).read_bytes())["run"])


def write(name: str, text: str) -> None:
    """Write a file of the project."""
    files.path(name).write_text(text, encoding="utf8")


def broken(*_: Any, **__: Any) -> Any:
    """Stand for any function of ours that has a bug."""
    return 1 // 0


def null_answer(_: Project, __: pytest.MonkeyPatch) -> None:
    """Let one conversation of the log have no answer, and one no known category."""
    table = pq.read_table(TRACES.file())
    rows = table.to_pylist()
    rows[16]["answer"], rows[40]["category"] = None, "invented"
    nullable = pa.schema([field.with_nullable(True) for field in table.schema])
    pq.write_table(table.from_pylist(rows, schema=nullable), TRACES.file())


FATAL: dict[str, tuple[Break, int]] = {
    "parameters that are no YAML": (lambda *_: write("params.yaml", "execute: ["), 2),
    "a parameter that is none": (lambda project, _: project.params("execute", speed=9), 2),
    "a baseline that is no Parquet": (lambda *_: write(BASELINE.path, "x"), 2),
    "a journal that is no database": (lambda *_: write(".assay/journal.sqlite", "x" * 5000), 2),
    "an evaluation set that is no Parquet": (lambda *_: write("data/evalset/cases.parquet", "x"), 2),
    "a flow that cannot be loaded": (lambda *_: write("flows/nightly.py", "def broken(:"), 2),
    "a task with a bug": (lambda *_: write("tasks/execute.py", "1 / 0"), 2),
    "a bug in a stage": (lambda _, patch: patch.setattr("assay.stages.publish.gather", broken), 70),
    "a bug in the accounting": (lambda _, patch: patch.setattr("assay.report.findings.account", broken), 70),
    "no file to write the page to": (lambda *_: (files.path(REPORT).unlink(), files.path(REPORT).mkdir()), 70),
}
"""By fault: how it comes about, and the code that the night exits with."""


@pytest.mark.parametrize("fault", FATAL)
def test_a_night_that_ends_early_has_no_verdict(project: Project, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Whatever ends a night, it exits with its documented code, and the gate never says yesterday's pass."""
    cause, code = FATAL[fault]
    with monkeypatch.context() as patch:
        cause(project, patch)
        assert night().exit_code == code
    done = gate("--json")
    said = json.loads(done.output)
    assert (done.exit_code, said["word"], said["ended"]) == (EXIT["incomplete"], "incomplete", None)
    assert said["run"] != run_of_gate()


@pytest.mark.parametrize("fault", ["unreachable", "wrong key"])
def test_a_product_that_cannot_be_asked_has_no_verdict(project: Project, fault: str) -> None:
    """Without an answer of the product a night exits 2, and the gate says incomplete and why."""
    with refusing() as nobody, serving(lambda _: failure(401, "no such key")) as closed:
        project.params("execute", target=CHAT | {"base_url": nobody if fault == "unreachable" else closed.url})
        assert night().exit_code == 2
    assert gate().exit_code == EXIT["incomplete"]


@pytest.mark.parametrize("bound", [-1, 0, float("nan"), float("inf")])
def test_a_bound_on_the_cost_that_is_none_is_refused(project: Project, bound: float) -> None:
    """Through the API as on the command line: a bound below or at 0, NaN or infinite is refused in a sentence."""
    with pytest.raises(ConfigError, match="expected a finite number above 0"):
        load("nightly").nightly.fn(bound, "", ("publish.max_drop=1.0",))
    assert gate().exit_code == EXIT["incomplete"]


@pytest.mark.parametrize("part", ["assay.report.comparison.compare", "assay.stages.publish.judges"])
def test_what_the_word_rests_on_is_not_optional(project: Project, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """A comparison or a certificate that cannot be computed is no pass: the report is there and says incomplete."""
    with monkeypatch.context() as patch:
        patch.setattr(part, broken)
        assert night().exit_code == 0
    said = json.loads(gate("--json").output)
    assert (said["word"], said["run"]) == ("incomplete", run_of_gate())
    assert "could not be computed: ZeroDivisionError" in said["reason"]
    assert "could not be computed: ZeroDivisionError" in files.path(REPORT).read_text(encoding="utf8")


OPTIONAL: dict[str, Break] = {
    "traces with a null and a foreign category": null_answer,
    "traces that are no Parquet": lambda *_: write(TRACES.path, "x"),
    "a bug in monitoring": lambda _, patch: patch.setattr("assay.stages.monitor.assess", broken),
    "a bug in monitoring on the first night": lambda _, patch: (
        patch.setattr("assay.stages.monitor.assess", broken),
        SIGNALS.file().unlink(),
    ),
    "a bug in a side statistic": lambda _, patch: patch.setattr("assay.stages.publish.costs.answers", broken),
    "a bug in a panel": lambda _, patch: patch.setattr("assay.report.page._case_lists", broken),
    "a bug in the metrics": lambda _, patch: patch.setattr("assay.report.metrics.metrics", broken),
    "a bug in the history": lambda _, patch: patch.setattr("assay.evalset.health.recorded", broken),
}


@pytest.mark.parametrize("fault", OPTIONAL)
def test_nothing_optional_can_lose_the_night(project: Project, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Where a part failed that no verdict rests on, this night's verdict stands, and the part is named everywhere."""
    before = run_of_gate()
    with monkeypatch.context() as patch:
        OPTIONAL[fault](project, patch)
        done = night()
        assert (done.exit_code, "Not whole: " in done.output) == (0, True), done.output
    said = json.loads(gate("--json").output)
    assert (said["word"], said["run"] != before, len(said["failures"])) == ("pass", True, 1)
    assert said["run"] == run_of_gate()
    assert f": {said['failures'][0]}" in CliRunner().invoke(app, ["doctor"]).output


def test_what_is_repaired_is_named_no_more(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next night without a fault has nothing to name."""
    with monkeypatch.context() as patch:
        patch.setattr("assay.stages.monitor.assess", broken)
        patch.setattr("assay.report.metrics.metrics", broken)
        night()
    assert len(json.loads(gate("--json").output)["failures"]) == 2
    night()
    assert json.loads(gate("--json").output)["failures"] == []


def test_the_production_panel_says_why_it_is_empty(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals of an older day are not shown for those of a night whose monitoring failed, and no alert is counted."""
    with monkeypatch.context() as patch:
        patch.setattr("assay.stages.monitor.assess", broken)
        night()
    page = files.path(REPORT).read_text(encoding="utf8")
    assert "Production monitoring could not be computed: ZeroDivisionError" in page
    assert "escalation-rate" not in page.partition('id="production"')[2].partition("</section>")[0]
    assert "alerts" not in json.loads(files.path("data/reports/metrics.json").read_bytes())


def test_monitoring_alone_says_what_it_lacks(project: Project) -> None:
    """`assay monitor` exits 2 where the traces are damaged as a whole; the last night's verdict stands."""
    write(TRACES.path, "x")
    done = CliRunner().invoke(app, ["monitor", *NIGHT[1:]])
    assert (done.exit_code, "traces.parquet cannot be read" in done.output) == (2, True)
    assert gate().exit_code == EXIT["pass"]


def test_published_again_a_verdict_keeps_its_run(project: Project) -> None:
    """`assay monitor` publishes the last run's verdict: with that run's id, begin and end."""
    before = json.loads(files.path(GATE).read_bytes())
    assert CliRunner().invoke(app, ["monitor", *NIGHT[1:]]).exit_code == 0
    after = json.loads(files.path(GATE).read_bytes())
    assert {name: after[name] for name in ("run", "began", "ended")} == {
        name: before[name] for name in ("run", "began", "ended")
    }


def test_a_busy_project_keeps_no_older_verdict(project: Project) -> None:
    """A night that finds the project locked by something else exits 2, and yesterday's pass is not its word."""
    with exclusive("monitor", NOW):
        assert night().exit_code == 2
    assert gate().exit_code == EXIT["incomplete"]


def test_a_second_night_leaves_the_first_one_s_mark(project: Project) -> None:
    """A night that finds another one at work leaves that one's mark as it is."""
    mark = files.private(UNFINISHED)
    mark.write_text('{"run": "first", "began": "2026-11-02 03:00:00+00:00", "why": "w"}')
    before = mark.read_bytes()
    with exclusive("nightly", NOW):
        assert night().exit_code == 2
    assert mark.read_bytes() == before


@pytest.mark.parametrize("point", range(20))
def test_a_disk_that_fills_up_leaves_no_older_verdict(
    project: Project, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    """From whichever write on the disk is full, the night exits 70 and the gate never says pass."""
    writes = 0
    opened, synced = Path.open, os.fsync

    def write_once(where: object) -> None:
        nonlocal writes
        writes += 1
        if writes > point:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(where))

    def open_(self: Path, mode: str = "r", *more: Any, **others: Any) -> Any:
        if set(mode) & set("wax+") and self.is_relative_to(project.folder):
            write_once(self)
        return opened(self, mode, *more, **others)

    def fsync(descriptor: int) -> None:
        write_once(descriptor)
        synced(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_)
        patch.setattr(os, "fsync", fsync)
        done = night()
    assert writes > point, "a night has fewer writes than this: choose fewer points"
    assert (done.exit_code, gate().exit_code in (2, EXIT["incomplete"])) == (70, True), done.output


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_night_that_is_killed_has_no_verdict(project: Project, sent: signal.Signals, code: int) -> None:
    """Terminated or killed while it asks the product, a night leaves the gate incomplete."""
    with serving(lambda _: replace(completion("late"), delay_s=60)) as slow:
        project.params("execute", target=CHAT | {"base_url": slow.url})
        command = [sys.executable, "-m", "assay.cli.main", *NIGHT]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            deadline = time.monotonic() + 60
            while not slow.asked and time.monotonic() < deadline and run.poll() is None:
                time.sleep(0.05)
            run.send_signal(sent)
            assert run.wait(30) == code
    assert gate().exit_code == EXIT["incomplete"]


@pytest.mark.parametrize("words", [("--set", "execute.speed=9"), ("--set", "nonsense"), ("--env", "none")])
def test_a_typo_on_the_command_line_begins_no_night(project: Project, words: tuple[str, str]) -> None:
    """What is wrong with the arguments alone is refused with 2, and the last verdict stands as it was."""
    before = gate("--json").output
    assert CliRunner().invoke(app, ["nightly", *words]).exit_code == 2
    assert (gate().exit_code, gate("--json").output) == (EXIT["pass"], before)
    assert project.folder.is_dir()


def test_a_cache_that_cannot_be_written_costs_no_verdict(project: Project) -> None:
    """DVC cannot record the stages: gate, list and report agree on the verdict, one line says what to do."""
    shutil.rmtree(project.folder / ".dvc")
    shutil.rmtree(project.folder / ".git")
    repository.git("init", "--quiet")
    repository.dvc("init", "--quiet")
    (project.folder / ".dvc/cache").mkdir(exist_ok=True)
    (project.folder / ".dvc/cache/files").write_text("no folder")
    project.params("publish", max_drop=1.0)
    done = CliRunner().invoke(app, ["nightly"])
    assert done.exit_code == 0, done.output
    said = json.loads(gate("--json").output)
    assert (said["word"], said["run"], len(said["failures"])) == ("pass", run_of_gate(), 1)
    assert "`dvc commit --force execute judge calibrate monitor publish data/runs/" in said["failures"][0]
    (listed,) = [row for row in json.loads(CliRunner().invoke(app, ["runs", "--json"]).output) if row["lost"]]
    assert (listed["run"], listed["word"]) == (said["run"], "pass")
    assert CliRunner().invoke(app, ["report", "last"]).exit_code == 0
    examined = CliRunner().invoke(app, ["doctor"])
    assert (examined.exit_code, ".dvc/cache/files cannot be written" in examined.output) == (2, True)
    (project.folder / ".dvc/cache/files").unlink()
    assert CliRunner().invoke(app, ["nightly"]).exit_code == 0
    assert json.loads(gate("--json").output)["failures"] == []
