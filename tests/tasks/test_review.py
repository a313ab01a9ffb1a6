"""Review: the evaluation set is the fold of the decision log, and nothing else gets in."""

import pytest

from assay.errors import DataError
from assay.records import Case, Decision
from tasks import door, store
from tasks.review import admit, manifest, review
from tests.cast import Project, case, decision


def test_admits_only_what_was_shown() -> None:
    """A case that differs from what the reviewer saw is refused by row and candidate."""
    swapped = decision(case(1)).model_copy(update={"case": case(1, turns=["Something else."])})
    with pytest.raises(DataError, match=r"row 2 \(refunds-001\): the case is not the one that was shown"):
        admit([decision(case(2)), swapped])


@pytest.mark.parametrize(("word", "kept"), [("reject", case(1)), ("admit", None), ("edit", None)])
def test_a_decision_fits_its_case(word: str, kept: Case | None) -> None:
    """A rejection carries no case, an admission one."""
    with pytest.raises(DataError, match="do not fit"):
        admit([decision(case(1), word, case=kept)])


def test_the_last_decision_holds() -> None:
    """Of several decisions on one candidate the last one counts, so an undo is one more row."""
    log = [decision(case(1)), decision(case(2)), decision(case(1), "reject")]
    assert [one.case_id for one in admit(log)] == ["refunds-002"]
    assert [one.case_id for one in admit([*log, decision(case(1))])] == ["refunds-001", "refunds-002"]


def test_an_edit_admits_the_edited_case() -> None:
    """An edit keeps the digest of what was shown and admits the case as edited."""
    edited = decision(case(1), "edit").model_copy(update={"case": case(1, reference="Yes, within 14 days.")})
    assert admit([edited])[0].reference == "Yes, within 14 days."


def test_one_id_is_admitted_once() -> None:
    """Two candidates that claim one case id are refused."""
    other = decision(case(1), candidate_id="another")
    with pytest.raises(DataError, match="refunds-001 admitted more than once"):
        admit([decision(case(1)), other])


def test_revision_ignores_what_cannot_move_a_verdict() -> None:
    """A new owner leaves a case's revision as it is; a new word in the question does not."""
    assert case(1, owner="someone").revision() == case(1).revision()
    assert case(1, turns=["Other?"]).revision() != case(1).revision()


def test_manifest_counts_coverage(project: Project) -> None:
    """The manifest has every category with what is admitted, and one revision a case."""
    found = manifest([case(1), case(2)], store.taxonomy())
    assert found["coverage"] == {
        "escalation": {"admitted": 0, "quota": 3, "owner": "payments"},
        "refunds": {"admitted": 2, "quota": 3, "owner": "payments"},
    }
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
