"""Review: the stage that folds the logs into the evaluation set; the fold itself is tests/evalset/test_admission.py."""

import pytest

from assay.project import entrypoint
from assay.project.tables.decisions import DECISIONS
from assay.project.taxonomy import read_taxonomy
from assay.stages import review
from assay.stages.review import manifest
from tests.cast import Project, case, decision


def test_revision_ignores_what_cannot_move_a_verdict() -> None:
    """A new owner leaves a case's revision as it is; a new word in the question does not."""
    assert case(1, owner="someone").revision() == case(1).revision()
    assert case(1, turns=["Other?"]).revision() != case(1).revision()


def test_manifest_counts_coverage(project: Project) -> None:
    """The manifest has every category with what is admitted, and one revision a case."""
    found = manifest([case(1), case(2)], read_taxonomy(), "abc", 2)
    assert found["coverage"] == {
        "escalation": {"admitted": 0, "quota": 3, "owner": "payments"},
        "refunds": {"admitted": 2, "quota": 3, "owner": "payments"},
    }
    assert (found["log"], found["batches"]) == ("abc", 2)
    assert set(found["revisions"]) == {"refunds-001", "refunds-002"}  # type: ignore[call-overload]


def test_the_stage_is_a_pure_function_of_the_log(project: Project) -> None:
    """Run twice it writes the same bytes."""
    assert review.run() == 6
    first = project.files()
    review.run()
    assert project.files() == first


def test_the_door_refuses_a_bad_log(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A log at fault ends the command with exit code 2 and one sentence, and nothing is written."""
    DECISIONS.write([*DECISIONS.read(), decision(case(9, "invented"))])
    before = project.files()
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(review.run)
    assert ended.value.code == 2
    assert "admits 1 cases of invented, which data/taxonomy does not have" in capsys.readouterr().err
    assert project.files() == before
