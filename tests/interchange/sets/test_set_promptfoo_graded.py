"""promptfoo's assertions that a model grades: they become the case's own rubric or its reference, none is lost."""

from pathlib import Path
from typing import Any

import pytest

from assay.interchange.sets.builder import Reading
from tests.interchange.sets.shop import taken

RUBRIC = "rubric of the judge `rubric`"


def graded(folder: Path, *assertions: dict[str, Any]) -> Reading:
    """Return what a test with these assertions comes to."""
    return taken(folder, "tests.json", [{"vars": {"question": "Hi"}, "assert": list(assertions)}])


@pytest.mark.parametrize(
    ("assertion", "rubric"),
    [
        ({"type": "llm-rubric", "value": "is warm to {{question}}"}, "is warm to Hi"),
        ({"type": "not-llm-rubric", "value": "blames"}, "This must not be so: blames"),
        ({"type": "g-eval", "value": ["is warm", "is short"]}, "is warm\nis short"),
        ({"type": "model-graded-closedqa", "value": "gives a date"}, "gives a date"),
        ({"type": "answer-relevance", "threshold": 0.8}, "The response answers what the user asked"),
        ({"type": "not-factuality", "value": "x"}, "This must not be so: The response agrees with this: x"),
    ],
)
def test_what_has_to_hold_is_the_case_s_own_rubric(tmp_path: Path, assertion: dict[str, Any], rubric: str) -> None:
    """An assertion that says what has to hold becomes the rubric of the case for the judge `rubric`."""
    found = graded(tmp_path, assertion)
    assert found.cases[0].rubric["rubric"].startswith(rubric)
    assert dict(found.became) == {(assertion["type"], RUBRIC): 1}


def test_several_rubrics_have_to_hold_together(tmp_path: Path) -> None:
    """Several rubrics of a test are one text with each of them once, in their order."""
    found = graded(tmp_path, *({"type": "llm-rubric", "value": text} for text in ("is warm", "is short", "is warm")))
    assert found.cases[0].rubric == {"rubric": "All of these hold:\n1. is warm\n2. is short"}
    assert found.became["llm-rubric", RUBRIC] == 3


def test_a_good_answer_is_the_reference(tmp_path: Path) -> None:
    """The value of `factuality` is the reference; a second other one is a rubric."""
    found = graded(tmp_path, {"type": "factuality", "value": "14 days"}, {"type": "factuality", "value": "No fee"})
    (case,) = found.cases
    assert (case.reference, case.rubric) == ("14 days", {"rubric": "The response agrees with this: No fee"})
    assert dict(found.became) == {("factuality", "reference"): 1, ("factuality", RUBRIC): 1}


def test_a_threshold_of_a_grade_is_told(tmp_path: Path) -> None:
    """A threshold, metric or prompt of a graded assertion is listed: our judge says pass or fail."""
    found = graded(tmp_path, {"type": "llm-rubric", "value": "is warm", "threshold": 0.8, "rubricPrompt": "x"})
    assert found.not_understood == [
        "1 field `assert.threshold`, in tests[0].assert[0]",
        "1 field `assert.rubricPrompt`, in tests[0].assert[0]",
    ]


def test_a_rubric_comes_back(tmp_path: Path) -> None:
    """A case's rubrics survive the way out and back where a format has metadata of its own."""
    from assay.interchange.sets import registry
    from tests.cast import case
    from tests.interchange.sets.shop import FILLING

    cases = [case(1, rubric={"rubric": "is warm", "tone": "is short"})]
    for name, file in (("rows", "x.jsonl"), ("langfuse", "x.json"), ("rows", "x.csv"), ("promptfoo", "x.yaml")):
        assert registry.write(cases, tmp_path / file, name).lost == []
        assert registry.read(tmp_path / file, name, FILLING).cases == cases
