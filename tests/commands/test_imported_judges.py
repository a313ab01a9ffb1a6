"""Imported judges: each gets a folder under a name of its own, once, and applies to the cases that came with it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assay.commands import exchange, imported_judges
from assay.errors import DataError
from assay.interchange.sets import registry
from assay.judges import applicability, prompt
from assay.project.tables.evalset import CASES
from assay.stages import review
from tests.cast import Project
from tests.interchange.sets.test_set_choice_judges import FACTS
from tests.interchange.sets.test_set_openai_judges import DEPTH, TONE, evals
from tests.judges_made import made

NO_REFERENCE = [{"id": "lamp", "question": "May I send it back?", "tier": "gold"}]


def taken(folder: Path, value: object, now: datetime, name: str = "evals.json", **how: Any) -> exchange.Taken:
    """Take a file in, signed by Ada."""
    file = folder / name
    file.write_text(json.dumps(value))
    return exchange.take(file, exchange.AUTO, exchange.filling("refunds", "unit", ""), "ada", now, **how)


def test_a_rehearsal_writes_no_judge(project: Project, now: datetime) -> None:
    """A rehearsal says which folder would be written, and writes none."""
    review.run()
    before = project.files()
    for value in (evals(TONE), FACTS):
        found = taken(project.folder, value, now, is_rehearsal=True)
        assert [note for note in found.notes if "would be written: " in note]
        assert "nothing was written (--dry-run)" in exchange.lines(found)[-1]
    assert project.files() == before


def test_a_judge_decides_on_the_cases_that_came_with_it(project: Project, now: datetime) -> None:
    """Cases that only an imported judge can fail come in with it; it is for these and for no other case."""
    review.run()
    others = CASES.read()
    found = taken(project.folder, evals(TONE, rows=NO_REFERENCE), now)
    assert (found.cases, found.judges) == (1, 1)
    assert [note for note in found.notes if note.startswith("data/judges/tone-of-voice is written: one of warm, ")]
    review.run()
    (lamp,) = [case for case in CASES.read() if case.case_id == "lamp"]
    judge = prompt.load("tone-of-voice")
    assert applicability.may_expect(judge, lamp)
    assert not [case for case in others if applicability.may_expect(judge, case)]


def test_a_second_import_leaves_a_judge_as_it_is(project: Project, now: datetime) -> None:
    """A judge that people edited since its import is found again, and neither overwritten nor doubled."""
    review.run()
    taken(project.folder, evals(TONE), now)
    rubric = project.folder / "data/judges/tone-of-voice/rubric.md"
    rubric.write_text("# Ours\n\nWarm, please.\n")
    found = taken(project.folder, evals(TONE), now)
    assert (found.cases, found.known) == (0, 2)
    assert [note for note in found.notes if "data/judges/tone-of-voice is there already" in note]
    assert rubric.read_text().startswith("# Ours")
    assert [name for name in prompt.names() if name.startswith("tone")] == ["tone-of-voice"]


@pytest.mark.parametrize("taken_name", ["depth", "rubric"])
def test_another_judge_of_that_name_stays(project: Project, now: datetime, taken_name: str) -> None:
    """Where another judge has the name, or the name is that of cases' own rubrics, the new one's ends in its hash."""
    review.run()
    if taken_name == "depth":
        made(project.folder, "depth", question="pass-fail")
    for _ in range(2):
        found = taken(project.folder, DEPTH | {"name": taken_name}, now)
    (name,) = [name for name in prompt.names() if name.startswith(f"{taken_name}-")]
    assert f"data/judges/{name} is there already" in found.notes[0]
    assert prompt.load(name).declared.question == "score"
    assert taken_name == "rubric" or prompt.load("depth").declared.question == "pass-fail"


def test_no_name_is_left(project: Project, now: datetime) -> None:
    """Where every name that a judge could get is another's, nothing is taken in and the names are told."""
    review.run()
    file = project.folder / "depth.json"
    file.write_text(json.dumps(DEPTH))
    (draft,) = registry.read(file, None, exchange.filling("refunds", "unit", "")).judges
    for tail in ("", *(f"-{draft.mark[:digits]}" for digits in imported_judges.DIGITS)):
        made(project.folder, f"depth{tail}", question="pass-fail")
    before = project.files()
    with pytest.raises(DataError, match=r"has other judges under each name for it \(depth, depth-"):
        taken(project.folder, DEPTH, now)
    assert project.files() == before


def test_judges_without_cases(project: Project, now: datetime) -> None:
    """A file that holds judges alone brings their folders and takes no case in."""
    review.run()
    found = taken(project.folder, FACTS, now, "factuality.json")
    assert (found.cases, found.known, found.batch) == (0, 0, "")
    assert exchange.lines(found)[-1] == "The file holds no cases; its judges are told above: 1."
    declared = prompt.load("factuality").declared
    assert (declared.passing_labels, declared.requires) == (("B", "C", "E"), ("reference",))
