"""Exchange: other tools' cases come in signed or go to the desk, nothing of their files is dropped silently."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from assay.commands import exchange
from assay.errors import AssayError, ConfigError
from assay.project.tables.decisions import BATCHES, DECISIONS
from assay.project.tables.evalset import CASES
from assay.stages import batches, review
from tests.cast import Project

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
