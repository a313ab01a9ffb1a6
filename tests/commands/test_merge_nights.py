"""Two clones, each with a night of its own: after `git merge` has stopped, `assay merge` loses none of them."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from assay.calibration.certificate import AnchorNight, Certificate, Seen
from assay.cli.main import app
from assay.evalset.health import recorded
from assay.project import files
from assay.project.certificates import read_certificates, read_refusals, write_certificates
from assay.project.results import GATE, METRICS, REPORT, SLICES
from assay.project.tables.anchors import NIGHTS, SEEN
from assay.project.tables.history import HISTORY
from assay.project.tables.responses import RESPONSES
from assay.records.history import KEPT, CaseNight, unfolded
from assay.report.gate import Gate
from tests.cast import AT, Project, case, case_night, response
from tests.report.sample_report import certificate
from tests.repository import git, say

ONE, OTHER = case(1), case(2)
EARLY, LATE = "01930000-0000-7000-8000-000000000001", "01940000-0000-7000-8000-000000000002"


def issued(day: int, **changes: Any) -> Certificate:
    """Return a certificate of correctness that was issued so many days later."""
    return certificate(issued=AT + timedelta(days=day), expires=AT + timedelta(days=day + 30), **changes)


def anchor_night(night: str, run: str, **changes: Any) -> AnchorNight:
    """Return a run's row of the anchors of correctness."""
    fields: dict[str, Any] = {"judge": "correctness", "night": night, "run": run, "issued": AT, "baseline": ""}
    return AnchorNight(**(fields | {"anchors": 9, "flips": 0, "judged": 2, "passed": 2} | changes))


def file_history(*rows: CaseNight) -> None:
    """Add rows to the history as `publish` does, one run after the other."""
    for row in rows:
        HISTORY.write(recorded(HISTORY.read(may_be_absent=True), row))


def file_night(night: str, run: str, **changes: Any) -> None:
    """File what a night leaves: its rows, and its small results."""
    file_history(case_night(night, [ONE, OTHER], run=run, **changes))
    NIGHTS.write([*NIGHTS.read(may_be_absent=True), anchor_night(night, run)])
    files.write_json(GATE, {"word": "pass", "run": run, "ended": f"{night}T01:00:00Z"})
    files.write_json(METRICS, {"verdict": run})
    files.write_bytes(SLICES, f"category,change\n{run},0\n".encode())


def file_certificate(held: Certificate, outcome: str = "pass") -> None:
    """File a certificate and what it rests on."""
    SEEN.write([Seen.model_validate({"judge": "correctness", "item_id": "i-1", "human": None, "outcome": outcome})])
    write_certificates({"correctness": held}, {})


def committed(message: str) -> None:
    """Commit everything."""
    git("add", "-A")
    git("commit", "-q", "-m", message)


def parted(place: Project, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Let a clone and its origin each do something, and merge the clone's into the origin, which stops."""
    clone = place.folder.parent / "clone"
    subprocess.run(["git", "clone", "-q", str(place.folder), str(clone)], check=True, capture_output=True)
    os.chdir(clone)
    git("config", "user.name", "ben")
    git("config", "user.email", "ben@example.org")
    theirs()
    committed("theirs")
    os.chdir(place.folder)
    ours()
    committed("ours")
    git("fetch", "-q", str(clone), "main")
    assert subprocess.run(["git", "merge", "FETCH_HEAD"], check=False, capture_output=True).returncode == 1


def merged(*words: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(app, ["merge", *words])


def is_resolved() -> bool:
    """Tell whether nothing is in conflict, and no mark of one is left in a file."""
    text = b"".join(file.read_bytes() for file in Path("data").rglob("*") if file.is_file())
    return git("diff", "--name-only", "--diff-filter=U") == "" and b"<<<<<<<" not in text


@pytest.mark.parametrize(
    ("ours", "theirs", "path"),
    [
        (
            lambda: file_history(case_night("2026-11-02", [ONE], run=EARLY, failed=[ONE.case_id])),
            lambda: file_history(case_night("2026-11-02", [ONE], run=EARLY)),
            HISTORY.path,
        ),
        (
            lambda: NIGHTS.write([anchor_night("2026-11-02", EARLY, flips=1)]),
            lambda: NIGHTS.write([anchor_night("2026-11-02", EARLY)]),
            NIGHTS.path,
        ),
        (
            lambda: write_certificates({"correctness": issued(1)}, {}),
            lambda: write_certificates({"correctness": issued(1, items=119)}, {}),
            "data/calibration/correctness.json",
        ),
        (
            lambda: files.write_bytes(GATE, b"{"),
            lambda: files.write_bytes(GATE, b"["),
            f"{GATE} on our branch is not JSON",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    place: Project, ours: Callable[[], object], theirs: Callable[[], object], path: str
) -> None:
    """One run cannot have had two outcomes, nor one moment two certificates: refused by name, nothing written."""
    parted(place, ours, theirs)
    before = place.files()
    done = merged()
    assert (done.exit_code, path in done.output) == (2, True), done.output
    assert place.files() == before


def test_a_result_that_one_side_deleted_is_refused(place: Project) -> None:
    """A table that is gone on one side says nothing of which rows count."""
    file_night("2026-11-01", "")
    committed("a night")
    parted(place, lambda: file_night("2026-11-02", EARLY), lambda: HISTORY.file().unlink())
    done = merged()
    assert (done.exit_code, f"{HISTORY.path} was deleted on one branch" in done.output) == (2, True), done.output


def test_the_nights_of_both_clones_are_on_file(place: Project) -> None:
    """Rows of both stand in order, also of one date; small results are those of the later run, and Git may commit."""
    file_night("2026-11-01", "")
    committed("an old night")
    parted(
        place, lambda: file_night("2026-11-02", EARLY), lambda: file_night("2026-11-02", LATE, failed=["refunds-001"])
    )
    done = merged("--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["logs"], told["left"], told["cases"]) == ({"history": [1, 1], "nights": [1, 1]}, [], None)
    assert told["taken"] == {GATE: "theirs", METRICS: "theirs", SLICES: "theirs"}
    rows = unfolded(HISTORY.read())
    runs = [("2026-11-01", ""), ("2026-11-02", EARLY), ("2026-11-02", LATE)]
    assert [(row.night, row.run) for row in rows] == runs
    assert [len(row.revisions) for row in rows] == [2, 2, 2]
    assert [row.failed for row in rows] == [[], [], ["refunds-001"]]
    assert [(row.night, row.run) for row in NIGHTS.read()] == runs
    assert (files.read_json(GATE, "")["run"], files.read_json(METRICS, "")["verdict"]) == (LATE, LATE)
    assert LATE in files.path(SLICES).read_text()
    assert is_resolved()
    git("commit", "-q", "-m", "merged")
    assert git("status", "--porcelain") == ""


def test_a_run_that_one_clone_published_again_takes_its_new_row(place: Project) -> None:
    """A row that only one side has changed is that side's; the other side's new night stands beside it."""
    file_night("2026-11-01", EARLY)
    committed("a night")

    def again() -> None:
        file_history(case_night("2026-11-01", [ONE], run=EARLY, failed=[ONE.case_id]))

    parted(place, lambda: file_night("2026-11-02", LATE), again)
    assert merged().exit_code == 0
    rows = unfolded(HISTORY.read())
    assert [(row.run, row.failed, len(row.revisions)) for row in rows] == [(EARLY, [ONE.case_id], 1), (LATE, [], 2)]


def test_a_merged_history_keeps_its_length(place: Project) -> None:
    """Of the dates of both the last ninety are kept, the first of them with its set."""
    HISTORY.write(recorded([], case_night("2026-01-01", [ONE])))
    for at in range(KEPT - 1):
        HISTORY.write(recorded(HISTORY.read(), case_night(f"2026-{at // 28 + 2:02}-{at % 28 + 1:02}", [ONE])))
    committed("a long history")
    parted(place, lambda: file_night("2026-11-02", EARLY), lambda: file_night("2026-11-03", LATE))
    assert merged().exit_code == 0
    rows = HISTORY.read()
    assert (len(rows), rows[0].night, rows[-2].run, rows[-1].run) == (KEPT, "2026-02-02", EARLY, LATE)
    assert (len(rows[0].revisions), len(unfolded(rows)[-1].revisions)) == (1, 2)


@pytest.mark.parametrize(("days", "outcome", "looks"), [((2, 1), "pass", 4), ((1, 2), "fail", 4)])
def test_the_certificate_that_was_issued_later_counts(
    place: Project, days: tuple[int, int], outcome: str, looks: int
) -> None:
    """It brings what it rests on, and the looks that both sides took at the same labels."""
    file_certificate(issued(0, looks=1))
    committed("a certificate")
    parted(
        place,
        lambda: file_certificate(issued(days[0], looks=2)),
        lambda: file_certificate(issued(days[1], looks=3), "fail"),
    )
    assert merged().exit_code == 0
    held = read_certificates()["correctness"]
    assert (held.issued, held.looks) == (AT + timedelta(days=2), looks)
    assert [row.outcome for row in SEEN.read()] == [outcome]
    assert is_resolved()


def test_looks_at_other_labels_are_not_added(place: Project) -> None:
    """A certificate on new labels keeps its own count."""
    file_certificate(issued(0, looks=1))
    committed("a certificate")
    parted(
        place,
        lambda: file_certificate(issued(1, looks=5)),
        lambda: file_certificate(issued(2, looks=2, labels="b41be0c7724f9d10"), "fail"),
    )
    assert merged().exit_code == 0
    assert read_certificates()["correctness"].looks == 2


def test_reasons_of_both_are_kept_while_there_is_no_certificate(place: Project) -> None:
    """Of one judge the later side's reason stands; a judge that has a certificate needs none."""
    write_certificates({}, {"correctness": "no labels", "preference": "no pairs"})
    committed("no certificate")

    def ours() -> None:
        file_night("2026-11-02", EARLY)
        write_certificates({}, {"correctness": "30 labels", "preference": "10 pairs"})

    def theirs() -> None:
        file_night("2026-11-03", LATE)
        write_certificates({"correctness": issued(1)}, {"preference": "20 pairs"})

    parted(place, ours, theirs)
    assert merged().exit_code == 0
    assert read_refusals() == {"preference": "20 pairs"}
    assert list(read_certificates()) == ["correctness"]


def test_nights_and_decisions_are_merged_together(place: Project) -> None:
    """A merge that stopped at both is resolved in one go, and the set is made of what both decided."""
    parted(
        place,
        lambda: (say(case(50)), file_night("2026-11-02", EARLY)),  # type: ignore[func-returns-value]
        lambda: (say(case(51)), file_night("2026-11-02", LATE)),  # type: ignore[func-returns-value]
    )
    done = merged("--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["logs"] == {"decisions": [1, 1], "history": [1, 1], "nights": [1, 1]}
    assert told["cases"]
    assert is_resolved()


def file_whole_night(run: str, word: str) -> None:
    """File a night with a verdict that can be read, its responses, and its entries of dvc.lock."""
    file_night("2026-11-02", run)
    gate = Gate.model_validate({"word": word, "reason": "r", "next": "n", "sentence": "S.", "run": run})
    files.write_json(GATE, gate.model_dump(mode="json"))
    files.write_bytes(REPORT, b"a report")
    RESPONSES.write([response(one, run=run, source_run=run) for one in (ONE, OTHER)])
    lock = yaml.safe_load(Path("dvc.lock").read_bytes())
    for stage in ("execute", "publish"):
        lock["stages"][stage] = {"cmd": "none", "outs": [{"path": f"data/{stage}", "md5": run}]}
    lock["stages"]["own"] = {"cmd": word}
    Path("dvc.lock").write_text(yaml.safe_dump(lock, sort_keys=False))


@pytest.mark.parametrize(("ours", "theirs"), [(EARLY, LATE), (LATE, EARLY)])
def test_dvc_lock_follows_the_verdict(place: Project, ours: str, theirs: str) -> None:
    """It names the tables of the run whose verdict counts, and ours of all else; whose tables lie here is said."""
    Path(".gitignore").write_text(".assay/\ndata/responses/\ndata/reports/report.html\n")
    committed("what DVC keeps")
    before = yaml.safe_load(Path("dvc.lock").read_bytes())["stages"]
    parted(place, lambda: file_whole_night(ours, "pass"), lambda: file_whole_night(theirs, "regression"))
    gate = CliRunner().invoke(app, ["gate"])
    assert (gate.exit_code, "`assay merge`" in gate.output) == (2, True)
    done = merged()
    assert done.exit_code == 0, done.output
    after = yaml.safe_load(Path("dvc.lock").read_bytes())["stages"]
    assert {after[stage]["outs"][0]["md5"] for stage in ("execute", "publish")} == {LATE}
    assert (after["review"], after["own"]) == (before["review"], {"cmd": "pass"})
    assert is_resolved()
    if ours == LATE:
        assert "dvc pull" not in done.output
        assert CliRunner().invoke(app, ["accept"]).exit_code == 0
        return
    assert (EARLY[:13] in done.output, LATE[:13] in done.output, "`dvc pull`" in done.output) == (True, True, True)
    told = json.loads(CliRunner().invoke(app, ["gate", "--json"]).output)
    assert (told["word"], told["report_run"], "`dvc pull`" in told["two_runs"]) == ("regression", EARLY, True)
    said = CliRunner().invoke(app, ["gate"]).output
    assert f"Report of the run before ({EARLY[:13]}): " in said
    assert f"responses on file are of run {EARLY[:13]}" in said
    files_before = place.files()
    refused = CliRunner().invoke(app, ["accept"])
    assert (refused.exit_code, "`dvc pull`" in refused.output) == (2, True)
    assert place.files() == files_before
    RESPONSES.write([response(one, run=LATE, source_run=LATE) for one in (ONE, OTHER)])
    accepted = CliRunner().invoke(app, ["accept"])
    assert (accepted.exit_code, accepted.output) == (
        0,
        f"2 responses of run {LATE[:13]}, by support@2, are the baseline now; commit data/baseline.\n",
    )


def test_a_dvc_lock_that_is_none_is_refused(place: Project) -> None:
    """What DVC cannot have written is refused by name, and nothing is written."""

    def damaged() -> None:
        file_whole_night(LATE, "pass")
        Path("dvc.lock").write_text("stages: 7\n")

    parted(place, lambda: file_whole_night(EARLY, "pass"), damaged)
    before = place.files()
    done = merged()
    assert (done.exit_code, "dvc.lock on their branch" in done.output) == (2, True), done.output
    assert place.files() == before
