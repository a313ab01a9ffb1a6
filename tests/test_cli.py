"""The command: quick to explain itself, one sentence for an error, the verdict as exit code."""

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.accept import admit
from assay.errors import DataError, InsufficientDataError
from assay.project import files
from assay.project.results import GATE, finishing
from assay.project.run_id import new_run
from assay.report.gate import EXIT, Gate
from assay.stages import review
from tests.cast import Project, case
from tests.layout import ROOT

SLOW = """
import signal, time
from assay.cli.app import app, command

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background

@command("slow")
def slow():
    print("begun", flush=True)
    time.sleep(60)

app(["slow"])
"""


def cpu_s(*words: str) -> float:
    """Return the CPU seconds of a Python process, the least of five."""
    used = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(used)


def test_help_is_quick() -> None:
    """`assay --help` takes at most ten times the CPU of a bare interpreter: nothing heavy is imported."""
    assert cpu_s("-m", "assay.cli.main", "--help") <= 10 * cpu_s("-c", "pass")


def test_every_command_says_what_it_does_in_a_line() -> None:
    """Nobody has to open a command's own help to learn what it is for: no line of the list is cut."""
    shown = CliRunner().invoke(app, ["--help"]).output.partition("Commands:")[2].splitlines()
    assert [line for line in shown if (line and not line.endswith(".")) or "..." in line] == []


@pytest.mark.parametrize("word", sorted(EXIT))
def test_gate_exits_with_the_verdict(project: Project, word: str) -> None:
    """`assay gate` exits with the code of the last run's verdict, and says it as JSON on request."""
    gate = Gate(word=word, reason="r", next="n", sentence="A sentence.")  # type: ignore[arg-type]
    files.write_json(GATE, gate.model_dump())
    plain, as_json = CliRunner().invoke(app, ["gate"]), CliRunner().invoke(app, ["gate", "--json"])
    assert (plain.exit_code, as_json.exit_code) == (EXIT[gate.word], EXIT[gate.word])
    assert plain.output.startswith("A sentence.")
    assert json.loads(as_json.output)["word"] == word


def test_gate_without_a_run_is_bad_input(project: Project) -> None:
    """Without a run there is no verdict: exit code 2 and what to run."""
    done = CliRunner().invoke(app, ["gate"])
    assert done.exit_code == 2
    assert "run `assay nightly`" in done.output


@pytest.mark.parametrize(
    "name", ["gate", "status", "nightly", "grow", "monitor", "doctor", "desk", "health", "lock", "cases"]
)
def test_outside_a_project_every_command_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In a folder that is no project a command is refused in a sentence that names `assay init`, nothing written."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [name])
    assert done.exit_code == 2
    assert "`assay init FOLDER`" in done.output
    assert list(tmp_path.iterdir()) == []


def test_in_a_folder_of_a_project_the_project_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stands in data/ is told where the project is."""
    monkeypatch.chdir(project.folder / "data")
    assert f"{project.folder} is one" in CliRunner().invoke(app, ["status"]).output


def test_an_error_that_nobody_foresaw_is_no_verdict(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug exits 70, says in a sentence where its traceback is, and never looks like a regression."""
    monkeypatch.setattr("assay.commands.status.status", lambda: 1 // 0)
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 70
    named = Path(done.output.rpartition("The traceback is in ")[2].strip())
    assert "ZeroDivisionError" in named.read_text(encoding="utf8")
    named.unlink()


def test_a_night_that_did_not_end_has_no_verdict(project: Project, now: datetime) -> None:
    """Whatever stops a night, `assay gate` says incomplete and why, until a night has ended well; never yesterday's."""
    gate = Gate(word="pass", reason="r", next="n", sentence="PASS.")
    files.write_json(GATE, gate.model_dump())
    for error in (DataError("the product is gone"), KeyboardInterrupt(), OSError("disk full"), SystemExit(143)):
        with suppress(BaseException), finishing(new_run(lambda: now, bytes)):
            raise error
        done = CliRunner().invoke(app, ["gate"])
        assert done.exit_code == EXIT["incomplete"]
        assert str(error) in done.output
    with finishing(new_run(lambda: now, bytes)):
        pass
    assert CliRunner().invoke(app, ["gate"]).exit_code == EXIT["pass"]


def test_a_night_says_what_its_set_does_not_have(project: Project, now: datetime) -> None:
    """A corrected case that was imported is told at the end of each night, with the command that takes it in."""
    review.run()
    (project.folder / "flows").mkdir()
    (project.folder / "flows/__init__.py").write_text("")
    (project.folder / "flows/nightly.py").write_text("class nightly:\n    fn = staticmethod(lambda *words: None)\n")
    files.write_json(GATE, Gate(word="pass", reason="r", next="n", sentence="PASS.").model_dump())
    assert "not in the set yet" not in CliRunner().invoke(app, ["nightly"]).output
    admit([case(1).model_copy(update={"reference": "Within 30 days."})], "ada", "imported", now)
    done = CliRunner().invoke(app, ["nightly"])
    assert (done.exit_code, "1 changed case; `assay grow` or `assay repro review`" in done.output) == (0, True), (
        done.output
    )
    told = json.loads(CliRunner().invoke(app, ["nightly", "--json"]).output)
    assert told["decided"] == {"new": 0, "changed": 1, "retired": 0}
    assert "decided" not in json.loads(CliRunner().invoke(app, ["gate", "--json"]).output)
    review.run()
    assert "not in the set yet" not in CliRunner().invoke(app, ["nightly"]).output


def test_a_refused_night_has_no_verdict(project: Project) -> None:
    """A night that is refused before it asks anybody leaves no earlier verdict standing for it."""
    project.open_doors()
    files.write_json(GATE, Gate(word="pass", reason="r", next="n", sentence="PASS.").model_dump())
    project.params("judge", speed=9)
    assert CliRunner().invoke(app, ["nightly"]).exit_code == 2
    done = CliRunner().invoke(app, ["gate"])
    assert done.exit_code == EXIT["incomplete"]
    assert "judge.speed" in done.output


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_no_verdict(project: Project, sent: signal.Signals, code: int) -> None:
    """Interrupted or terminated, a command exits with the signal's code, never with that of a regression."""
    command = [sys.executable, "-c", SLOW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout
        assert run.stdout.readline() == "begun\n"
        run.send_signal(sent)
        said = run.communicate(timeout=30)[1]
        assert (run.returncode, said.count("\n"), "goes on from there" in said) == (code, 1, True)


@pytest.mark.parametrize("words", [["doctor"], ["status"], ["runs"], ["gate"], ["gate", "--json"]])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_is_no_bug(project: Project, words: list[str], stream: str) -> None:
    """Whoever stops reading, as `| head` does, ends the command with the code of a broken pipe and without a word."""
    gate = Gate(word="pass", reason="r", next="n", sentence="PASS.")
    files.write_json(GATE, gate.model_dump())
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from assay.cli.main import app; app()", *words]
    streams = {"stdout": writer, "stderr": subprocess.PIPE if stream == "stdout" else writer}
    done = subprocess.run(command, **streams, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})
    os.close(writer)
    assert done.returncode == 141
    assert not done.stderr


def test_another_broken_pipe_is_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that breaks elsewhere while somebody reads what is printed is told as the error that it is."""

    def broken() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("assay.commands.status.status", broken)
    done = CliRunner().invoke(app, ["status"])
    assert (done.exit_code, "BrokenPipeError" in done.output) == (70, True)
    Path(done.output.rpartition("The traceback is in ")[2].strip()).unlink()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("flows/nightly.py", "def broken(:", "SyntaxError"), ("tasks/judge.py", None, "No module named 'tasks.judge'")],
)
def test_a_flow_that_cannot_be_loaded_is_named(project: Project, name: str, text: str | None, said: str) -> None:
    """A fault of the project's own flow is one sentence and bad input, whatever Python calls it."""
    project.open_doors()
    if text is None:
        (project.folder / name).unlink()
    else:
        (project.folder / name).write_text(text)
    done = CliRunner().invoke(app, ["nightly"])
    assert done.exit_code == 2
    assert said in done.output
    assert done.output.count("\n") == 1


def test_outside_a_project_is_one_sentence(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is no project every command is refused in one sentence."""
    monkeypatch.chdir(str(tmp_path))
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 2
    assert done.output.count("\n") == 1
    assert "has no params.yaml" in done.output


def test_an_unknown_command_is_a_usage_error() -> None:
    """A word that is no command exits 2, as everywhere."""
    assert CliRunner().invoke(app, ["nigthly"]).exit_code == 2


def test_status_as_json(project: Project) -> None:
    """`assay status --json` is one JSON object with coverage by category."""
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).output)
    assert [row["category"] for row in found["coverage"]] == ["escalation", "refunds"]


def test_judges_refused_for_one_reason_are_told_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges that cannot be calibrated for one and the same reason are named in one line, with exit code 2."""

    def refused(judge: str, *_: object) -> None:
        raise InsufficientDataError("label more" if judge != "tone" else "label all")

    monkeypatch.setattr("assay.stages.calibrate.chosen", lambda _: ["a", "tone", "b"])
    monkeypatch.setattr("assay.cli.main.load", lambda _: SimpleNamespace(calibrate=SimpleNamespace(fn=refused)))
    result = CliRunner().invoke(app, ["calibrate"])
    assert result.exit_code == 2
    assert result.stderr.splitlines() == ["assay: a, b: label more", "assay: tone: label all"]
