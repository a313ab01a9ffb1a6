"""Label sampling: drawn within what the judge said, shown without it, never twice for one judge."""

import csv
import hashlib
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.commands import label_sampling, labels
from assay.commands.label_sampling import Plan
from assay.errors import ConfigError, InsufficientDataError
from assay.judges import prompt
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import DRAWS, FRAMES, ITEMS, LABELS, labelling
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.label import Draw
from assay.records.verdict import IDENTICAL
from assay.report.correction import WHOLE, corrected
from tests.cast import Project, case, item, label, response, verdict
from tests.judges_made import LABELS_OF_TONE, made

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


def planned(count: int | None = None, judge: str = "correctness", half_width: float | None = None) -> Plan:
    """Plan so many labels in all."""
    return label_sampling.plan(prompt.load(judge), half_width, count)


def drawn(count: int, file: Path | None, judge: str = "correctness") -> Plan:
    """Plan and draw so many labels in all."""
    made = planned(count, judge)
    label_sampling.draw(made, prompt.load(judge), file)
    return made


def filled(file: Path, annotator: str = "ada") -> Path:
    """Fill a sheet as a person would who passes every answer with an even number."""
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    for row in rows:
        number = int(row["response"].split()[1])
        row["outcome"], row["annotator"] = "pass" if number % 2 == 0 else "fail", annotator
    with file.open("w", encoding="utf8", newline="") as sheet:
        writer = csv.DictWriter(sheet, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_without_a_judged_answer_there_is_nothing_to_draw(project: Project) -> None:
    """A plan before the first night says what to run, for a judge of pairs and of production too."""
    CASES.write(EVERY_CASE[:1])
    RESPONSES.write([response(EVERY_CASE[0])])
    VERDICTS.write([])
    for judge, command in (("correctness", "nightly"), ("preference", "nightly"), ("grounding", "monitor")):
        with pytest.raises(InsufficientDataError, match=rf"{judge}.*assay {command}"):
            planned(judge=judge)


def test_a_judge_is_named_where_it_could_be_another(night: Project) -> None:
    """Of two judges that need labels neither is guessed; the only one is taken; an unknown one is refused."""
    with pytest.raises(ConfigError, match=r"2 judges need labels, .*\(correctness, grounding\): say --judge"):
        labels.chosen()
    (night.folder / "data/traces/traces.parquet").unlink()
    assert labels.chosen().name == "correctness"
    assert labels.chosen("preference").name == "preference"
    with pytest.raises(ConfigError, match="correctness, grounding, preference"):
        labels.chosen("tone")


def test_a_judge_that_has_its_labels_is_not_the_one_meant(project: Project) -> None:
    """Where every judge has what its floors ask for, one has to be named."""
    (project.folder / "data/traces/traces.parquet").unlink()
    with pytest.raises(ConfigError, match="no judge lacks labels"):
        labels.chosen()


def test_a_judge_keeps_the_numbers_that_its_first_round_went_by(night: Project) -> None:
    """The first round of a judge goes by the numbers that all judges share; one with rounds of before keeps its own."""
    drawn(10, night.folder / "first.csv")
    assert [row.numbers for row in FRAMES.read()] == ["common"]
    FRAMES.write([row.model_copy(update={"numbers": "own"}) for row in FRAMES.read()])
    drawn(20, night.folder / "second.csv")
    assert [row.numbers for row in FRAMES.read()] == ["own", "own"]


def test_two_demands_at_once_are_refused(night: Project) -> None:
    """A half-width and a number are not both kept, and pairs have no pass rate to be near to."""
    with pytest.raises(ConfigError, match="leave the other out"):
        planned(30, half_width=0.05)
    with pytest.raises(ConfigError, match="it compares pairs: say --labels N"):
        planned(judge="preference", half_width=0.05)


def test_an_impossible_precision_is_refused(night: Project) -> None:
    """Not even a label on every answer gives half a point: the sentence says so instead of a number."""
    with pytest.raises(InsufficientDataError, match=r"labels on all 400 .*--labels N"):
        planned(half_width=0.005)


@pytest.mark.parametrize(("judged", "why"), [(40, "40 items are judged"), (52, "labels on all 52 judged items leave")])
def test_a_small_night_is_planned_whole(night: Project, judged: int, why: str) -> None:
    """Where nobody asks for a precision and none can be had, all that was judged is planned, and it says why."""
    VERDICTS.write([verdict(one.case_id, word(number)) for number, one in enumerate(EVERY_CASE[:judged])])
    made = planned()
    assert (made.needed, made.wanted, len(made.chosen)) == (None, judged, judged)
    assert made.notes[0].startswith(f"all that was judged is planned: {why}")
    with pytest.raises(InsufficientDataError, match=why):
        planned(half_width=0.05)


def test_an_answer_that_nobody_has_judged_since_is_not_drawn(night: Project) -> None:
    """A case that asks else, or whose expectation was corrected, waits for the night that asks and scores it."""
    first, second, *rest = EVERY_CASE
    changed = [first.model_copy(update={"turns": ["Else?"]}), second.model_copy(update={"reference": "Else."})]
    CASES.write([*changed, *rest])
    assert sorted(one.case_id for one, _ in planned(400).chosen) == [one.case_id for one in rest]


def test_the_rarer_verdict_is_drawn_more_often(night: Project) -> None:
    """Of 90 labels the judge's 80 fails of 400 get a third, for sqrt(80) : sqrt(320) is 1 : 2."""
    made = planned(90)
    assert (made.judged, made.more) == ({"pass": 320, "fail": FAILS}, {"pass": 60, "fail": 30})
    assert planned().needed
    assert json.loads(json.dumps(label_sampling.record(made, 0)))["more"] == made.more


def test_what_people_see_holds_no_verdict(night: Project, tmp_path: Path) -> None:
    """The sheet has neither a verdict nor its stratum, and the order of the rows tells nothing either."""
    drawn(90, tmp_path / "sheet.csv")
    rows = list(csv.DictReader((tmp_path / "sheet.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 90
    assert not {"verdict", "stratum", "score", "category", "slice", "rationale"} & rows[0].keys()
    places = [place for place, row in enumerate(rows) if int(row["item_id"].split("-")[1][:3]) % 5 == 0]
    assert 20 < np.mean(places) < 69


def test_a_second_draw_takes_others_and_raises_every_chance(night: Project, tmp_path: Path) -> None:
    """Drawn in two goes, every item of a verdict has the one chance that both goes together gave, labels included."""
    drawn(90, tmp_path / "first.csv")
    labels.take(filled(tmp_path / "first.csv"), "", "", [], datetime.fromisoformat("2026-11-03T00:00:00+00:00"))
    drawn(150, tmp_path / "second.csv")
    draws = DRAWS.read()
    assert len({one.item_id for one in draws}) == len(draws) == 150
    counts = Counter(one.stratum for one in draws)
    chances = {(one.stratum, round(one.inclusion_probability, 9)) for one in draws}
    assert chances == {("pass", round(counts["pass"] / 320, 9)), ("fail", round(counts["fail"] / FAILS, 9))}
    assert {round(row.inclusion_probability or 0, 9) for row in LABELS.read()} == {chance for _, chance in chances}


def test_labels_from_the_plan_carry_the_corrected_rate(night: Project, tmp_path: Path, now: datetime) -> None:
    """What was drawn from tonight's answers is seen to be so: double sampling, and no transfer from elsewhere."""
    drawn(300, tmp_path / "sheet.csv")
    labels.take(filled(tmp_path / "sheet.csv"), "", "", [], now)
    about = labelling().of("correctness")
    found = corrected(
        prompt.load("correctness"),
        VERDICTS.read(),
        RESPONSES.read(),
        about,
        CASES.read(),
        rng=np.random.default_rng(1),
        draws=2000,
    )
    assert found
    assert found.rate
    assert found.note == WHOLE
    assert found.rate.low < 0.5 < found.rate.high


def test_a_draw_that_gets_fewer_says_why(night: Project) -> None:
    """Twelve were judged and eight are drawn: four of the twelve that were asked for beside them, in words."""
    few = EVERY_CASE[:12]
    CASES.write(few)
    RESPONSES.write([response(one, f"Answer {number} to Cleo.") for number, one in enumerate(few)])
    VERDICTS.write([verdict(one.case_id, word(number)) for number, one in enumerate(few)])
    drawn(8, None)
    made = planned(20)
    assert (len(made.chosen), made.notes) == (
        4,
        ["4 instead of 12 are drawn: 12 were judged, 8 of them are drawn already"],
    )
    assert label_sampling.lines(made)[-1] == made.notes[0]
    drawn(20, None)
    before = night.files()
    with pytest.raises(InsufficientDataError, match="nothing is left to draw for correctness .*12 of them are drawn"):
        drawn(20, None)
    assert night.files() == before


def test_what_is_drawn_already_is_no_refusal(night: Project) -> None:
    """The same draw once more has what it asks for: nothing is written, and nobody is told off."""
    drawn(30, None)
    before = night.files()
    assert len(drawn(30, None).chosen) == 0
    assert night.files() == before


def test_what_other_nights_drew_counts_tonight(night: Project) -> None:
    """An answer that is given again word for word is the same item: it is in tonight's draw, and not drawn again."""
    drawn(10, None)
    changed = EVERY_CASE[7]
    RESPONSES.write(
        [
            response(of, "Else." if of is changed else f"Answer {number} to Cleo.")
            for number, of in enumerate(EVERY_CASE)
        ]
    )
    made = planned(1000)
    again = [row for row in DRAWS.read() if changed.case_id not in row.item_id]
    assert (sum(made.drawn.values()), len(made.chosen)) == (len(again), 400 - len(again))
    assert not {row.item_id for row in DRAWS.read()} & {of.item_id for of, _ in made.chosen}


def test_a_changed_product_is_labelled_on_the_same_cases(night: Project) -> None:
    """A version that answers everything otherwise has cases drawn that the first one had, and a chance of its own."""
    first = {item.case_id for item, _ in drawn(100, None).chosen}
    RESPONSES.write([response(one, f"Other answer {number} to Cleo.") for number, one in enumerate(EVERY_CASE)])
    second = {item.case_id for item, _ in drawn(60, None).chosen}
    assert (len(first), len(second), second <= first) == (100, 60, True)
    rounds = {row.round: row for row in labelling().frames}
    assert {number: row.chances["fail"] > 0 for number, row in rounds.items()} == {1: True, 2: True}
    chances = {(row.round, row.stratum): row.inclusion_probability for row in DRAWS.read()}
    assert chances == {(number, name): chance for number, row in rounds.items() for name, chance in row.chances.items()}


def test_an_answer_is_drawn_for_two_judges(night: Project) -> None:
    """One item, two draws; each judge's draw leaves the other's chances and labels as they are."""
    made(night.folder, "tone", question="pass-fail", blocks="false")
    tone = [verdict(one.case_id, "pass", scorer="tone") for one in EVERY_CASE]
    VERDICTS.write([*VERDICTS.read(), *tone])
    drawn(400, None)
    before = {row.item_id: row for row in DRAWS.read()}
    drawn(60, None, "tone")
    assert len(ITEMS.read()) == 400
    rows = DRAWS.read()
    assert Counter(row.judge for row in rows) == {"correctness": 400, "tone": 60}
    assert {row.item_id: row for row in rows if row.judge == "correctness"} == before
    assert {row.inclusion_probability for row in rows if row.judge == "tone"} == {60 / 400}


def test_rows_of_before_keep_their_bytes(night: Project) -> None:
    """Items, labels and draws of before judges had names there are that judge's, and are written as they were."""
    old = [item(number, f"An old answer {number}.") for number in range(3)]
    ITEMS.write(old)
    DRAWS.write([Draw(item_id=one.item_id, frame="old", stratum="pass", inclusion_probability=0.5) for one in old])
    LABELS.write([label(one.item_id, "pass") for one in old])
    files = (ITEMS.file(), DRAWS.file(), LABELS.file())
    before = [set(file.read_bytes().splitlines()) for file in files]
    assert not any(b"judge" in line for lines in before for line in lines)
    drawn(20, None)
    assert all(lines <= set(file.read_bytes().splitlines()) for lines, file in zip(before, files, strict=True))
    assert len(labelling().of("correctness").draws) == 23


def test_every_label_of_a_scale_has_its_share(night: Project) -> None:
    """Within a verdict each of the judge's labels is drawn in proportion, and every item has one chance."""
    made(night.folder, "tone", **LABELS_OF_TONE)
    said = ["warm"] * 200 + ["neutral"] * 100 + ["cold"] * 100
    rows = [
        verdict(one.case_id, "fail" if value == "cold" else "pass", scorer="tone", label=value)
        for one, value in zip(EVERY_CASE, said, strict=True)
    ]
    VERDICTS.write(rows)
    of = dict(zip((one.case_id for one in EVERY_CASE), said, strict=True))
    made_plan = drawn(120, None, "tone")
    counts = Counter(of[one.case_id] for one, _ in made_plan.chosen)
    passed = counts["warm"] + counts["neutral"]
    assert (passed, counts["cold"]) == (made_plan.more["pass"], made_plan.more["fail"])
    assert abs(counts["warm"] - 2 * counts["neutral"]) <= 2
    assert {(row.stratum, row.inclusion_probability) for row in DRAWS.read()} == {
        ("pass", passed / 300),
        ("fail", counts["cold"] / 100),
    }


def pairs(night: Project, count: int = 200) -> None:
    """Let a version answer otherwise than the accepted one, and a judge of pairs say which is better."""
    BASELINE.write([response(one, f"Before {number}.", target="support@1") for number, one in enumerate(EVERY_CASE)])
    rows: list[dict[str, Any]] = [
        {"item_id": one.case_id, "outcome": ("a", "a", "a", "b", "tie")[number % 5]}
        for number, one in enumerate(EVERY_CASE[:count])
    ]
    VERDICTS.write([verdict(**row, subject="pair", scorer="preference") for row in rows])


def test_pairs_are_drawn_with_one_chance(night: Project) -> None:
    """Nothing corrects a pair's accuracy for how it was drawn, so a, tie and b are drawn as they come."""
    pairs(night)
    made_plan = drawn(100, None, "preference")
    assert made_plan.judged == {"a": 120, "tie": 40, "b": 40}
    assert made_plan.more == {"a": 60, "tie": 20, "b": 20}
    assert {row.inclusion_probability for row in DRAWS.read()} == {0.5}
    assert {row.judge for row in DRAWS.read()} == {"preference"}
    assert {one.question for one in ITEMS.read()} == {"pairwise"}


def test_which_side_is_the_new_product_cannot_be_told(night: Project) -> None:
    """Tonight's answer is A in about half of the pairs: whoever labels a sheet learns nothing from the column."""
    pairs(night)
    drawn(200, None, "preference")
    assert 70 < sum(one.response_a.startswith("Answer") for one in ITEMS.read()) < 130


def test_as_many_pairs_as_the_floors_need(night: Project) -> None:
    """Fifty held-out pairs are asked for, and three quarters of what is drawn are held out."""
    pairs(night)
    assert (planned(judge="preference").wanted, planned(judge="preference").needed) == (67, None)


def test_identical_pairs_are_not_drawn(night: Project) -> None:
    """Two answers that are the same text are a tie that no judge has given, and nothing for people."""
    pairs(night, 10)
    same = EVERY_CASE[20]
    RESPONSES.write(
        [response(of, "Before 20." if of is same else f"Answer {n} to Cleo.") for n, of in enumerate(EVERY_CASE)]
    )
    more = verdict(same.case_id, "tie", subject="pair", scorer="preference", fingerprint=IDENTICAL)
    VERDICTS.write([*VERDICTS.read(), more])
    made_plan = planned(50, "preference")
    assert len(made_plan.chosen) == 10
    assert same.case_id not in {one.case_id for one, _ in made_plan.chosen}
