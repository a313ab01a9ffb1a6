"""Answers that say nothing: the product's failure, unless its case says otherwise; and answers that were withheld."""

import pytest
from check_cases import REFUND, answer, expect

from assay.checks import empty
from assay.checks.registry import score, validate
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response
from tests.cast import case

WITHHELD = answer(finish_reason="content_filter")


@pytest.mark.parametrize("bad", [expect("empty", "x"), expect("not-empty", "x"), expect("empty", calls=[REFUND])])
def test_emptiness_takes_no_value(bad: Expectation) -> None:
    """An expectation of emptiness with a value would expect something else than it does."""
    with pytest.raises(DataError, match=f"check '{bad.check}' has"):
        validate(bad)


@pytest.mark.parametrize(
    ("response", "is_empty"),
    [
        (answer(), True),
        (answer(" \n\t"), True),
        (answer("\u00a0\u200b\ufeff\u00ad"), True),
        (WITHHELD, True),
        (answer(calls=[REFUND], is_silent=True), True),
        (answer(calls=[REFUND]), False),
        (answer("."), False),
        (answer("0"), False),
    ],
)
def test_what_nobody_sees_is_nothing(response: Response, is_empty: bool) -> None:  # noqa: FBT001 - a table
    """Blanks and invisible characters are no answer; a call in place of words is one, unless an empty reply follows."""
    assert score(expect("empty"), response).passed is is_empty
    finding = score(expect("not-empty"), response)
    assert (finding.passed, finding.fault) == (not is_empty, "answer" if is_empty else "")
    assert empty.fails(case(1), response) is is_empty


@pytest.mark.parametrize(
    ("changes", "response", "fails"),
    [
        ({"empty": "allowed"}, answer(), False),
        ({"expectations": [expect("empty")]}, answer(), False),
        ({"expectations": [expect("not-empty")]}, answer(), False),
        ({"expectations": [expect("refusal")]}, answer(), True),
        ({"expectations": [expect("refusal")]}, WITHHELD, False),
        ({"expectations": [expect("not-refusal")]}, WITHHELD, True),
        ({"expectations": []}, answer(), True),
    ],
)
def test_a_case_may_say_what_it_thinks_of_nothing(changes: dict[str, object], response: Response, fails: bool) -> None:  # noqa: FBT001 - a table
    """Only what the case says in so many words keeps an empty answer from failing it, twice as well as at all."""
    assert empty.fails(case(1, **changes), response) is fails


@pytest.mark.parametrize("reason", ["content_filter", "refusal", "SAFETY"])
def test_a_withheld_answer_is_a_refusal(reason: str) -> None:
    """An answer that a filter kept back, or that came in the field for refusals, declines whatever its words."""
    for text in ("", "Let us talk about meals."):
        response = answer(text, finish_reason=reason)
        assert score(expect("refusal"), response).passed
        assert not score(expect("not-refusal"), response).passed
    assert not score(expect("refusal"), answer("", finish_reason="stop")).passed


def test_only_a_case_that_allows_it_has_another_revision() -> None:
    """The field changes no hash of a case that does not use it, and the revision of one that does."""
    plain, allowed = case(1), case(1, empty="allowed")
    before = plain.model_dump(exclude={"empty"})
    assert type(plain).model_validate(before).digest() == plain.digest()
    assert (allowed.revision() == plain.revision(), allowed.request() == plain.request()) == (False, True)
