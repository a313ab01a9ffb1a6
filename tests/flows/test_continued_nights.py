"""A night that was killed goes on as the same run: what was answered counts, and its last line says so."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assay.commands.upgrade import upgrade
from assay.project import files
from assay.project.results import GATE, published, read_gate
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.run import is_run_id
from assay.stages import review
from tests.cast import CATEGORIES, Project, case, decision, small_project
from tests.endpoint import Body, Reply, Served, completion, serving
from tests.layout import ROOT
from tests.repository import git

NIGHT = ("nightly", "--set", "publish.max_drop=1.0", "--set", "publish.keep=0")
"""With overrides and without an archive, so that DVC, which takes seconds, records nothing."""
CASES = [case(number, category, reference="") for category in CATEGORIES for number in range(30)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of sixty cases that checks decide."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = small_project(folder)
    made.open_doors()
    DECISIONS.write([decision(one) for one in CASES])
    for table in (BASELINE, ITEMS, LABELS):
        table.file().unlink()
    for name in ("data/baseline", "data/labels", "data/releases", "data/calibration", ".dvc", ".git"):
        (folder / name).mkdir(exist_ok=True)
    (folder / ".dvc/config").write_text("")
    review.run()
    upgrade()
    return made


def assay(served: Served, *words: str) -> subprocess.Popen[str]:
    """Start the command in the project, with judges at the same address as the product."""
    environ = os.environ | {"PYTHONPATH": str(ROOT), "OPENAI_BASE_URL": served.url, "OPENAI_API_KEY": "sk-none"}
    command = [sys.executable, "-c", "from assay.cli.main import app; app()", *words]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def last_line(served: Served, *words: str) -> str:
    """Run a night to its end; return the last line that it prints."""
    with assay(served, *NIGHT, *words) as night:
        said = night.communicate()[0]
    assert night.returncode == 0
    return said.strip().splitlines()[-1]


def killed(served: Served, after: int) -> None:
    """Start a night, and kill it once the product was asked so often."""
    with assay(served, *NIGHT) as night:
        deadline = time.monotonic() + 60
        while len(served.asked) < after and time.monotonic() < deadline:
            time.sleep(0.005)
        night.send_signal(signal.SIGKILL)


def answer(_: Body) -> Reply:
    """Answer a little later."""
    return Reply(body=completion("Yes, refunds are possible within 14 days.").body, delay_s=0.05)


def point(project: Project, served: Served, **target: Any) -> None:
    """Let four calls at a time go to the product."""
    whole = {"kind": "chat", "name": "support", "model": "m", "base_url": served.url}
    project.params("execute", target=whole | target, concurrency=4, max_retries=0)


def test_a_killed_night_is_continued_and_says_so(project: Project) -> None:
    """No more is repeated than was in flight; run, gate and every row bear the first id, and the line counts both."""
    with serving(answer) as served:
        point(project, served)
        killed(served, 20)
        mark = json.loads(files.private("unfinished.json").read_bytes())["run"]
        line = last_line(served)
        product = [body for body in served.asked if "response_format" not in body]
        repeated = sum(count - 1 for count in Counter(body["messages"][-1]["content"] for body in product).values())
    assert repeated <= 4
    count = re.fullmatch(
        rf"Answers: continued run {mark[:13]}: (\d+) of 60 answers of 20\d\d-\d\d-\d\d \d\d:\d\d UTC kept, (\d+) asked "
        r"\(the product's version is not known, so they may be of before a change of it; "
        r"`assay nightly --fresh` asks anew\)\.",
        line,
    )
    assert count, line
    assert int(count[1]) >= 20 - 1 - 4, "of twenty requests one asked who the judge is, and four were in flight"
    assert int(count[1]) + int(count[2]) == 60
    assert json.loads(files.path(GATE).read_bytes())["run"] == mark
    assert {(row.run, row.source_run) for row in RESPONSES.read()} == {(mark, mark)}
    assert {row.run for row in VERDICTS.read()} == {mark}
    assert not files.exists(".assay/unfinished.json")


def test_a_killed_night_that_repro_ends_has_ended(project: Project) -> None:
    """After `assay repro` the gate tells the verdict of the run that was killed, and the next night is a new one."""
    (project.folder / ".git").rmdir()
    git("init", "-q")
    with serving(answer) as served:
        point(project, served)
        upgrade()
        killed(served, 20)
        mark = json.loads(files.private("unfinished.json").read_bytes())["run"]
        with assay(served, "repro") as repro:
            said = repro.communicate()[0]
        assert repro.returncode == 0, said
        assert (published().run, read_gate()) == (mark, published())
        assert {(row.run, row.source_run) for row in RESPONSES.read()} == {(mark, mark)}
        assert last_line(served).startswith("Answers: all 60 asked by this run")
        assert published().run != mark


def test_a_fresh_night_continues_nothing(project: Project) -> None:
    """With --fresh everything is asked under a new id, and the night after it is a new one too."""
    with serving(answer) as served:
        point(project, served)
        killed(served, 20)
        mark = json.loads(files.private("unfinished.json").read_bytes())["run"]
        assert last_line(served, "--fresh").startswith("Answers: all 60 asked by this run")
        fresh = json.loads(files.path(GATE).read_bytes())["run"]
        assert is_run_id(fresh)
        assert fresh != mark
        assert last_line(served).startswith("Answers: all 60 asked by this run")
        assert json.loads(files.path(GATE).read_bytes())["run"] not in (mark, fresh)
