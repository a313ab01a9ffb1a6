"""Families: what was made from one thing counts as one."""

from assay.evalset.families import families
from tests.cast import case


def test_paraphrases_of_a_case_and_cases_of_a_trace_are_families() -> None:
    """A chain of parents has one root, whether it is in the set or not; a case without relatives is left out."""
    of = [
        case(1),
        case(2).model_copy(update={"parent": case(1).case_id}),
        case(3).model_copy(update={"parent": case(2).case_id}),
        case(4).model_copy(update={"parent": "trace-9"}),
        case(5).model_copy(update={"parent": "trace-9"}),
        case(6),
    ]
    one, *_ = (row.case_id for row in of)
    assert list(families(of).values()) == [one, one, one, "trace-9", "trace-9"]
    assert case(6).case_id not in families(of)


def test_a_circle_of_parents_ends() -> None:
    """Two cases that name each other are one family, and nobody waits for ever."""
    two = [
        case(1).model_copy(update={"parent": case(2).case_id}),
        case(2).model_copy(update={"parent": case(1).case_id}),
    ]
    assert len(set(families(two).values())) == 1
    assert len(families(two)) == 2
