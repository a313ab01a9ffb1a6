"""The commands about runs: a run is named without doubt, and its report is what it was, byte for byte."""

import json
import re
import webbrowser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands import runs
from assay.errors import ConfigError, DataError
from assay.orchestration import run_pages
from assay.project import archive, files
from assay.project.archive import RUNS
from assay.project.results import GATE, REPORT
from assay.project.run_id import run_id
from assay.project.tables.history import HISTORY
from assay.records.history import CaseNight
from assay.records.run import RunRecord
from assay.report.gate import Gate
from tests.archives import FIRST, a_record, an_id, archived, file_results
from tests.cast import Project
from tests.repository import dvc, git

TWIN = run_id(FIRST, bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
"""Of the same millisecond as night 0."""


LATER = FIRST + timedelta(days=30)


def chosen(wanted: str, now: datetime = LATER) -> RunRecord:
    """Return the record of a run that somebody names, a month later."""
    return runs.chosen(wanted, now)


@pytest.fixture
def repository(project: Project) -> Project:
    """The project with two archived runs, committed to Git and DVC, and a remote beside it."""
    git("init", "-q")
    dvc("init", "-q")
    archived(1, 2)
    dvc("commit", "--force", *archive.pending())
    return project


@pytest.mark.parametrize(
    "wanted",
    ["../../params", "/etc/passwd", f"{an_id(1)}/../x", "", "0", an_id(1)[:7], "2026-11-30", "%s", "*", "\x1b[2J"],
)
def test_what_names_no_run_is_refused(project: Project, wanted: str) -> None:
    """A name that is no run's, or more than one's, is refused with exit code 2 and names candidates."""
    archived(1, 2)
    done = CliRunner().invoke(app, ["report", "--", wanted])
    assert done.exit_code == 2
    assert an_id(2)[:13] in done.stderr
    assert "\x1b" not in done.stderr
    assert project.folder.is_dir()


def test_without_a_run_none_is_named(project: Project) -> None:
    """Before the first run there is nothing to open, and the list says so."""
    assert CliRunner().invoke(app, ["report"]).exit_code == 2
    assert CliRunner().invoke(app, ["runs", "--json"]).stdout == "[]\n"
    assert "assay nightly" in CliRunner().invoke(app, ["runs"]).stdout
    assert project.folder.is_dir()


def test_nights_without_a_record_are_told(project: Project) -> None:
    """Where the history has nights and no run is on record, the list and the page say so, and how many there are."""
    nothing: dict[str, Any] = {"cases": 0, "failed": [], "unscored": [], "differing": [], "revisions": {}}
    who = {"target": "shop@7", "judge": "", "evaluation_set": ""}
    rows = [CaseNight(night=date, **who, **nothing) for date in ("2026-11-27", "2026-11-28")]
    HISTORY.write(rows)
    for text in (CliRunner().invoke(app, ["runs"]).stdout, CliRunner().invoke(app, ["report"]).stderr):
        assert "2 nights, the last of 2026-11-28" in text
        assert "assay nightly" in text
    assert "2 nights, the last of 2026-11-28" in run_pages.index(datetime.now(UTC))
    assert project.folder.is_dir()


@pytest.mark.parametrize("damage", ["another run's", "no JSON", "no UTF-8", "no record", "no zone", "a folder"])
def test_a_damaged_record_hides_no_other(project: Project, damage: str) -> None:
    """The other runs are listed; the damaged record is named with what to do, and the exit code is 2."""
    first, second, third = archived(1, 2, 3)
    file = project.folder / RUNS / f"{second}.json"
    whole = file.read_text()
    data = {
        "another run's": (project.folder / RUNS / f"{first}.json").read_bytes(),
        "no JSON": b"<b>",
        "no UTF-8": b"\xff\xfe",
        "no record": b'{"word": "pass"}',
        "no zone": whole.replace("Z", "").encode(),
    }
    file.unlink()
    file.mkdir() if damage == "a folder" else file.write_bytes(data[damage])
    done = CliRunner().invoke(app, ["runs"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert f"git checkout -- {RUNS}/{second}.json" in done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", third[:13], first[:13]]
    done = CliRunner().invoke(app, ["runs", "--json"])
    assert [row["run"] for row in json.loads(done.stdout)] == [third, first]
    done = CliRunner().invoke(app, ["runs", "--last", "1"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), "as without --last"
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", third[:13]]
    assert chosen("last").run == third
    assert chosen("2026-11-03").run == first
    with pytest.raises(DataError, match=second):
        chosen(second)


def test_a_run_of_the_future_is_said_and_is_not_the_last(project: Project) -> None:
    """A run that a clock ahead dated later than now stands last, with a note, and `last` is another one."""
    moments = [datetime(year, 11, 2, tzinfo=UTC) for year in (2020, 2021, 9000)]
    first, second, ahead = [run_id(moment, bytes(10)) for moment in moments]
    for run, moment in zip((first, second, ahead), moments, strict=True):
        archive.note(a_record(1, run=run, began=moment, ended=moment))
    rows = json.loads(CliRunner().invoke(app, ["runs", "--json"]).stdout)
    assert [(row["run"], row["is_ahead"]) for row in rows] == [(second, False), (first, False), (ahead, True)]
    assert CliRunner().invoke(app, ["runs"]).stdout.rstrip().endswith(runs.AHEAD)
    assert [row["run"] for row in json.loads(CliRunner().invoke(app, ["runs", "--last", "1", "--json"]).stdout)] == [
        second
    ]
    assert chosen("last").run == second
    assert chosen(ahead[:13]).run == ahead
    assert project.folder.is_dir()


def published(run: str, report: str) -> None:
    """Let the report on file be a run's, as `publish` leaves it."""
    gate = Gate(word="pass", reason="r", next="n", sentence="PASS.", run=run)
    files.write_json(GATE, gate.model_dump(mode="json"))
    files.write_bytes(REPORT, report.encode())


def test_the_last_run_is_the_one_whose_verdict_the_gate_tells(project: Project) -> None:
    """Whatever the clocks said, `last` is the run that was published last here, as long as it has a record."""
    first, _, _ = archived(1, 2, 3)
    published(first, "of the first")
    assert chosen("last").run == first
    published(an_id(4), "of another")
    assert chosen("last").run == an_id(3)
    assert project.folder.is_dir()


@pytest.mark.parametrize("lost", ["", "could not be computed: OSError: full"])
def test_the_last_report_is_there_without_an_archive(project: Project, lost: str) -> None:
    """Of a run that was not archived the report on file is opened while it is its own, and refused in words later."""
    archive.note(a_record(1, lost=lost))
    published(an_id(1), "of night 1")
    done = CliRunner().invoke(app, ["report", "last"])
    assert (done.exit_code, done.stdout) == (0, f"{project.folder / REPORT}\n")
    listed = CliRunner().invoke(app, ["runs"]).stdout
    assert "not archived" in listed
    assert "pruned" not in listed
    (row,) = json.loads(CliRunner().invoke(app, ["runs", "--json"]).stdout)
    assert row["archive"] == ("lost" if lost else "unarchived")
    archive.note(a_record(2))
    published(an_id(2), "of night 2")
    with pytest.raises(ConfigError, match=re.escape(lost or "publish.keep was 0")):
        runs.report(chosen(an_id(1)))


def test_ids_are_shortened_without_doubt(project: Project) -> None:
    """Thirteen characters name a run, and more where another one has the same; each leads to its own run."""
    archived(0, 1)
    archive.keep(a_record(0, run=TWIN))
    short = runs.shortened(archive.ids())
    assert len(short[an_id(1)]) == 13
    assert len(short[TWIN]) == len(short[an_id(0)]) == 36
    assert [chosen(short[run]).run for run in archive.ids()] == archive.ids()
    with pytest.raises(ConfigError, match=re.escape(TWIN)):
        chosen(TWIN[:20])
    assert project.folder.is_dir()


def test_a_date_names_the_only_run_of_a_night(project: Project) -> None:
    """The date of a night names its run where it had one, and is refused where it had two."""
    archived(0, 1)
    assert chosen("2026-11-03").run == an_id(1)
    assert chosen("last").run == an_id(1)
    archive.keep(a_record(1, run=run_id(FIRST + timedelta(days=1), bytes(9) + b"\x02")))
    with pytest.raises(ConfigError, match="2 runs"):
        chosen("2026-11-03")
    assert project.folder.is_dir()


def test_the_list_says_what_came_of_each_run(project: Project) -> None:
    """Newest first: verdict, target, answers asked and kept, cost, release, duration, and where its files are."""
    archived(1, 2, 3)
    (project.folder / RUNS / f"{an_id(1)}.dvc").unlink()
    (project.folder / RUNS / an_id(1) / "report.html").unlink()
    (project.folder / RUNS / an_id(2) / "report.html").unlink()
    rows = json.loads(CliRunner().invoke(app, ["runs", "--json"]).stdout)
    assert [row["run"] for row in rows] == [an_id(number) for number in (3, 2, 1)]
    assert [row["archive"] for row in rows] == ["here", "elsewhere", "pruned"]
    assert {(row["duration_s"], row["cost_usd"], row["calls"]["kept"]) for row in rows} == {(240.0, 0.25, 20)}
    lines = CliRunner().invoke(app, ["runs", "--last", "2"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["run", an_id(3)[:13], an_id(2)[:13]]
    assert re.search(r"4 min +PASS +support@2 +180 asked, 20 kept +\$0.2500 +evalset@v1.0.0$", lines[1])


def test_a_record_cannot_act_upon_the_terminal(project: Project) -> None:
    """What somebody wrote into a record in Git is printed, and not obeyed."""
    file_results("night 1")
    archive.keep(a_record(1, target="\x1b[2Jevil", word="\x1b[31mpass"))
    assert "\x1b" not in CliRunner().invoke(app, ["runs"]).stdout
    assert project.folder.is_dir()


def test_a_report_is_opened_by_its_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of the run's own report is printed, not of the last one, and the browser gets its address."""
    archived(1, 2)
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    done = CliRunner().invoke(app, ["report", an_id(1)[:13], "--open", "--json"])
    assert json.loads(done.stdout)["run"] == an_id(1)
    file = Path(json.loads(done.stdout)["report"])
    assert file.read_bytes() == b"data/reports/report.html: night 1\n"
    assert opened == [file.as_uri()]
    assert project.folder.is_dir()


def test_a_report_that_is_missing_or_changed_comes_from_the_cache(repository: Project) -> None:
    """A report that was deleted, or edited, is restored from DVC's cache as it was."""
    file = repository.folder / RUNS / an_id(1) / "report.html"
    whole = file.read_bytes()
    for change in (file.unlink, lambda: file.write_bytes(b"edited")):
        change()
        assert runs.report(chosen(an_id(1))) == file
        assert file.read_bytes() == whole


def test_a_report_comes_from_the_remote_or_not_at_all(repository: Project) -> None:
    """Without cache: refused without a remote, fetched with one, refused where the remote has it not."""
    record = chosen(an_id(1))
    file = archive.report_file(record.run)
    whole = file.read_bytes()
    (repository.folder / ".dvc/cache").rename(repository.folder / "cache-aside")
    file.unlink()
    with pytest.raises(ConfigError, match="no remote"):
        runs.report(record)
    dvc("remote", "add", "-q", "-d", "local", str(repository.folder / "remote"))
    with pytest.raises(ConfigError, match="dvc pull"):
        runs.report(record)
    (repository.folder / "cache-aside").rename(repository.folder / ".dvc/cache")
    dvc("push", "-q")
    (repository.folder / ".dvc/cache").rename(repository.folder / "cache-aside")
    assert runs.report(record).read_bytes() == whole
    (repository.folder / RUNS / f"{record.run}.dvc").write_bytes(
        (repository.folder / RUNS / f"{an_id(2)}.dvc").read_bytes().replace(an_id(2).encode(), an_id(1).encode())
    )
    file.unlink()
    (repository.folder / ".dvc/cache").rename(repository.folder / "cache-again")
    with pytest.raises(DataError, match=record.files["report.html"]):
        runs.report(record)


def test_a_pruned_report_says_how_to_get_it(repository: Project) -> None:
    """Of a run whose archive was given up and is in no cache, the message names the file to restore from Git."""
    record = chosen(an_id(1))
    kept = (repository.folder / RUNS / f"{record.run}.dvc").read_bytes()
    (repository.folder / RUNS / f"{record.run}.dvc").unlink()
    archive.report_file(record.run).unlink()
    (repository.folder / ".dvc/cache").rename(repository.folder / "cache-aside")
    with pytest.raises(ConfigError, match="no commit has it"):
        runs.report(record)
    git("add", "--force", f"{RUNS}/{record.run}.json")
    tracking = f"{RUNS}/{record.run}.dvc"
    files.write_bytes(tracking, kept)
    git("add", "--force", tracking)
    git("commit", "--quiet", "--message", "the night")
    Path(tracking).unlink()
    with pytest.raises(ConfigError, match=re.escape(f"git checkout HEAD -- {tracking}")):
        runs.report(record)
    git("rm", "--quiet", "--cached", tracking)
    git("commit", "--quiet", "--message", "pruned")
    with pytest.raises(ConfigError, match=re.escape(f"git checkout COMMIT -- {tracking}")):
        runs.report(record)
    assert git("log", "--all", "--diff-filter=D", "--format=%H^", "--", tracking), (
        "what the message says to ask finds it"
    )
    assert files.exists(f"{RUNS}/{record.run}.json")
