"""Next: at every moment of a project's first weeks, what is missing and the one command that brings it."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.next_step import least, lines, steps
from assay.project import files
from assay.project.results import GATE
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import DRAWS, ITEMS, LABELS
from assay.project.tables.responses import BASELINE
from assay.stages import calibrate, publish
from tests.cast import Project, case, label
from tests.nights import EVERY_CASE, good_night

EASY = {"tpr": 0.5, "tnr": 0.5, "min_rarer": 5, "min_labels": 20}
"""Floors for which few labels suffice."""


def commands(now: datetime) -> list[str]:
    """Return the commands that are proposed, in order."""
    return [step.command for step in steps(now)]


def test_before_the_first_case_a_case_is_missing(project: Project, now: datetime) -> None:
    """A project without cases is told to bring some, or to take in what people have decided, and nothing further."""
    assert commands(now) == ["assay grow"]
    DECISIONS.file().unlink()
    assert commands(now) == ["assay import cases.yaml --reviewer NAME"]
    assert project.folder.is_dir()


def test_before_the_first_night_a_night_is_missing(project: Project, now: datetime) -> None:
    """With cases and without an answer the product is to be asked."""
    CASES.write(EVERY_CASE)
    assert commands(now) == ["assay nightly"]
    assert project.folder.is_dir()


def test_labels_are_counted_against_what_the_floors_need(project: Project, now: datetime) -> None:
    """Without a label the step says how many the floors need, and draws them; what is drawn waits at the desk."""
    night = good_night()
    ITEMS.file().unlink()
    LABELS.file().unlink()
    night.anchors = []
    night.lose(40)
    assert night.publish(now, is_certified=False).word == "uncalibrated"
    (first, *_) = steps(now)
    assert first.what.startswith("correctness: 0 of about 50 held-out labels that its floors need, 0 of 20 fails")
    words = first.command.split()
    assert (words[:5], int(words[-1]) > 80) == (["assay", "labels", "draw", "--judge", "correctness"], True)
    assert CliRunner().invoke(app, words[1:]).exit_code == 0
    assert commands(now)[0] == "assay desk"
    assert len(DRAWS.read()) == int(words[-1])
    assert project.folder.is_dir()


def test_labels_that_suffice_are_calibrated(project: Project, now: datetime) -> None:
    """With labels enough and no certificate the judge is to be calibrated; with one nothing of it is missing."""
    night = good_night()
    night.publish(now, is_certified=False)
    assert commands(now)[0] == "assay calibrate --judge correctness"
    calibrate.run(now)
    assert publish.run(now)[0].word == "pass"
    assert steps(now) == []
    assert lines([])[0].startswith("Nothing is missing")
    held = json.loads(Path("data/calibration/correctness.json").read_text())
    assert commands(datetime.fromisoformat(held["expires"]))[0] == "assay calibrate --judge correctness"
    assert project.folder.is_dir()


def test_a_judge_that_misses_its_floors_is_to_be_improved(project: Project, now: datetime) -> None:
    """Where labels suffice and floors are missed, the figures are named, and no more labels are asked for."""
    project.params("calibrate", policy={"correctness": EASY | {"youden": 0.99}})
    good_night().publish(now)
    (first, *_) = steps(now)
    assert first.what.startswith("correctness: its labels suffice, and it misses youden")
    assert first.command == "assay judges compare correctness OTHER"
    assert project.folder.is_dir()


def test_new_labels_are_calibrated_before_a_judge_is_improved(project: Project, now: datetime) -> None:
    """A refusal that rests on other labels than those on file says nothing of them: the judge is calibrated again."""
    project.params("calibrate", policy={"correctness": EASY | {"youden": 0.99}})
    good_night().publish(now)
    file = Path("data/calibration/correctness.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"labels": "0" * 16}))
    assert commands(now)[0] == "assay calibrate --judge correctness"
    assert project.folder.is_dir()


def test_labels_that_a_certificate_does_not_count_may_decide(project: Project, now: datetime) -> None:
    """Where the last verdict is inconclusive, labels that came in since the certificate are counted first."""
    good_night().publish(now)
    file = Path("data/calibration/correctness.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"labels": "0" * 16}))
    assert commands(now) == []
    gate = json.loads(files.path(GATE).read_text())
    files.path(GATE).write_text(json.dumps(gate | {"word": "inconclusive"}))
    assert commands(now)[0] == "assay calibrate --judge correctness"
    assert project.folder.is_dir()


def test_a_judge_of_few_cases_is_told_that_they_cannot_do(project: Project, now: datetime) -> None:
    """Where all that a judge judged is drawn and its floors need more, another night brings nothing: cases would."""
    project.params("calibrate", policy={"correctness": {"min_labels": 5000}})
    good_night().publish(now, is_certified=False)
    (first, *_) = steps(now)
    assert "they will hardly do" in first.what
    assert CliRunner().invoke(app, first.command.split()[1:]).exit_code == 0
    for table in (DRAWS, ITEMS):
        assert table.read()
    labelled = {row.item_id for row in LABELS.read()}
    LABELS.write([*LABELS.read(), *(label(row.item_id, "pass") for row in ITEMS.read() if row.item_id not in labelled)])
    (first, *_) = steps(now)
    assert (first.command, "blocks: false" in first.what) == ("assay import FILE --reviewer NAME", True)


def test_what_was_mended_since_the_verdict_takes_a_night(project: Project, now: datetime) -> None:
    """Once the judge that lacked a certificate no longer blocks, the last verdict is out of date, not right."""
    good_night().publish(now, is_certified=False)
    file = Path("data/judges/correctness/judge.yaml")
    file.write_text(file.read_text() + "blocks: false\n")
    assert commands(now)[0] == "assay nightly"
    assert project.folder.is_dir()


def test_a_set_that_changed_takes_a_night(project: Project, now: datetime) -> None:
    """A passing verdict of before a case came or went is no verdict of the set."""
    good_night().publish(now)
    assert steps(now) == []
    there = CASES.read()
    for cases in ([*there, case(999)], there[1:]):
        CASES.write(cases)
        assert commands(now)[:1] == ["assay nightly"]
    assert project.folder.is_dir()


def test_without_a_baseline_one_is_accepted(project: Project, now: datetime) -> None:
    """Before anything was accepted there is nothing to compare with."""
    night = good_night()
    night.publish(now)
    BASELINE.file().unlink()
    assert "assay accept" in commands(now)
    assert project.folder.is_dir()


def test_the_verdict_s_own_advice_comes_last(project: Project, now: datetime) -> None:
    """A regression keeps the gate's own next step; without a verdict the night is to be run."""
    night = good_night()
    night.lose(30)
    night.publish(now)
    assert "assay cases --failing" in steps(now)[-1].command
    files.path(GATE).unlink()
    assert commands(now)[-1] == "assay nightly"
    assert project.folder.is_dir()


@pytest.mark.parametrize(("floor", "n"), [(0.8, 50), (0.6, 11), (0.9, 300)])
def test_how_many_labels_a_floor_takes(floor: float, n: int) -> None:
    """The lower bound of Wilson's interval reaches the floor at so many labels, about, and not below."""
    found = least(floor, 0.92)
    assert 0.5 * n <= found <= 1.5 * n


def test_as_json_each_step_has_its_command(project: Project, now: datetime) -> None:
    """Machines get every step with its command; nothing is written."""
    night = good_night()
    night.publish(now, is_certified=False)
    before = project.files()
    done = CliRunner().invoke(app, ["next", "--json"])
    assert [set(row) for row in json.loads(done.stdout)] == [{"what", "command"}] * len(json.loads(done.stdout))
    assert project.files() == before
