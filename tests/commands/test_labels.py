"""Labels: taken back from files and from the desk, each for its judge, in its words, with how its item was drawn."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands import label_sampling, labels
from assay.errors import ConfigError, DataError
from assay.judges import prompt
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ANSWERS, DRAWS, ITEMS, LABELS, labelling
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.label import Answer, Draw
from tests.cast import AT, Project, case, item, label, response, verdict
from tests.handouts import KINDS, fill
from tests.judges_made import LABELS_OF_TONE, SCORE, made

CASE = case(1)
SAMPLE = [case(number, turns=[f"{number} {'x' * number}"]) for number in range(1, 41)]


@pytest.fixture
def shop(project: Project) -> Project:
    """Forty answers that correctness, tone (labels) and depth (a score) have judged; nothing is labelled."""
    ITEMS.file().unlink()
    LABELS.file().unlink()
    made(project.folder, "tone", **LABELS_OF_TONE)
    made(project.folder, "depth", **SCORE)
    CASES.write(SAMPLE)
    RESPONSES.write([response(one, f"Answer {one.case_id}.") for one in SAMPLE])
    rows = []
    for number, one in enumerate(SAMPLE):
        outcome = "pass" if number % 2 else "fail"
        rows += [
            verdict(one.case_id, outcome),
            verdict(one.case_id, outcome, scorer="tone", label="warm" if number % 2 else "cold"),
        ]
        rows += [verdict(one.case_id, outcome, scorer="depth", label="4" if number % 2 else "2")]
    VERDICTS.write(rows)
    return project


def drawn(judge: str, file: Path | None = None, count: int = 10) -> None:
    """Draw so many answers for a judge."""
    of = prompt.load(judge)
    label_sampling.draw(label_sampling.plan(of, labels=count), of, file)


def sheet(folder: Path, *rows: dict[str, Any]) -> Path:
    """Write rows as JSON Lines."""
    file = folder / "said.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def test_a_label_of_no_item_is_refused(shop: Project, tmp_path: Path, now: datetime) -> None:
    """An item that is not on file is named with its row, and nothing is written."""
    drawn("correctness")
    before = shop.files()
    with pytest.raises(DataError, match=r"row 1: item 'x' is not in data/labels/items.jsonl.*assay labels draw"):
        labels.take(sheet(tmp_path, {"item_id": "x", "outcome": "pass"}), "", "ada", [], now)
    assert shop.files() == before


@pytest.mark.parametrize(
    ("judge", "said", "legal"),
    [
        ("correctness", "a", "pass, fail"),
        ("tone", "pass", "warm, neutral, cold"),
        ("depth", "6", "1 to 5"),
        ("depth", "4.5", "1 to 5"),
    ],
)
def test_a_word_outside_of_the_scale_is_refused(
    shop: Project, tmp_path: Path, now: datetime, judge: str, said: str, legal: str
) -> None:
    """A word that the judge could not say is refused with its row and the legal words, and nothing is written."""
    drawn(judge)
    name = ITEMS.read()[0].item_id
    before = shop.files()
    with pytest.raises(DataError, match=rf"row 1: the label is '{said}', expected one of {legal}: .*--map"):
        labels.take(sheet(tmp_path, {"item_id": name, "outcome": said}), judge, "ada", [], now)
    assert shop.files() == before


def test_a_meaning_that_no_judge_says_is_refused(shop: Project, tmp_path: Path, now: datetime) -> None:
    """What --map gives as a meaning has to be a word of the judge's scale."""
    drawn("tone")
    file = sheet(tmp_path, {"item_id": ITEMS.read()[0].item_id, "outcome": "warm"})
    with pytest.raises(ConfigError, match=r"--map has 'good=pass', expected WORD=LABEL with a label of tone"):
        labels.take(file, "tone", "ada", ["good=pass"], now)


def test_whose_question_it_is_has_to_be_clear(shop: Project, tmp_path: Path, now: datetime) -> None:
    """An item of two judges, a row that names another one than the command, an answer for a judge of pairs: refused."""
    drawn("correctness", count=40)
    drawn("tone", count=40)
    row = {"item_id": ITEMS.read()[0].item_id, "outcome": "pass"}
    with pytest.raises(DataError, match=r"labelled for 2 judges \(correctness, tone\).*--judge"):
        labels.take(sheet(tmp_path, row), "", "ada", [], now)
    with pytest.raises(DataError, match=r"the judge is 'tone', expected correctness"):
        labels.take(sheet(tmp_path, row | {"judge": "tone"}), "correctness", "ada", [], now)
    with pytest.raises(DataError, match="is one answer, and preference judges pairs"):
        labels.take(sheet(tmp_path, row), "preference", "ada", [], now)
    with pytest.raises(ConfigError, match="judge 'style' has no"):
        labels.take(sheet(tmp_path, row), "style", "ada", [], now)
    assert not LABELS.exists()


def test_nobody_labels_an_item_twice_for_a_judge(shop: Project, tmp_path: Path, now: datetime) -> None:
    """The same label again is nothing new, another one is refused with its row; another judge's question is another."""
    drawn("correctness", count=40)
    drawn("tone", count=40)
    row = {"item_id": ITEMS.read()[0].item_id, "outcome": "pass"}
    assert labels.take(sheet(tmp_path, row), "correctness", "ada", [], now)[0] == 1
    before = shop.files()
    assert labels.take(sheet(tmp_path, row), "correctness", "ada", [], now) == (0, [], 1)
    other = sheet(tmp_path, {"item_id": ITEMS.read()[1].item_id, "outcome": "pass"}, row | {"outcome": "fail"})
    with pytest.raises(DataError, match="row 2: ada has labelled .* for correctness before, as pass, and says fail"):
        labels.take(other, "correctness", "ada", [], now)
    assert shop.files() == before
    assert labels.take(sheet(tmp_path, row | {"outcome": "cold"}), "tone", "ada", [], now)[0] == 1
    assert [(one.judge, one.outcome, one.label) for one in LABELS.read()] == [
        ("correctness", "pass", ""),
        ("tone", "fail", "cold"),
    ]
    assert len({one.split for one in LABELS.read()}) == 1
    warmer = sheet(tmp_path, row | {"outcome": "neutral"})
    with pytest.raises(DataError, match="for tone before, as cold, and says neutral"):
        labels.take(warmer, "tone", "ada", [], now)


def test_a_sheet_that_was_completed_brings_what_is_new(shop: Project, tmp_path: Path, now: datetime) -> None:
    """A sheet that is imported half done and again when it is done adds the rest; a third time nothing, and says so."""
    file = tmp_path / "sheet.jsonl"
    drawn("correctness", file)
    rows = [json.loads(line) | {"outcome": "pass", "annotator": "ada"} for line in file.read_text().splitlines()]
    assert labels.take(sheet(tmp_path, *rows[:4]), "", "", [], now) == (4, [], 0)
    assert labels.take(sheet(tmp_path, *rows), "", "", [], now) == (6, [], 4)
    before = LABELS.file().read_bytes()
    assert told("labels", "import", str(sheet(tmp_path, *rows))) == (0, "10 labels, 0 new.\n")
    assert LABELS.file().read_bytes() == before


def test_a_label_bears_the_rubric_that_people_were_shown(shop: Project, tmp_path: Path, now: datetime) -> None:
    """A rubric that changes between draw and import is not the one of the labels, however a tool broke its lines."""
    file, rubric = tmp_path / "sheet.jsonl", shop.folder / "data/judges/correctness/rubric.md"
    drawn("correctness", file, count=2)
    first, second = [json.loads(line) | {"outcome": "pass"} for line in file.read_text().splitlines()]
    old = prompt.load("correctness").rubric_version
    first["rubric"] = first["rubric"].replace("\n", "\r\n")
    labels.take(sheet(tmp_path, first), "", "ada", [], now)
    rubric.write_text(f"{rubric.read_text()}\n4. It is kind.\n")
    labels.take(sheet(tmp_path, second), "", "ada", [], now)
    labels.take(sheet(tmp_path, {"item_id": second["item_id"], "outcome": "pass"}), "", "ben", [], now)
    assert {row.annotator: row.rubric_version for row in LABELS.read() if row.item_id == second["item_id"]} == {
        "ada": old,
        "ben": prompt.load("correctness").rubric_version,
    }
    assert {row.rubric_version for row in LABELS.read() if row.item_id == first["item_id"]} == {old}


def test_a_label_of_before_is_one_of_its_kind_s_judge(shop: Project, tmp_path: Path, now: datetime) -> None:
    """Who has labelled an item before labels named a judge says nothing new of it, and nothing else, for that judge."""
    one = item(1, "Yes.")
    ITEMS.write([one])
    LABELS.write([label(one.item_id, "pass")])
    assert labels.take(sheet(tmp_path, {"item_id": one.item_id, "outcome": "pass"}), "", "ada", [], now) == (0, [], 1)
    with pytest.raises(DataError, match="ada has labelled .* for correctness before"):
        labels.take(sheet(tmp_path, {"item_id": one.item_id, "outcome": "fail"}), "", "ada", [], now)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("judge", "said", "outcome", "own"),
    [("correctness", "fail", "fail", ""), ("tone", "neutral", "pass", "neutral"), ("depth", "3", "fail", "3")],
)
def test_labels_come_back_with_judge_and_draw(
    shop: Project, tmp_path: Path, now: datetime, name: str, judge: str, said: str, outcome: str, own: str
) -> None:
    """From every tool's file: judge, its own word, whether that passes, and how the item was drawn."""
    drawn(judge, tmp_path / name)
    assert labels.take(fill(tmp_path / name, outcome=said), "", "", [], now) == (10, [], 0)
    rows = LABELS.read()
    draws = {row.item_id: row for row in DRAWS.read()}
    assert {(row.judge, row.outcome, row.label, row.annotator) for row in rows} == {
        (judge, outcome, own, "ada-lovelace")
    }
    assert all(
        (row.sampling_frame, row.stratum, row.inclusion_probability)
        == (draws[row.item_id].frame, draws[row.item_id].stratum, draws[row.item_id].inclusion_probability)
        for row in rows
    )
    assert {row.rubric_version for row in rows} == {prompt.load(judge).rubric_version}


def test_words_are_told_with_map_on_any_scale(shop: Project, tmp_path: Path, now: datetime) -> None:
    """A tool's own words stand for labels and numbers, in any case; one that stands for none is counted."""
    drawn("depth", count=3)
    names = [one.item_id for one in ITEMS.read()]
    rows = [{"item_id": name, "outcome": said} for name, said in zip(names, ("Deep", "2.0", "skip"), strict=True)]
    count, left_out, _ = labels.take(sheet(tmp_path, *rows), "depth", "ada", ["deep=5", "skip=unscored"], now)
    assert (count, len(left_out)) == (2, 1)
    assert [(one.label, one.outcome) for one in LABELS.read()] == [("5", "pass"), ("2", "fail")]


def answered(name: str, who: str, outcome: str, **changes: Any) -> None:
    """Let somebody answer at the desk."""
    row = {"item_id": name, "annotator": who, "outcome": outcome, "shown": "x", "is_swapped": False}
    marked = {"spans": [{"start": 0, "end": 5}], "note": "", "seconds": 2.0, "answered_at": AT}
    ANSWERS.append([Answer.model_validate(row | marked | changes)])


def test_the_desk_hands_over_judge_by_judge(shop: Project) -> None:
    """Of an item with two judges what is complete for one becomes labels; the other's answers wait."""
    drawn("correctness", count=40)
    drawn("tone", count=40)
    name = ITEMS.read()[0].item_id
    answered(name, "ann", "pass", judge="correctness")
    answered(name, "ben", "pass", judge="correctness")
    answered(name, "ann", "fail", judge="tone", label="cold")
    assert labels.hand_over() == 2
    assert {(one.judge, one.annotator) for one in LABELS.read()} == {("correctness", "ann"), ("correctness", "ben")}
    answered(name, "ben", "fail", judge="tone", label="cold")
    assert labels.hand_over() == 2
    of_tone = labelling().of("tone").labels
    assert {(one.outcome, one.label, one.spans[0].end) for one in of_tone} == {("fail", "cold", 5)}
    assert labels.hand_over() == 0


def test_answers_of_before_are_handed_over_too(shop: Project) -> None:
    """A row of the desk's log that names no judge is of its kind's, as its draw is."""
    one = item(1, "Yes.")
    ITEMS.write([one])
    DRAWS.write([Draw(item_id=one.item_id, frame="old", stratum="pass", inclusion_probability=0.5)])
    answered(one.item_id, "ann", "pass")
    answered(one.item_id, "ben", "pass")
    assert labels.hand_over() == 2
    assert {(row.judge, row.sampling_frame) for row in LABELS.read()} == {("correctness", "old")}


def test_a_held_out_example_stops_calibration(shop: Project, tmp_path: Path, now: datetime) -> None:
    """What the judge is shown as an example may not be what it is tested with, whichever file of the prompt has it."""
    from assay.calibration.ratings import require_unseen

    long = "An answer of more than twenty-four characters about refunds."
    one = item(1, long)
    row = {"question": "Where?", "response": long, "label": "warm", "why": "It is."}
    made(shop.folder, "tone", **LABELS_OF_TONE, examples="examples.jsonl")
    (shop.folder / "data/judges/tone/examples.jsonl").write_text(json.dumps(row) + "\n")
    judge = prompt.load("tone")
    shown = f"{judge.system} {judge.source}"
    require_unseen(shown, [one], [label(one.item_id, "pass", split="tune")])
    with pytest.raises(DataError, match="shows 1 held-out items"):
        require_unseen(shown, [one], [label(one.item_id, "pass", split="heldout")])


def told(*words: str) -> tuple[int, str]:
    """Call the command; return its exit code and what it says."""
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


def test_the_commands_hang_together(shop: Project, tmp_path: Path) -> None:
    """Plan, draw to a file or for the desk, and both doors of the import; what went wrong is exit code 2."""
    file = tmp_path / "sheet.csv"
    assert told("labels", "plan", "--judge", "style")[0] == 2
    assert told("labels", "plan", "--judge", "tone", "--half-width", "0.05")[0] == 2
    assert told("labels", "draw", "--judge", "tone", "--labels", "5", "--half-width", "0.1")[0] == 2
    assert not ITEMS.exists()
    code, said = told("labels", "plan", "--judge", "tone", "--labels", "6", "--json")
    assert (code, json.loads(said)["more"], json.loads(said)["drawn_now"]) == (0, {"pass": 3, "fail": 3}, 0)
    assert told("labels", "draw", "--judge", "tone", "--labels", "6", "--out", str(file))[0] == 0
    assert told("labels", "draw", "--judge", "tone", "--labels", "6")[1].splitlines()[-1].startswith("0 drawn")
    assert "wait at the desk" in told("labels", "draw", "--judge", "tone", "--labels", "8")[1]
    assert "6 labels appended" in told("labels", "import", str(fill(file, "ada", outcome="cold")))[1]
    assert told("import", str(file), "--labels", "--judge", "depth")[0] == 2
    assert (
        "6 labels appended" in told("import", str(fill(file, "ben", outcome="warm")), "--labels", "--judge", "tone")[1]
    )
    assert {row.judge for row in LABELS.read()} == {"tone"}
    assert told("calibrate", "--plan")[0] == 2
