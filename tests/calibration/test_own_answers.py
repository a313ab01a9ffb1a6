"""Does a judge favour its own model's answers? Only among answers that people judge alike."""

import pytest

from assay.calibration.ratings import join
from assay.calibration.self_preference import own_figures
from tests.cast import item, label, verdict

OWN, OTHER = "pass", "fail"
"""As a column says whose an answer is."""


def figures(rows: list[tuple[str, str, str]], question: str = "pass-fail") -> dict[str, tuple[float | None, int]]:
    """Return estimate and n by figure, of what people and the judge said of an item, and whose it is."""
    items = [item(number, "Yes.", question, "No." if question == "pairwise" else "") for number in range(len(rows))]
    labels = [label(one.item_id, human) for one, (human, *_) in zip(items, rows, strict=True)]
    verdicts = [verdict(one.item_id, said) for one, (_, said, _) in zip(items, rows, strict=True)]
    own = {one.item_id: mine for one, (*_, mine) in zip(items, rows, strict=True) if mine}
    found = own_figures(join(question, items, labels, verdicts), own)
    return {one.name: (one.estimate, one.n) for one in found}


PASSED = [*[("pass", "pass", OWN)] * 4, *[("pass", "pass", OTHER)] * 2, *[("pass", "fail", OTHER)] * 2]
FAILED = [*[("fail", "pass", OWN)] * 3, ("fail", "fail", OWN), *[("fail", "fail", OTHER)] * 3, ("fail", "pass", OTHER)]


def test_worked_example_of_answers() -> None:
    """Of own good answers 4 of 4 pass, of others 2 of 4: +.5; of own bad ones 1 of 4 fails, of others 3: -.5."""
    found = figures(PASSED + FAILED)
    assert {name: estimate for name, (estimate, _) in found.items()} == {
        "self-preference-tpr": pytest.approx(0.5),
        "self-preference-tnr": pytest.approx(-0.5),
    }


@pytest.mark.parametrize("mine", ["", "tie"])
def test_an_answer_of_nobody_known_is_left_out(mine: str) -> None:
    """Where it is not known who wrote an answer it moves no figure."""
    assert figures([*PASSED, *FAILED, *[("pass", "fail", mine)] * 5]) == figures(PASSED + FAILED)


def test_a_comparison_needs_both_kinds() -> None:
    """Without a bad answer of others there is no figure."""
    assert figures([*PASSED, *FAILED[:4]]) == {"self-preference": (None, 0)}


@pytest.mark.parametrize("mine", ["a", "b"])
def test_it_does_not_matter_on_which_side_the_own_answer_stands(mine: str) -> None:
    """Own answers preferred where people do in 3 of 3, others in 1 of 3, with a tie of either: the lean is +.667."""
    theirs = "b" if mine == "a" else "a"
    rows = [(mine, mine, mine)] * 3 + [(theirs, theirs, mine), (theirs, mine, mine), (theirs, "tie", mine)]
    found = figures([*rows, ("tie", mine, mine)], "pairwise")
    assert found == {"self-preference": (pytest.approx(1 - 1 / 3), 6)}


def test_worked_example_of_pairs() -> None:
    """Own answers stand on either side: preferred where people do in 3 of 4, others in 2 of 4, so the lean is +.25."""
    rows = [*[("a", "a", "a")] * 2, ("b", "b", "b"), ("b", "a", "b")]
    rows += [("b", "b", "a"), ("a", "a", "b"), ("b", "a", "a"), ("a", "b", "b")]
    assert figures(rows, "pairwise") == {"self-preference": (pytest.approx(0.25), 8)}
