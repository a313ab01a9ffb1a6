"""Upgrade: what an earlier version left behind stays valid, and nothing of it is paid for again.

`tests/golden/project-0.2.0.tar.xz` is what version 0.2.0 left: twenty cases, fifteen nights of a hosted product and a
hosted judge, 120 labels, a certificate, a baseline, a release with its tag, the journal, and flows as it wrote them.
"""

import json
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.code.source_scan import short_digest
from assay.commands.upgrade import WRITTEN_BEFORE, upgrade
from assay.models.journal import Journal
from assay.orchestration.runs import NIGHT
from assay.project import files, programs, releases, scaffold
from assay.project.certificates import read_certificates
from assay.project.distribution import tool_version
from assay.project.tables.anchors import NIGHTS
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import MANIFEST
from assay.project.tables.history import HISTORY
from assay.project.tables.labels import labelled
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.record import digest as identity
from assay.records.verdict import Verdict
from assay.stages import batches, review
from tests.endpoint import serving
from tests.old_project import ANCHORS, CASES_THERE, NIGHTS_BEFORE, answer, point, unpack


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that version 0.2.0 left, as the current folder."""
    folder = unpack(tmp_path)
    monkeypatch.chdir(folder)
    return folder


def plain(verdicts: list[Verdict]) -> list[dict[str, object]]:
    """Return verdicts without which run asked for them."""
    return [row.model_dump(exclude={"run", "source_run"}) for row in verdicts]


def _rows() -> set[bytes]:
    """Return the rows of history and anchors, byte for byte."""
    return {row for table in (HISTORY, NIGHTS) for row in table.file().read_bytes().splitlines()}


def test_each_change_is_said_in_a_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Flows, inputs of stages, code and journal: each is said once, and a flow that a person changed stays as it is."""
    flow = Path("flows/monitor.py")
    flow.write_text(flow.read_text() + "\nMINE = 1\n")
    with sqlite3.connect(".assay/journal.sqlite") as journal:
        (before,) = journal.execute("SELECT count(*) FROM answers").fetchone()
    lines = upgrade()
    assert capsys.readouterr() == ("", "")
    assert [line for line in lines if line.startswith(("dvc.yaml", "assay.lock"))] == [
        "dvc.yaml: calibrate.deps has data/responses/responses.parquet now",
        "dvc.yaml: monitor.deps has data/calibration now",
        "assay.lock: the code of generate, review, execute, judge, calibrate, monitor, publish changed",
        f"assay.lock: assay is {tool_version()}, was 0.2.0",
    ]
    told = {line.split(" ", 1)[0]: line for line in lines}
    assert "is this one's now" in told["flows/nightly.py"]
    assert "`assay upgrade --diff flows/monitor.py`" in told["flows/monitor.py"]
    assert "written" in told["data/runs/.gitignore"]
    for judge in ("correctness", "grounding", "preference"):
        assert "the judge is the one that it was" in told[f"data/judges/{judge}/judge.yaml"]
    assert "none was lost" in told[".assay/journal.sqlite"]
    assert flow.read_text().endswith("MINE = 1\n")
    assert Path("flows/nightly.py").read_bytes() == scaffold.shared_files()["flows/nightly.py"]
    with Journal(files.private("journal.sqlite")) as journal:
        assert journal.damaged() == 0
    with sqlite3.connect(".assay/journal.sqlite") as journal:
        assert journal.execute("SELECT count(*) FROM answers").fetchone() == (before,)
    assert [line.split(" ", 1)[0] for line in upgrade()] == ["flows/monitor.py"]


def test_a_damaged_answer_is_not_made_sound(project: Path) -> None:
    """What the disk had changed before the upgrade is still known to be damaged after it."""
    with sqlite3.connect(".assay/journal.sqlite") as journal:
        journal.execute("UPDATE answers SET answer = '{}' WHERE key IN (SELECT key FROM answers LIMIT 3)")
    upgrade()
    with Journal(files.private("journal.sqlite")) as journal:
        assert journal.damaged() == 3


def test_everything_on_file_stays_valid(project: Path) -> None:
    """Decisions, the released set, labels and the certificate are what they were, by their hashes; tables are read."""
    content, log = json.loads(Path(MANIFEST).read_bytes())["content"], DECISIONS.file().read_bytes()
    upgrade()
    assert batches.check_logs()
    review.run()
    assert json.loads(Path(MANIFEST).read_bytes())["content"] == content
    assert DECISIONS.file().read_bytes() == log
    assert identity({case.case_id: case.revision() for case in releases.cases("v1.0.0")}) == content
    items, labels = labelled()
    (certificate,) = read_certificates().values()
    assert certificate.labels == identity([*items, *labels])
    assert [len(table.read()) for table in (BASELINE, RESPONSES, HISTORY)] == [20, 20, NIGHTS_BEFORE]
    assert {row.run for row in (*RESPONSES.read(), *VERDICTS.read(), *HISTORY.read(), *NIGHTS.read())} == {""}


def test_the_next_night_pays_for_nothing_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks the product, the anchors and who the judge is; every other verdict is kept, row by row as it was."""
    before, rows = VERDICTS.read(), _rows()
    upgrade()
    with serving(answer) as served:
        point(served, monkeypatch)
        ended = CliRunner().invoke(app, ["nightly", "--json"])
        assert ended.exit_code == 0, ended.output
        judged = [body for body in served.asked if "response_format" in body]
    assert (len(served.asked) - len(judged), len(judged)) == (CASES_THERE, ANCHORS + 1)
    assert plain(VERDICTS.read()) == plain(before)
    gate = json.loads(ended.stdout.splitlines()[-1])
    assert {(row.run, row.source_run) for row in RESPONSES.read()} == {(gate["run"], gate["run"])}
    assert {row.source_run for row in VERDICTS.read() if row.subject == "anchor"} == {gate["run"]}
    assert _rows() > rows, "history and anchors were added to, and no row of before was written otherwise"
    assert len(HISTORY.read()) == len(NIGHTS.read()) == NIGHTS_BEFORE + 1
    assert Path(f"data/runs/{gate['run']}/report.html").is_file()
    assert programs.dvc("status", *NIGHT) == "Data and pipelines are up to date."
    (certificate,) = read_certificates().values()
    assert certificate.issued < datetime(2026, 11, 29, tzinfo=UTC)
    assert gate["word"] == "inconclusive", "correctness stays certified, and the gate waits for no labelled pairs"


def test_what_a_version_writes_is_known_to_the_next() -> None:
    """Each file of flows and tasks is on record: the next version can tell it from one that a person changed."""
    known = json.loads(WRITTEN_BEFORE.read_bytes())
    ours = {name: text for name, text in scaffold.shared_files().items() if name.startswith(("flows/", "tasks/"))}
    assert known.keys() == ours.keys()
    assert [name for name, text in ours.items() if short_digest(text) != known[name][-1]] == []


def test_the_difference_of_a_file_is_shown_and_nothing_is_changed(project: Path) -> None:
    """--diff shows what this version writes in place of a file, and refuses a name that is none of its files."""
    mine = Path("flows/nightly.py").read_bytes()
    shown = CliRunner().invoke(app, ["upgrade", "--diff", "flows/nightly.py"])
    assert (shown.exit_code, Path("flows/nightly.py").read_bytes()) == (0, mine)
    assert "+    with night(review, max_cost_usd, env, overrides, fresh=fresh) as now:" in shown.stdout
    assert CliRunner().invoke(app, ["upgrade", "--diff", "../secrets"]).exit_code == 2
    subprocess.run(["git", "diff", "--quiet"], check=True)
