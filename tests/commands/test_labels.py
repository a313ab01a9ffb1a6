"""Labels: drawn within what the judge said, shown without it, and taken back with how they were drawn."""

import csv
import hashlib
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from assay.commands import labels
from assay.errors import DataError, InsufficientDataError
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import DRAWS, ITEMS, LABELS
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.report.correction import WHOLE, corrected
from tests.cast import Project, case, response, verdict

EVERY_CASE = [case(number, turns=[hashlib.sha256(str(number).encode()).hexdigest()]) for number in range(400)]
"""Conversations without a word in common, for what looks alike shares a split."""
FAILS = 80
"""Of 400 answers the judge fails every fifth."""


def word(number: int) -> str:
    """Return what the judge says of an answer."""
    return "fail" if number % 5 == 0 else "pass"


@pytest.fixture
def night(project: Project) -> Project:
    """Four hundred different answers, all judged; nobody has labelled anything yet."""
    ITEMS.file().unlink()
    LABELS.file().unlink()
    CASES.write(EVERY_CASE)
    RESPONSES.write([response(one, f"Answer {number} to Cleo.") for number, one in enumerate(EVERY_CASE)])
    VERDICTS.write([verdict(one.case_id, word(number)) for number, one in enumerate(EVERY_CASE)])
    return project


def drawn(count: int, file: Path) -> labels.Plan:
    """Plan and draw so many labels in all."""
    made = labels.plan(0.05, count)
    labels.draw(made, file)
    return made


def filled(file: Path, annotator: str = "ada") -> Path:
    """Fill a sheet as a person would who passes every answer with an even number."""
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    for row in rows:
        number = int(row["response_a"].split()[1])
        row["outcome"], row["annotator"] = "pass" if number % 2 == 0 else "fail", annotator
    with file.open("w", encoding="utf8", newline="") as sheet:
        writer = csv.DictWriter(sheet, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_without_a_judged_answer_there_is_nothing_to_draw(project: Project) -> None:
    """A plan before the first night says what to run."""
    CASES.write(EVERY_CASE[:1])
    RESPONSES.write([response(EVERY_CASE[0])])
    VERDICTS.write([])
    with pytest.raises(InsufficientDataError, match="assay nightly"):
        labels.plan(0.05, None)


def test_an_answer_that_nobody_has_judged_since_is_not_drawn(night: Project) -> None:
    """A case that asks else, or whose expectation was corrected, waits for the night that asks and scores it."""
    first, second, *rest = EVERY_CASE
    changed = [first.model_copy(update={"turns": ["Else?"]}), second.model_copy(update={"reference": "Else."})]
    CASES.write([*changed, *rest])
    assert [one.case.case_id for one in labels.tonight()] == [one.case_id for one in rest]


def test_an_impossible_precision_is_refused(night: Project) -> None:
    """Not even a label on every answer gives half a point: the sentence says so instead of a number."""
    with pytest.raises(InsufficientDataError, match="labels on all 400"):
        labels.plan(0.005, None)


def test_the_rarer_verdict_is_drawn_more_often(night: Project) -> None:
    """Of 90 labels the judge's 80 fails of 400 get a third, for sqrt(80) : sqrt(320) is 1 : 2."""
    made = labels.plan(0.05, 90)
    assert (made.judged, made.more) == ({"pass": 320, "fail": FAILS}, {"pass": 60, "fail": 30})
    assert labels.plan(0.05, None).needed


def test_what_people_see_holds_no_verdict(night: Project, tmp_path: Path) -> None:
    """The sheet has neither a verdict nor its stratum, and the order of the rows tells nothing either."""
    drawn(90, tmp_path / "sheet.csv")
    rows = list(csv.DictReader((tmp_path / "sheet.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 90
    assert not {"verdict", "stratum", "judge", "score", "category", "slice"} & rows[0].keys()
    places = [place for place, row in enumerate(rows) if int(row["item_id"].split("-")[1][:3]) % 5 == 0]
    assert 20 < np.mean(places) < 69


def test_a_second_draw_takes_others_and_raises_every_chance(night: Project, tmp_path: Path) -> None:
    """Drawn in two goes, every item of a verdict has the one chance that both goes together gave, labels included."""
    drawn(90, tmp_path / "first.csv")
    labels.take(filled(tmp_path / "first.csv"), "", [], datetime.fromisoformat("2026-11-03T00:00:00+00:00"))
    drawn(150, tmp_path / "second.csv")
    draws = DRAWS.read()
    assert len({one.item_id for one in draws}) == len(draws) == 150
    counts = Counter(one.stratum for one in draws)
    chances = {(one.stratum, round(one.inclusion_probability, 9)) for one in draws}
    assert chances == {("pass", round(counts["pass"] / 320, 9)), ("fail", round(counts["fail"] / FAILS, 9))}
    assert {round(row.inclusion_probability or 0, 9) for row in LABELS.read()} == {chance for _, chance in chances}


def test_labels_come_back_with_how_they_were_drawn(night: Project, tmp_path: Path, now: datetime) -> None:
    """Frame, stratum and chance are those of the draw, answers to one case share a split, and so do all annotators."""
    made = drawn(120, tmp_path / "sheet.csv")
    assert labels.take(filled(tmp_path / "sheet.csv"), "", [], now)[0] == 120
    assert labels.take(filled(tmp_path / "sheet.csv", "ben"), "", [], now)[0] == 120
    rows = LABELS.read()
    assert {row.sampling_frame for row in rows} == {made.frame}
    assert {row.stratum for row in rows} == {"pass", "fail"}
    assert len({(row.item_id, row.split) for row in rows}) == 120


def test_labels_from_the_plan_carry_the_corrected_rate(night: Project, tmp_path: Path, now: datetime) -> None:
    """What was drawn from tonight's answers is seen to be so: double sampling, and no transfer from elsewhere."""
    drawn(300, tmp_path / "sheet.csv")
    labels.take(filled(tmp_path / "sheet.csv"), "", [], now)
    found = corrected(
        VERDICTS.read(),
        RESPONSES.read(),
        ITEMS.read(),
        LABELS.read(),
        CASES.read(),
        rng=np.random.default_rng(1),
        draws=2000,
    )
    assert found
    assert found.rate
    assert found.note == WHOLE
    assert found.rate.low < 0.5 < found.rate.high


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"item_id": "refunds-999.0"}, "is not in data/labels/items.jsonl"),
        ({"outcome": "a"}, "the label is a, expected one of pass, fail"),
    ],
)
def test_a_label_that_fits_no_item_is_refused(
    night: Project, tmp_path: Path, now: datetime, change: dict[str, str], sentence: str
) -> None:
    """An unknown item or an outcome of the other question is named with its row, and nothing is written."""
    drawn(60, tmp_path / "sheet.csv")
    file = filled(tmp_path / "sheet.csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf8").splitlines()))
    rows[3] |= change
    with file.open("w", encoding="utf8", newline="") as sheet:
        writer = csv.DictWriter(sheet, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    before = night.files()
    with pytest.raises(DataError, match=sentence):
        labels.take(file, "", [], now)
    assert night.files() == before


def test_nobody_labels_an_item_twice(night: Project, tmp_path: Path, now: datetime) -> None:
    """The same sheet taken in again is refused, whoever sends it."""
    drawn(60, tmp_path / "sheet.csv")
    labels.take(filled(tmp_path / "sheet.csv"), "", [], now)
    with pytest.raises(DataError, match="ada has labelled"):
        labels.take(tmp_path / "sheet.csv", "", [], now)
