"""Review: the stage that folds the logs into the evaluation set; the fold itself is tests/assay/test_admission.py."""

import pytest

from assay.records import Decision
from tasks import door, store
from tasks.review import manifest, review
from tests.cast import Project, case, decision


def test_revision_ignores_what_cannot_move_a_verdict() -> None:
    """A new owner leaves a case's revision as it is; a new word in the question does not."""
    assert case(1, owner="someone").revision() == case(1).revision()
    assert case(1, turns=["Other?"]).revision() != case(1).revision()


def test_manifest_counts_coverage(project: Project) -> None:
    """The manifest has every category with what is admitted, and one revision a case."""
    found = manifest([case(1), case(2)], store.taxonomy(), "abc", 2)
    assert found["coverage"] == {
        "escalation": {"admitted": 0, "quota": 3, "owner": "payments"},
        "refunds": {"admitted": 2, "quota": 3, "owner": "payments"},
    }
    assert (found["log"], found["batches"]) == ("abc", 2)
    assert set(found["revisions"]) == {"refunds-001", "refunds-002"}  # type: ignore[call-overload]


def test_the_stage_is_a_pure_function_of_the_log(project: Project) -> None:
    """Run twice it writes the same bytes."""
    assert review.fn() == 6
    first = project.files()
    review.fn()
    assert project.files() == first


def test_the_door_refuses_a_bad_log(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A log at fault ends the command with exit code 2 and one sentence, and nothing is written."""
    store.write("decisions", [*store.read("decisions", Decision), decision(case(9, "invented"))])
    before = project.files()
    with pytest.raises(SystemExit) as ended:
        door.run(review.fn)
    assert ended.value.code == 2
    assert "a category of data/taxonomy" in capsys.readouterr().err
    assert project.files() == before
