"""Elsewhere: words of people who do not sit at the desk count under the same rule as those of people who do."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assay.commands import annotation
from assay.errors import ConfigError, DataError
from assay.evalset.admission import Batch
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.decisions import DECISIONS
from assay.records.candidate import Candidate
from assay.stages import batches, review
from tests.cast import Project, case
from tests.handouts import KINDS, fill


def opened(project: Project, now: datetime, *numbers: int, reviewers: int = 1) -> Batch:
    """Open candidates to people."""
    project.params("review", reviewers=reviewers)
    cases = [case(number) for number in numbers]
    made = {"generator": "g", "seed": 1, "nearest": "refunds-001", "similarity": 0.1}
    return batches.open_batch([Candidate(candidate_id=of.case_id, case=of, **made) for of in cases], "", now)  # type: ignore[arg-type]


def decided(file: Path, now: datetime, who: str = "ann", **answers: str) -> tuple[int, list[str]]:
    """Export what is open, let one person decide on all of it, and take it back."""
    annotation.export(file)
    fill(file, who, "reviewer", **({"decision": "admit"} | answers))
    return annotation.take(file, "", now)


@pytest.mark.parametrize("name", KINDS)
def test_decisions_make_the_round(project: Project, now: datetime, tmp_path: Path, name: str) -> None:
    """What somebody admits in any tool enters the set once the batch is closed, and is not exported again."""
    batch = opened(project, now, 30, 31)
    assert decided(tmp_path / name, now) == (2, [])
    assert {one.state for one in batches.standing_of(batch).values()} == {"decided"}
    assert annotation.export(tmp_path / "again.csv") == 0
    batches.act(batch, "go on", "ann", "", now)
    assert review.run() == 8


def test_a_file_taken_twice_counts_once(project: Project, now: datetime, tmp_path: Path) -> None:
    """The same file again appends nothing and says why."""
    opened(project, now, 30, 31, reviewers=2)
    file = tmp_path / "sheet.csv"
    decided(file, now)
    count, left_out = annotation.take(file, "", now)
    assert (count, left_out) == (
        0,
        ["2 decisions of people who had decided on the candidate before left out, the first in sheet.csv, row 2"],
    )


def test_a_candidate_gets_as_many_people_as_it_needs(project: Project, now: datetime, tmp_path: Path) -> None:
    """Whoever comes when a candidate has all its reviewers is told, and could not turn it into a dispute."""
    batch = opened(project, now, 30, reviewers=2)
    late = tmp_path / "late.csv"
    annotation.export(late)
    decided(tmp_path / "a.csv", now, "ann")
    decided(tmp_path / "b.csv", now, "ben")
    fill(late, "cem", "reviewer", decision="reject", reason="duplicate")
    count, (line,) = annotation.take(late, "", now)
    assert (count, line.split(" left out")[0]) == (0, "1 decisions on candidates that have all their reviewers")
    assert batches.standing_of(batch)["refunds-030"].state == "decided"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"decision": "yes"}, "decision is 'yes', expected admit or reject"),
        ({"digest": "0"}, "is not as it was exported"),
        ({"candidate_id": "other"}, "'other' is not in batch-"),
        ({"conversation": "Something else"}, "`conversation` is 'Something else'"),
    ],
)
def test_a_bad_row_is_refused(
    project: Project, now: datetime, tmp_path: Path, changes: dict[str, str], found: str
) -> None:
    """A row without a known word, or on something else than was opened, is refused, and the log stays as it was."""
    opened(project, now, 30)
    before = project.files()
    with pytest.raises(DataError, match=found):
        decided(tmp_path / "sheet.csv", now, **changes)
    assert project.files() == before


def test_without_an_open_batch_there_is_nothing_to_decide(project: Project, now: datetime, tmp_path: Path) -> None:
    """One person's sheet is no way round the rule of the batch: what is not opened is neither exported nor taken."""
    of = case(30)
    CANDIDATES.write([Candidate(candidate_id=of.case_id, case=of, generator="g", seed=1, nearest="", similarity=0)])
    with pytest.raises(ConfigError, match="no batch of candidates is open, expected one: `assay grow`"):
        annotation.export(tmp_path / "sheet.csv")
    with pytest.raises(ConfigError, match="no batch of candidates is open"):
        annotation.take(tmp_path / "sheet.csv", "ann", now)


def test_after_the_deadline_nothing_is_taken(project: Project, now: datetime, tmp_path: Path) -> None:
    """A sheet that comes back too late is refused, as the desk refuses its words."""
    batch = opened(project, now, 30)
    with pytest.raises(ConfigError, match="the deadline of batch-.* has passed"):
        decided(tmp_path / "sheet.csv", batch.deadline + timedelta(seconds=1))
    assert not [word for word in DECISIONS.read() if word.batch]
