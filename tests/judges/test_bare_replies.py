"""A reply that is the verdict alone: what may stand around it, how long it may be, and where it begins."""

import pytest

from assay.judges.declaration import Declaration
from assay.judges.reply import MOST_BARE, find

PASS = Declaration()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("fail", 0),
        (" fail\n", 1),
        ("fail<|im_end|>", 0),
        ("<think>Hm.</think>fail", 18),
        ("```\nfail\n```", 4),
        ("**Fail**.", 2),
        ('"FAIL"', 1),
    ],
)
def test_a_bare_verdict_begins_where_it_stands(content: str, place: int) -> None:
    """Thoughts, a fence, the mark of an end, quotes and bold stand around it; its place is that of its first letter."""
    found = find(PASS, content)
    assert found
    assert (found.said, found.place, found.rationale) == ("fail", place, "")


@pytest.mark.parametrize(("length", "is_read"), [(MOST_BARE, True), (MOST_BARE + 1, False)])
def test_a_bare_verdict_is_short(length: int, *, is_read: bool) -> None:
    """Up to a hundred characters are read as one word and what stands around it."""
    content = "fail".center(length, "*")
    assert (find(PASS, content) is not None) == is_read


@pytest.mark.parametrize("evidence", ["[]", "[1]", '["a", "b"]', "[ 1 , true , null ]", "[1,]", "['a', -2.5]"])
def test_a_list_beside_the_verdict_is_passed_over(evidence: str) -> None:
    """Whatever plain values a list of another field holds, the verdict behind it is read."""
    found = find(PASS, f'{{"evidence": {evidence}, "verdict": "fail"}}')
    assert found
    assert found.said == "fail"


@pytest.mark.parametrize("evidence", ["[1 2]", "[,]", "[[1]]", '[{"verdict": "pass"}]', "[1"])
def test_a_list_that_is_none_spoils_the_reply(evidence: str) -> None:
    """A list that no JSON has, or that holds more than plain values, leaves the reply without a verdict."""
    assert find(PASS, f'{{"evidence": {evidence}, "verdict": "fail"}}') is None
