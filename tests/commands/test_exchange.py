"""Exchange: other tools' cases come in signed or go to the desk, nothing of their files is dropped silently."""

import json
import re
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from assay.commands import accept, exchange
from assay.errors import AssayError, ConfigError, DataError
from assay.judges import prompt
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.decisions import BATCHES, DECISIONS
from assay.project.tables.evalset import CASES
from assay.records.candidate import Candidate
from assay.records.case import Case
from assay.stages import batches, review
from tests.cast import Project, case
from tests.judges_made import SCORE, made

ROWS = [
    {"id": "lamp-1", "input": "May I send the lamp back?", "expected": "Yes, within 14 days.", "mood": "cross"},
    {"id": "lamp-2", "input": "And if it is broken?", "expected": "Then too."},
]


@pytest.fixture
def file(project: Project) -> Path:
    """A file of two cases of another tool, beside a set of six."""
    review.run()
    found = project.folder / "other.jsonl"
    found.write_text("\n".join(map(json.dumps, ROWS)))
    return found


def taken(file: Path, now: datetime, reviewer: str = "", category: str = "refunds") -> exchange.Taken:
    """Take a file in."""
    return exchange.take(file, exchange.AUTO, exchange.filling(category, "unit", ""), reviewer, now)


def test_an_unknown_category_is_refused(file: Path, project: Project, now: datetime) -> None:
    """A category without a file in the taxonomy, and none at all, take in nothing."""
    before = project.files()
    with pytest.raises(ConfigError, match=r"'lamps' is not in data/taxonomy, expected one of escalation, refunds"):
        taken(file, now, category="lamps")
    with pytest.raises(AssayError, match="category"):
        taken(file, now, category="")
    assert project.files() == before


def test_somebody_signs_for_the_cases(file: Path, now: datetime) -> None:
    """With a reviewer the cases are admitted in that name, and what was lost is told."""
    found = taken(file, now, "ann")
    assert (found.cases, found.known, found.batch) == (2, 0, "")
    assert any("mood" in line for line in found.left_out)
    words = DECISIONS.read()[-2:]
    assert {(word.reviewer, word.decision, word.reason) for word in words} == {
        ("ann", "admit", "imported from other.jsonl")
    }
    review.run()
    (lamp,) = [case for case in CASES.read() if case.turns == ["May I send the lamp back?"]]
    assert (lamp.owner, lamp.category, lamp.reference) == ("payments", "refunds", "Yes, within 14 days.")
    assert taken(file, now, "ann").known == 2


def test_without_a_name_people_decide_at_the_desk(file: Path, now: datetime) -> None:
    """Without a reviewer the cases are a batch like any other, and nothing is admitted."""
    found = taken(file, now)
    there = batches.opened()
    assert there
    assert (there.name, len(there.candidates)) == (found.batch, 2)
    assert {one.made for one in batches.frozen(there.name)} == {"import"}
    with pytest.raises(ConfigError, match="is open to reviewers"):
        taken(file, now)
    assert len(BATCHES.read()) == 1


@pytest.mark.parametrize("name", ["rows", "langsmith", "langfuse"])
def test_the_set_goes_out_and_comes_back(file: Path, project: Project, now: datetime, name: str) -> None:
    """Written in a format that holds everything and read again, all six cases are known as they are."""
    out = project.folder / "out.jsonl"
    assert exchange.give(out, name, "") == (6, [])
    found = exchange.take(out, name, exchange.filling("", "unit", ""), "ann", now)
    assert (found.cases, found.known, found.left_out) == (0, 6, [])


def test_hand_written_cases_are_admitted_by_name(project: Project, now: datetime) -> None:
    """Cases in a YAML file enter the set signed by who admits them, owned by their category, also as the first ones."""
    DECISIONS.file().unlink()
    sheet = project.folder / "cases.yaml"
    sheet.write_text(
        "- {case_id: refunds-010, layer: unit, category: refunds, turns: [How long?], reference: 14 days.}\n"
    )
    given = exchange.filling("", "unit", "")
    assert exchange.take(sheet, exchange.WRITTEN, given, "ada", now).cases == 1
    assert review.run() == 1
    (word,) = DECISIONS.read()
    assert (word.reviewer, word.case and word.case.owner) == ("ada", "payments")
    assert exchange.take(sheet, exchange.WRITTEN, given, "ada", now).known == 1


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("rubric: {correctnes: be right}", "case refunds-010: rubric has 'correctnes', expected one of correctness"),
        ("thresholds: {depth: 9}", "case refunds-010: thresholds has depth: 9, expected a number above 1, up to 5"),
        ("thresholds: {correctness: 4}", "thresholds has correctness: 4, expected the name of a judge of scores"),
        ("thresholds: {dept: 4}", "thresholds has dept: 4, expected the name of a judge of scores"),
    ],
)
def test_what_a_case_says_to_a_judge_that_is_not_there_is_refused(
    project: Project, now: datetime, more: str, sentence: str
) -> None:
    """A rubric or threshold for a mistyped judge, or beyond its scale, is told before the case comes in."""
    made(project.folder, "depth", **SCORE)
    sheet = project.folder / "cases.yaml"
    told = "case_id: refunds-010, layer: unit, category: refunds, turns: [How long?], reference: 14 days."
    sheet.write_text(f"- {{{told}, {more}}}\n")
    before = project.files()
    with pytest.raises(DataError, match=re.escape(sentence)):
        exchange.take(sheet, exchange.WRITTEN, exchange.filling("", "unit", ""), "ada", now)
    assert project.files() == before


def test_hand_written_cases_may_go_to_the_desk(file: Path, project: Project, now: datetime) -> None:
    """Without a reviewer people decide on them, and an unknown category is refused."""
    sheet = project.folder / "cases.yaml"
    sheet.write_text(
        "- {case_id: refunds-010, layer: unit, category: refunds, turns: [How long?], reference: 14 days.}\n"
    )
    exchange.take(sheet, exchange.WRITTEN, exchange.filling("", "unit", ""), "", now)
    there = batches.opened()
    assert there
    assert list(there.candidates) == ["refunds-010"]
    sheet.write_text(sheet.read_text().replace("category: refunds", "category: lamps"))
    with pytest.raises(ConfigError, match="'lamps' is not in data/taxonomy"):
        exchange.take(sheet, exchange.WRITTEN, exchange.filling("", "unit", ""), "ada", now)


def test_what_may_repeat_a_case_is_told(file: Path, project: Project, now: datetime) -> None:
    """A case from elsewhere that says what one of the set says, in other words, is shown to people beside that one."""
    rows = [
        {"id": "new-1", "input": "Is it within 14 days? Cleo asks question 2 about refunds.", "expected": "Yes."},
        {"id": "new-2", "input": "Can Zoe pay her tulips with a postage stamp?", "expected": "No."},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    found = batches.frozen(taken(file, now).batch)
    assert {one.case.turns[0][:12]: one.may_repeat for one in found} == {
        "Is it within": "refunds-002",
        "Can Zoe pay ": "",
    }


BARE = "layer: unit, category: refunds"


def test_cases_that_nothing_can_fail_stay_outside(project: Project, now: datetime) -> None:
    """Of a file some of whose cases nothing can fail the others come in; of one with such cases alone nothing does."""
    sheet = project.folder / "cases.yaml"
    bare = [f"- {{case_id: bare-{number}, {BARE}, turns: ['Lamp {number}?']}}\n" for number in range(3)]
    sheet.write_text("".join(bare))
    before = project.files()
    with pytest.raises(DataError, match="cases.yaml: 3 cases that nothing can fail .bare-0 .*nothing was taken in"):
        exchange.take(sheet, exchange.WRITTEN, exchange.filling("", "unit", ""), "ada", now)
    assert project.files() == before
    sheet.write_text("".join([*bare, f"- {{case_id: sound, {BARE}, turns: [Vase?], reference: Yes.}}\n"]))
    found = exchange.take(sheet, exchange.WRITTEN, exchange.filling("", "unit", ""), "ada", now)
    assert found.cases == 1
    assert [note for note in found.notes if "3 cases that nothing can fail (bare-0 " in note]
    assert "bare-0" not in {one.candidate_id for one in DECISIONS.read()}


def test_a_reference_that_no_judge_reads_fails_nothing(file: Path, project: Project, now: datetime) -> None:
    """Without a judge that reads references a case with nothing else is refused, at the log too."""
    shutil.rmtree(project.folder / "data/judges/correctness")
    before = project.files()
    with pytest.raises(DataError, match="no judge reads their references"):
        taken(file, now, "ann")
    with pytest.raises(DataError, match="nothing is admitted: 1 case that nothing can fail"):
        accept.admit([case(9, expectations=[])], "ann", "by hand", now)
    assert project.files() == before


def test_candidates_that_nothing_can_fail_are_held(project: Project, now: datetime) -> None:
    """A candidate without a check or an applicable judge is opened to nobody, and told with its number."""
    review.run()
    sound, bare = (candidate(case(number, expectations=[], **changes)) for number, changes in ((8, {}), (9, EMPTY)))
    CANDIDATES.write([sound, bare])
    assert [one.candidate_id for one in batches.undecided()] == [sound.candidate_id]
    assert "1 case that nothing can fail (refunds-009 " in batches.held()
    CANDIDATES.write([sound])
    assert batches.held() == ""


def test_what_a_release_would_refuse_is_told(file: Path, now: datetime) -> None:
    """One question twice is told with the names of both cases when they come in."""
    rows = [
        {"id": f"lamp-{number}", "input": "May I send the lamp back?", "expected": f"{number}"} for number in (1, 2)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    notes = taken(file, now, "ann").notes
    assert [note for note in notes if "one question asked twice" in note and "lamp-1 and lamp-2" in note]
    assert [note for note in notes if "may repeat another one (lamp-2 and lamp-1)" in note]
    file.write_text(json.dumps({"id": "refunds-001", "input": "And vases?", "expected": "Yes."}))
    notes = taken(file, now, "ann").notes
    assert [note for note in notes if "1 case takes the place of the one with its id" in note and "refunds-001" in note]


def test_rubrics_bring_their_judge(file: Path, project: Project, now: datetime) -> None:
    """Cases with rubrics of their own come with the judge that goes by them, once, and what became of each is told."""
    config = project.folder / "promptfooconfig.yaml"
    tests = [{"vars": {"question": text}, "assert": [{"type": "llm-rubric", "value": "is warm"}]} for text in "AB"]
    config.write_text(json.dumps({"prompts": ["{{question}}"], "providers": ["x"], "tests": tests}))
    given = exchange.filling("refunds", "unit", "")
    found = exchange.take(config, exchange.WRITTEN, given, "ada", now)
    assert found.cases == 2
    assert [note for note in found.notes if note.startswith("data/judges/rubric is written")]
    assert exchange.lines(found)[-3:-1] == [
        "assertion   count  became",
        "llm-rubric      2  rubric of the judge `rubric`",
    ]
    judge = prompt.load("rubric")
    assert (judge.declared.question, judge.declared.input) == ("pass-fail", ("question", "response", "rubric"))
    assert judge.declared.requires == ("rubric",)
    config.write_text(config.read_text().replace("is warm", "is short"))
    assert not [note for note in exchange.take(config, exchange.AUTO, given, "ada", now).notes if "is written" in note]


def test_a_rehearsal_writes_nothing(file: Path, project: Project, now: datetime) -> None:
    """A rehearsal shows the first three cases as they would be, and writes neither cases nor judges."""
    tests = [{"vars": {"question": text}, "assert": [{"type": "llm-rubric", "value": "is warm"}]} for text in "ABCD"]
    file.write_text("\n".join(map(json.dumps, tests)))
    before = project.files()
    given = exchange.filling("refunds", "unit", "")
    found = exchange.take(file, exchange.AUTO, given, "ada", now, is_rehearsal=True)
    assert project.files() == before
    assert (found.cases, [one.turns for one in found.shown]) == (4, [["A"], ["B"], ["C"]])
    assert any("data/judges/rubric would be written" in note for note in found.notes)
    assert exchange.lines(found)[-1] == "4 cases would be taken in; nothing was written (--dry-run)."


EMPTY = {"reference": ""}


def candidate(of: Case) -> Candidate:
    """Return a candidate on file."""
    return Candidate(
        candidate_id=of.case_id, case=of, generator="g", seed=0, nearest="", similarity=0.0, may_repeat="", made="x"
    )


def test_checks_that_their_examples_refute_are_told(file: Path, now: datetime) -> None:
    """Whoever takes cases in hears which check passes an answer that was shown as a bad one."""
    expectation = {"check": "icontains", "values": ["14 days"], "bad": ["Not within 14 days."]}
    file.write_text(json.dumps({"id": "lamp-9", "input": "May I send it back?", "expectations": [expectation]}))
    (note,) = [one for one in taken(file, now).notes if "disagree" in one]
    assert "case lamp-9: bad answer 1 passes check 1, `icontains`" in note


def test_a_check_of_the_project_that_is_not_there_is_told(file: Path, project: Project, now: datetime) -> None:
    """Whoever takes in a case whose function nobody has written hears its name; once it is there, nothing is told."""
    expectation = {"check": "python", "function": "tone:is_polite"}
    file.write_text(json.dumps({"id": "lamp-9", "input": "May I send it back?", "expectations": [expectation]}))
    (note,) = [one for one in taken(file, now, "ann").notes if "not there" in one]
    assert "(tone:is_polite)" in note
    (project.folder / "tone.py").write_text("def is_polite(answer, case):\n    return True\n", encoding="utf8")
    project.params("judge", check_modules=["tone"])
    file.write_text(file.read_text(encoding="utf8").replace("lamp-9", "lamp-8"), encoding="utf8")
    assert not [one for one in taken(file, now, "ann").notes if "not there" in one]


TWINS = [
    {"id": "lamp-1", "input": "May I send the lamp back?", "expected": "Yes."},
    {"id": "lamp-2", "input": "May I  send the LAMP back?", "expected": "No."},
    {"id": "mail-1", "input": "Write to cleo9@gmail.com, will you?", "expected": "Yes."},
    {"id": "set-1", "input": "Cleo asks question 2 about refunds. Is it within 14 days?", "expected": "Yes."},
]
"""Of these a release would take the first alone: two questions are asked already, and one holds an address."""


def test_a_signature_admits_nothing_that_a_release_refuses(file: Path, now: datetime) -> None:
    """Of cases that somebody signs for those that a release would refuse stay candidates, and their number is told."""
    file.write_text("\n".join(map(json.dumps, TWINS)))
    found = taken(file, now, "ann")
    assert (found.cases, found.held) == (1, 3)
    assert [one.candidate_id for one in DECISIONS.read()][-1] == "lamp-1"
    there = batches.opened()
    assert there
    assert (there.name, sorted(there.candidates)) == (found.batch, ["lamp-2", "mail-1", "set-1"])
    last = exchange.lines(found)[-1]
    assert last.startswith("1 case taken in, 0 are in the set already, 3 cases held back, since a release would refuse")
    assert found.batch in last
    review.run()
    assert taken(file, now, "ann").known == 1


def test_what_is_held_back_waits_for_an_open_batch(file: Path, now: datetime) -> None:
    """While another batch is open the others are admitted all the same, and that what is held is not kept is told."""
    there = taken(file, now).batch
    file.write_text("\n".join(map(json.dumps, TWINS)))
    found = taken(file, now, "ann")
    assert (found.cases, found.held, found.batch) == (1, 3, "")
    assert [one.batch for one in BATCHES.read()] == [there]
    assert "import the file again once it is closed" in exchange.lines(found)[-1]


def test_a_file_that_is_held_back_whole(file: Path, project: Project, now: datetime) -> None:
    """Where a release would refuse every case of a file nobody signs for any, and all wait at the desk."""
    file.write_text(json.dumps(TWINS[2]))
    before = DECISIONS.read()
    found = taken(file, now, "ann")
    assert (found.cases, found.held, DECISIONS.read()) == (0, 1, before)
    assert exchange.lines(found)[-1].startswith("0 cases taken in, 0 are in the set already, 1 case held back")


def test_a_rehearsal_says_what_would_be_admitted(file: Path, project: Project, now: datetime) -> None:
    """A rehearsal shows the cases that a signature would admit, tells how many it would not, and writes nothing."""
    file.write_text("\n".join(map(json.dumps, TWINS)))
    before = project.files()
    given = exchange.filling("refunds", "unit", "")
    found = exchange.take(file, exchange.AUTO, given, "ann", now, is_rehearsal=True)
    assert project.files() == before
    assert ([one.case_id for one in found.shown], found.held) == (["lamp-1"], 3)
    assert exchange.lines(found)[-1].startswith("1 case would be taken in, 3 cases held back")
    assert exchange.take(file, exchange.AUTO, given, "", now, is_rehearsal=True).held == 0


def test_what_became_nothing_is_a_row_a_type() -> None:
    """Assertions of one type that became nothing are one row with their number, however each was written."""
    became = {
        ("javascript", f"nothing: write `def f(answer, case): return ... # {n}`{' and so on' * 20}"): n for n in (1, 2)
    }
    header, script, check = exchange.table({**became, ("regex", "check `regex`"): 4})
    assert header.split() == ["assertion", "count", "became"]
    assert script.split()[:3] == ["javascript", "3", "nothing:"]
    assert script.endswith(" ...")
    assert len(script) < 120
    assert check.split() == ["regex", "4", "check", "`regex`"]


def test_twins_that_contradict_are_named_and_come_in(file: Path, now: datetime) -> None:
    """A new case whose right answer contradicts that of a near twin is named with it, and taken in all the same."""
    rows = [
        {"id": "lamp-1", "input": "May I send the lamp back?", "expected": "Yes, within 14 days."},
        {"id": "lamp-2", "input": "Can I send the lamp back?", "expected": "Yes, within 30 days."},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    found = taken(file, now, "ann")
    assert [note for note in found.notes if "(lamp-1 and lamp-2: other numbers)" in note]
    assert (found.cases, found.held) == (2, 0)
