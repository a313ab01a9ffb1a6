"""The report's record: what its outcomes are worth, and what is said where a part of it is missing."""

from typing import Any

import pytest
import sample_report as sample

from assay.records.optional import Failure
from assay.records.parts import PARTS
from assay.report.content import Judge, behind, trust


def judge(standing: str, **changes: Any) -> Judge:
    """Return a judge that is worth this."""
    return Judge.model_validate({"name": "tone", "standing": standing, "certificate": None, "note": ""} | changes)


@pytest.mark.parametrize(
    ("standings", "worth"),
    [
        ([], "none"),
        (["valid"], "valid"),
        (["valid", "expired"], "expired"),
        (["expired", "valid"], "expired"),
        (["valid", "failed", "valid"], "failed"),
    ],
)
def test_outcomes_are_worth_as_much_as_the_least_trusted_judge(standings: list[str], worth: str) -> None:
    """One judge among several that may not be believed is enough, wherever it stands in the list."""
    assert trust(map(judge, standings)) == worth


@pytest.mark.parametrize("changes", [{"blocks": False}, {"spoke": False}, {"question": "pairwise"}])
def test_a_judge_that_no_case_rests_on_takes_no_trust(changes: dict[str, Any]) -> None:
    """A judge that is charted, was not asked or compares pairs makes no outcome worth less, nor more."""
    stranger = judge("failed", **changes)
    assert behind([stranger]) == []
    assert trust([judge("valid"), stranger]) == "valid"
    assert trust([judge("valid", **changes)]) == "none"


def test_a_lost_part_is_a_sentence() -> None:
    """What stands for a part is its name and note with a capital; a part that is whole has no sentence."""
    lost = Failure(part=PARTS["spent"], note="could not be computed: ValueError: x")
    found = sample.report(failures=[Failure(part="another part", note="is missing"), lost])
    assert found.lost("spent") == f"{str(lost)[0].upper()}{str(lost)[1:]}"
    assert found.lost("spent").endswith("could not be computed: ValueError: x")
    assert found.lost("answers") == ""
