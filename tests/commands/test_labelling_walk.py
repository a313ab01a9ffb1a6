"""The walk of an evaluation engineer: a night, a draw, labels, another version, another draw; every figure is true."""

import csv
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.commands import label_sampling, labels
from assay.commands.next_step import steps
from assay.errors import DataError
from assay.judges import prompt
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import DRAWS, FRAMES, ITEMS, LABELS, labelling
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.response import Response
from assay.report.correction import TRANSFERRED, WHOLE, Corrected, corrected
from assay.report.judged import Change, change
from tests.cast import Project, case, response, verdict

COUNT = 400
EVERY_CASE = [case(number, turns=[hashlib.sha256(str(number).encode()).hexdigest()]) for number in range(COUNT)]
"""Conversations without a word in common, for what looks alike shares a split."""


class World:
    """A product whose every answer is known to be right or wrong, and a judge that errs."""

    def __init__(self, seed: int) -> None:
        """Begin with a version of which nine of ten answers are right."""
        self.rng = np.random.default_rng(seed)
        self.right = self.rng.random(COUNT) < 0.9
        self.version = np.zeros(COUNT, dtype=int)
        self.said = self._judged(self.right)

    def _judged(self, right: Any) -> Any:
        return np.where(right, self.rng.random(len(right)) < 0.93, self.rng.random(len(right)) < 0.2)

    def change(self, share: float, rate: float) -> None:
        """Give some answers otherwise, right at another rate."""
        moved = self.rng.random(COUNT) < share
        self.version += moved
        self.right = np.where(moved, self.rng.random(COUNT) < rate, self.right)
        self.said = np.where(moved, self._judged(self.right), self.said)

    def answers(self) -> list[Response]:
        """Return the answers, each of which says whether it is right to whoever knows."""
        return [
            response(
                one, f"{'Right' if self.right[number] else 'Wrong'} in version {self.version[number]} of {number}."
            )
            for number, one in enumerate(EVERY_CASE)
        ]

    def words(self, subject: str = "target", flips: float = 0.0) -> list[Any]:
        """Return what the judge says, a part of it turned over."""
        said = self.said ^ (self.rng.random(COUNT) < flips)
        return [
            verdict(one.case_id, "pass" if said[number] else "fail", subject=subject)
            for number, one in enumerate(EVERY_CASE)
        ]

    def anchors(self) -> list[Any]:
        """Return what the judge says of the labelled items."""
        right = np.array([item.response_a.startswith("Right") for item in ITEMS.read()])
        said = self._judged(right)
        return [
            verdict(item.item_id, "pass" if word else "fail", subject="anchor")
            for item, word in zip(ITEMS.read(), said, strict=True)
        ]


@pytest.fixture
def world(project: Project) -> World:
    """A project of four hundred cases that nobody has labelled."""
    ITEMS.file().unlink()
    LABELS.file().unlink()
    CASES.write(EVERY_CASE)
    made = World(3)
    night(made.answers(), made.words())
    return made


def night(answers: Sequence[Response], words: Sequence[Any]) -> None:
    """File a night."""
    RESPONSES.write(answers)
    VERDICTS.write(words)


def label(folder: Path, count: int | None, now: datetime, *, finished: float = 1.0) -> int:
    """Draw so many in all, or what a wide interval takes, and label as people would; return how many were drawn."""
    judge, sheet = prompt.load("correctness"), folder / "sheet.csv"
    made = label_sampling.plan(judge, labels=count, half_width=None if count else 0.2)
    if not label_sampling.draw(made, judge, sheet):
        return 0
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    kept = rows[: round(finished * len(rows))]
    for row in kept:
        row |= {"outcome": "pass" if row["response"].startswith("Right") else "fail", "annotator": "ada"}
    with sheet.open("w", encoding="utf8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    labels.take(sheet, "correctness", "", [], now)
    return len(rows)


def published(draws: int = 4000) -> Corrected:
    """Return the corrected pass rate of the night on file."""
    about, rng = labelling().of("correctness"), np.random.default_rng(1)
    judge = prompt.load("correctness")
    found = corrected(judge, VERDICTS.read(), RESPONSES.read(), about, CASES.read(), rng=rng, draws=draws)
    assert found
    return found


def published_change() -> Change:
    """Return the change of people's pass rate."""
    judge, about = prompt.load("correctness"), labelling().of("correctness")
    found = change(judge, VERDICTS.read(), RESPONSES.read(), BASELINE.read(), about, CASES.read())
    assert found
    return found


def test_a_second_round_after_a_changed_product(world: World, tmp_path: Path, now: datetime) -> None:
    """Labels on unchanged answers count in the second draw, the same cases are drawn, and rate and change are true."""
    assert label(tmp_path, 200, now) == 200
    first, before = published(), world.right.copy()
    assert first.rate
    assert (first.note, first.rate.low <= before.mean() <= first.rate.high) == (WHOLE, True)
    BASELINE.write(RESPONSES.read())
    accepted = world.words("baseline")

    world.change(0.3, 0.4)
    night(world.answers(), [*world.words(), *accepted, *world.anchors()])
    unlabelled = published()
    assert unlabelled.rate
    assert (unlabelled.note, unlabelled.labels > 100) == (TRANSFERRED, True)
    assert unlabelled.rate.low <= world.right.mean() <= unlabelled.rate.high
    assert published_change().note.startswith("of ")

    known = len(DRAWS.read())
    drawn = label(tmp_path, 200, now)
    assert 20 < drawn < 100
    assert len({row.item_id for row in DRAWS.read()}) == known + drawn
    assert [row.round for row in FRAMES.read()] == [1, 2]
    again = published()
    assert again.rate
    assert again.note == WHOLE
    assert again.labels > 100
    assert again.rate.low <= world.right.mean() <= again.rate.high
    told = published_change()
    assert told.rate
    assert told.rate.low <= world.right.mean() - before.mean() <= told.rate.high < 0
    assert 80 < told.changed < 160


def test_what_is_next_after_a_changed_product_is_a_draw(
    world: World, project: Project, tmp_path: Path, now: datetime
) -> None:
    """Whatever its floors need, a few new answers need no draw; more than the labels cover do, until they are drawn."""
    project.params("calibrate", policy={"correctness": {"tpr": 0.5, "tnr": 0.5, "min_rarer": 5, "min_labels": 20}})
    (project.folder / "data/traces/traces.parquet").unlink()  # so that no other judge lacks anything
    draw = "assay labels draw --judge correctness"
    label(tmp_path, 300, now)
    world.change(0.01, 0.5)
    night(world.answers(), world.words())
    assert (published().note, draw in [step.command for step in steps(now)]) == (WHOLE, False)
    world.change(0.2, 0.5)
    night(world.answers(), world.words())
    what = {step.command: step.what for step in steps(now)}
    changed = int((world.version > 0).sum())
    assert what[draw].startswith(f"correctness: {changed} of the {COUNT} answers")
    assert labels.chosen().name == "correctness"
    label(tmp_path, None, now)
    assert (published().note, draw in [step.command for step in steps(now)]) == (WHOLE, False)


def test_labels_enough_are_not_labels_of_what_is_new(world: World, tmp_path: Path, now: datetime) -> None:
    """Where labels of before would do, the answers that have changed since are drawn as often as the others were."""
    label(tmp_path, 300, now)
    world.change(0.1, 0.5)
    night(world.answers(), world.words())
    changed = int((world.version > 0).sum())
    assert changed * 0.5 <= label(tmp_path, None, now) <= changed
    found = published()
    assert found.rate
    assert found.note == WHOLE
    assert found.rate.low <= world.right.mean() <= found.rate.high


def test_a_corrected_reference_is_drawn_again(world: World, tmp_path: Path, now: datetime) -> None:
    """Labels by another reference do not count, the report says how many, and the next draw has those answers."""
    label(tmp_path, 240, now)
    known = {row.item_id for row in LABELS.read() if row.split == "heldout"}
    void = sorted(item.case_id for item in ITEMS.read() if item.item_id in known)[:15]
    cases = [of.model_copy(update={"reference": "Else."}) if of.case_id in void else of for of in EVERY_CASE]
    CASES.write(cases)
    night(
        [row.model_copy(update={"revision": of.revision()}) for row, of in zip(world.answers(), cases, strict=True)],
        world.words(),
    )
    found = published()
    assert (found.void, "the labels of 15 of them" in found.note) == (15, True)
    assert label(tmp_path, None, now) >= 15
    assert published().void == 0


def test_a_round_that_is_lost_is_told(world: World, tmp_path: Path, now: datetime) -> None:
    """Without the frame of a round nobody knows the chances of what it drew: the file is to be restored."""
    label(tmp_path, 100, now)
    FRAMES.file().unlink()
    with pytest.raises(DataError, match=r"frames.jsonl lacks round 1 of correctness.*restore the file from Git"):
        labelling()


def test_a_release_that_changed_a_handful_has_bounds(world: World, tmp_path: Path, now: datetime) -> None:
    """Where few answers changed and fewer are labelled, no more can have changed than those: that is a bound."""
    label(tmp_path, 200, now)
    before = world.right.copy()
    BASELINE.write(RESPONSES.read())
    accepted = world.words("baseline")
    world.change(0.02, 0.3)
    night(world.answers(), [*world.words(), *accepted])
    label(tmp_path, 260, now)
    told = published_change()
    assert told.rate
    assert (told.labels < 10, told.changed < 20) == (True, True)
    assert told.rate.low <= world.right.mean() - before.mean() <= told.rate.high
    assert told.rate.high - told.rate.low <= 2 * told.changed / COUNT


def test_a_judge_that_flips_and_people_who_do_not_finish(world: World, tmp_path: Path, now: datetime) -> None:
    """Two of a hundred verdicts are turned over after the draw, one label of twenty is missing: still these answers."""
    label(tmp_path, 240, now, finished=0.95)
    night(world.answers(), world.words(flips=0.02))
    found = published()
    assert found.rate
    assert (found.note, found.labels > 120) == (WHOLE, True)
    assert found.rate.low <= world.right.mean() <= found.rate.high


def test_people_who_are_split_count_as_they_are(world: World, tmp_path: Path, now: datetime) -> None:
    """A second annotator who fails every tenth answer moves the rate by half of that, and the report says so."""
    label(tmp_path, 300, now)
    before = published()
    second = [
        row.model_copy(update={"annotator": "ben", "outcome": "fail" if number % 10 == 0 else row.outcome})
        for number, row in enumerate(LABELS.read())
    ]
    LABELS.write(sorted([*LABELS.read(), *second], key=lambda row: (row.item_id, row.annotator)))
    after = published()
    assert before.rate
    assert after.rate
    assert (before.split, after.labels) == (0, before.labels)
    assert 0.06 * after.labels < after.split < 0.14 * after.labels
    assert 0.02 < before.rate.estimate - after.rate.estimate < 0.08


def test_labels_of_before_stand_for_themselves(world: World, tmp_path: Path, now: datetime) -> None:
    """Labels that no round has drawn count in the next one: each for itself, the rest for the rest."""
    label(tmp_path, 150, now)
    FRAMES.file().unlink()
    DRAWS.write([row.model_copy(update={"round": 0}) for row in DRAWS.read()])
    assert published().note == WHOLE  # the frame of before is tonight's, by its size and word for word
    world.change(0.2, 0.5)
    night(world.answers(), world.words())
    label(tmp_path, 250, now)
    found = published()
    assert found.rate
    assert found.note == WHOLE
    assert found.rate.low <= world.right.mean() <= found.rate.high
