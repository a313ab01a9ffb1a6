"""The results of a run: no damage, no age and no mark makes a pass of what is none."""

import json
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import app
from assay.errors import BusyError, DataError
from assay.models.journal import JournaledRun
from assay.project import continuation, files, run_lock, whose
from assay.project.journal import open_journal
from assay.project.last_run import file_answers
from assay.project.results import GATE, REPORT, UNFINISHED, finishing, read_gate, times
from assay.project.run_id import Run, being, new_run
from assay.project.tables.verdicts import VERDICTS
from assay.records.run import Answers
from assay.report.gate import EXIT, Gate
from tests.cast import Project, verdict


def run(now: datetime, number: int = 1) -> Run:
    """Return the run of this number, which takes an hour."""
    moments = iter([now, *[now + timedelta(hours=1)] * 9])
    return new_run(lambda: next(moments), lambda size: bytes([number] * size))


def passed(**changes: object) -> None:
    """File the pass of an earlier night."""
    gate = Gate.model_validate({"word": "pass", "reason": "r", "next": "n", "sentence": "PASS."} | changes)
    files.write_json(GATE, gate.model_dump(mode="json"))


def ask(*more: str) -> Result:
    """Ask for the gate's word."""
    return CliRunner().invoke(app, ["gate", *more])


@pytest.mark.parametrize(
    "damage",
    [
        *(b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"word": "pass"}'),
        b'{"word": "PASS", "reason": "", "next": "", "sentence": ""}',
        b'{"word": "pass", "reason": "", "next": "", "sentence": "", "ended": "never"}',
    ],
    ids=lambda damage: repr(damage[:20]),
)
def test_a_damaged_verdict_is_bad_input(project: Project, damage: bytes) -> None:
    """Whatever gate.json holds that is no verdict, the gate exits 2 in one sentence that names it."""
    files.path(GATE).write_bytes(damage)
    done = ask()
    assert (done.exit_code, done.output.count("\n"), GATE in done.output or "gate.json" in done.output) == (2, 1, True)


@pytest.mark.parametrize(
    "mark",
    [
        *(b"", b"{", b"null", b"[]", b"7", b"\xff\xfe", b"[" * 100_000),
        b'{"began": [1], "why": {"a": "\\u001b[2J"}}',
        b'{"began": "2026-11-02 03:00 UTC", "why": "killed by yesterday\'s version"}',
    ],
    ids=lambda mark: repr(mark[:20]),
)
def test_a_mark_that_cannot_be_read_is_no_pass(project: Project, mark: bytes) -> None:
    """While the mark of a night is there the gate is incomplete, whatever it holds."""
    passed()
    files.private(UNFINISHED).write_bytes(mark)
    done = ask()
    assert (done.exit_code, done.output.replace("\n", "").isprintable()) == (EXIT["incomplete"], True)


@pytest.mark.parametrize("kind", ["folder", "link to nothing"])
def test_a_mark_that_is_no_file_is_no_pass(project: Project, kind: str) -> None:
    """A mark that is a folder, or leads nowhere, is a mark."""
    passed()
    mark = files.private(UNFINISHED)
    mark.mkdir() if kind == "folder" else mark.symlink_to("nowhere")
    assert ask().exit_code == EXIT["incomplete"]


def test_an_old_verdict_is_no_pass(project: Project, now: datetime) -> None:
    """A verdict that ended longer ago than it holds is incomplete, with its word; one of unknown age stands."""
    passed(ended=now, run="r")
    assert read_gate(now + timedelta(hours=36), timedelta(hours=36)).word == "pass"
    stale = read_gate(now + timedelta(hours=37), timedelta(hours=36))
    assert (stale.word, stale.run, stale.ended) == ("incomplete", "r", now)
    assert "37 hours ago" in stale.reason
    ahead = read_gate(now - timedelta(days=400), timedelta(hours=36))
    assert (ahead.word, "9600 hours later than now" in ahead.reason) == ("incomplete", True)
    assert read_gate(now - timedelta(hours=1), timedelta(hours=36)).word == "pass"
    assert ask("--max-age", "1").exit_code == EXIT["incomplete"]
    assert ask("--max-age", "0").exit_code == 2
    passed()
    assert ask("--max-age", "1").exit_code == EXIT["pass"]


def test_a_run_that_did_not_end_says_which_it_is(project: Project, now: datetime) -> None:
    """The word on a night that did not end has its id and begin, and no end."""
    passed()
    with suppress(DataError), finishing(run(now)):
        raise DataError("the product is gone")
    said = json.loads(ask("--json").output)
    assert (said["run"], said["began"], said["ended"]) == (run(now).id, "2026-11-02T03:00:00Z", None)
    assert "the product is gone" in said["sentence"]


BEGIN = """
import sys, time
from datetime import UTC, datetime
from assay.project.results import finishing
from assay.project.run_id import new_run

now = datetime(2026, 11, 2, 3, tzinfo=UTC)
with finishing(new_run(lambda: now, lambda size: bytes([1] * size))):
    print("on", flush=True)
    time.sleep(60)
"""


def test_while_a_night_is_on_the_gate_says_so(project: Project, now: datetime) -> None:
    """From its first moment a night is on, since when; killed, it is said to be that, and that the next one goes on."""
    passed(run="01a19333-0f80-7404-8101-010101010101")
    files.write_bytes(REPORT, b"of the night before")
    with subprocess.Popen([sys.executable, "-c", BEGIN], stdout=subprocess.PIPE) as night:
        assert night.stdout
        assert night.stdout.readline() == b"on\n"
        said, plain = ask("--json"), ask()
        night.kill()
    assert (said.exit_code, plain.exit_code) == (EXIT["incomplete"], EXIT["incomplete"])
    on = json.loads(said.output)
    assert (on["run"], on["reason"]) == (run(now).id, "a night is on, since 2026-11-02 03:00 UTC")
    assert on["report_run"] == "01a19333-0f80-7404-8101-010101010101"
    assert "killed" not in plain.output
    assert "Report of the run before (01a19333-0f80): " in plain.output
    killed = ask().output
    assert "it was killed" in killed
    assert "goes on from there" in killed
    assert "Report of the run before (01a19333-0f80): " in killed
    files.path(REPORT).unlink()
    assert "Report" not in ask().output


@pytest.mark.parametrize(
    ("published", "judged", "is_ended"), [(1, 1, True), (2, 2, True), (1, 2, False), (0, 0, False)]
)
def test_a_night_that_others_ended_has_ended(
    project: Project, now: datetime, published: int, judged: int, *, is_ended: bool
) -> None:
    """A killed night is over once its run, or a later one, is judged and published, and not by an earlier one."""
    killed = run(now)
    with suppress(KeyboardInterrupt), finishing(killed):
        raise KeyboardInterrupt
    with open_journal() as journal:
        journal.note(JournaledRun(killed.id, int(now.timestamp()), 0, "shop@7", is_version_known=True, has_asked=True))
    ids = [run(now + timedelta(hours=number - 1), number).id for number in range(3)]
    assert ids[1] == killed.id
    passed(run=ids[published])
    VERDICTS.write([verdict("refunds-001", "pass", run=ids[judged])])
    whose.conclude()
    assert (read_gate().word == "pass") == is_ended
    assert (continuation.interrupted(now) == "") == (is_ended and published == 1)


def test_looking_keeps_no_night_waiting(project: Project, now: datetime) -> None:
    """Nights that are on together are on until the last has ended, and whoever looks stops none of them."""
    with finishing(run(now)):
        with suppress(BusyError), finishing(run(now, 2)):
            assert run_lock.is_night_on()
            raise BusyError("nightly holds the lock")
        assert run_lock.is_night_on()
        with run_lock.exclusive("nightly", now):
            assert run_lock.is_night_on()
    assert not run_lock.is_night_on()
    assert project.folder.is_dir()


def test_a_run_that_is_on_names_itself(project: Project, now: datetime) -> None:
    """What a run publishes bears its id, begin and end; published again later it bears the same."""
    assert times("").run == ""
    with finishing(run(now)) as take_mark:
        take_mark()
        file_answers(run(now), Answers(asked=1))
        found = times(run(now).id)
    assert (found.run, found.began, found.ended) == (run(now).id, now, now + timedelta(hours=1))
    assert times(run(now).id) == found


def test_what_another_run_filed_is_not_this_one_s(project: Project, now: datetime) -> None:
    """A calibration that publishes a night again publishes it under the night's id, not under its own."""
    night, later = run(now), run(now + timedelta(days=1), 2)
    with finishing(night):
        file_answers(night, Answers(asked=1))
        times(night.id)
    with being(later):
        found = times(night.id)
        assert (found.run, found.began, found.ended) == (night.id, now, now + timedelta(hours=1))
        assert times("unknown").run == "unknown"


def test_in_a_clone_a_verdict_keeps_its_run(project: Project, now: datetime) -> None:
    """Without private files the run is the one that gate.json names; none where that is damaged."""
    passed(run="theirs", began=now, ended=now)
    assert (times("theirs").run, times("").began) == ("theirs", now)
    files.path(GATE).write_text("{")
    assert times("").run == ""


def test_a_run_inside_a_run_is_that_run(project: Project, now: datetime) -> None:
    """A flow that the command has begun already goes by the command's id, and its end ends nothing yet."""
    with finishing(run(now)):
        with finishing(run(now, 2)):
            assert times("").run == run(now).id
        assert read_gate().word == "incomplete"
    assert not files.private(UNFINISHED).exists()


def test_the_mark_of_another_night_is_left_to_it(project: Project, now: datetime) -> None:
    """Neither a night that finds the lock taken nor one that ended before touches a mark that is not its own."""
    passed()
    with finishing(run(now)):
        mark = files.private(UNFINISHED).read_bytes()
        inside = files.private(UNFINISHED)
    inside.write_bytes(mark)
    with suppress(BusyError), finishing(run(now, 2)):
        raise BusyError("nightly holds the lock")
    assert inside.read_bytes() == mark
    with finishing(run(now, 3)):
        assert inside.read_bytes() == mark
    assert inside.read_bytes() == mark
    with finishing(run(now, 4)) as take_mark:
        take_mark()
        assert json.loads(inside.read_bytes())["run"] == run(now, 4).id
    assert not inside.exists()


def test_a_full_disk_takes_the_earlier_verdict_away(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even the mark can be written the earlier verdict becomes it, so the night is incomplete."""
    passed()

    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(Path, "open", full)
        with finishing(run(now)):
            pass
    assert ask().exit_code == 3
