"""Texts that look the same: compared as the same, unless an expectation is exact."""

import unicodedata
from time import process_time
from typing import Any

import pytest
from check_cases import answer, expect
from hypothesis import given
from hypothesis import strategies as st

from assay.checks.folding import folded
from assay.checks.registry import EXACT, KINDS, score, validate
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.record import digest

PLAIN = 'Don\'t worry: "re-order" within 14 days.'
SEEN_ALIKE = {
    "spaces that do not break": PLAIN.replace("14 days", "14\u00a0days"),
    "narrow spaces": PLAIN.replace("14 days", "14\u202fdays"),
    "a hyphen that does not break": PLAIN.replace("re-order", "re\u2011order"),
    "zero width": "\ufeff" + PLAIN.replace("within", "wi\u200bth\u200d\u2060in"),
    "soft hyphens": PLAIN.replace("order", "or\u00adder"),
    "typographic quotes": PLAIN.replace("'", "\u2019").replace(' "', " \u201c").replace('" ', "\u201d "),
    "another composition": PLAIN.replace("fi", "\ufb01").replace("days", "da\uff59s"),
    "a dash": PLAIN.replace("-", "\u2013"),
}
ASKING = [
    expect("contains", "re-order"),
    expect("equals", PLAIN),
    expect("starts-with", PLAIN),
    expect("contains-all", "Don't worry", '"re-order"', "within", "14 days"),
    expect("icontains-any", PLAIN.upper()),
    expect("regex", '^Don\'t worry: "re-order" within [0-9]+ days[.]$'),
    expect("similarity", {"measure": "ratio", "reference": PLAIN, "threshold": 1}),
    expect("similarity", {"measure": "rouge-l", "reference": PLAIN, "threshold": 1}),
    expect("context-recall", {"facts": [PLAIN], "threshold": 1}),
]
WORD_BY_WORD = ASKING[-2:]
"""To these any white space is white space, exact or not."""
WHOLE = [one for one in ASKING if one.check not in ("contains", "contains-all")]


def exact(expectation: Expectation) -> Expectation:
    """Return the same expectation, exact."""
    return expectation.model_copy(update={"exact": True})


@pytest.mark.parametrize("expectation", WHOLE, ids=lambda one: one.check)
@pytest.mark.parametrize("text", SEEN_ALIKE.values(), ids=SEEN_ALIKE)
def test_an_exact_expectation_sees_what_no_reader_sees(expectation: Expectation, text: str) -> None:
    """An answer with other characters than the expected ones fails an exact expectation, and passes its opposite."""
    if expectation in WORD_BY_WORD and text.split() == PLAIN.split():
        return
    response, asked = answer(text, contexts=[text]), exact(expectation)
    opposite = asked.model_copy(update={"check": f"not-{asked.check}"})
    assert (score(asked, response).passed, score(opposite, response).passed) == (False, True)
    assert score(asked, answer(PLAIN, contexts=[PLAIN])).passed


@pytest.mark.parametrize("expectation", ASKING, ids=lambda one: one.check)
@pytest.mark.parametrize("text", SEEN_ALIKE.values(), ids=SEEN_ALIKE)
def test_a_right_answer_is_right_with_characters_that_look_the_same(expectation: Expectation, text: str) -> None:
    """What reads as the expected text passes, whichever spaces and quotes a model wrote, and its opposite fails."""
    response = answer(text, contexts=[text])
    opposite = expectation.model_copy(update={"check": f"not-{expectation.check}"})
    assert (score(expectation, response).passed, score(opposite, response).passed) == (True, False)


@pytest.mark.parametrize("text", SEEN_ALIKE.values(), ids=SEEN_ALIKE)
def test_what_is_expected_is_folded_as_well(text: str) -> None:
    """A value that was pasted with typographic characters finds the plain answer."""
    assert score(expect("equals", text), answer(PLAIN)).passed
    assert not score(exact(expect("equals", text)), answer(PLAIN)).passed


@pytest.mark.parametrize("text", ["14 days", "within", "re-order"])
def test_another_answer_stays_another(text: str) -> None:
    """Folding takes no letter, no digit and no visible space away: a wrong answer stays wrong."""
    for wrong in ("Don't worry: reorder with in 14days.", "Don't worry: re order with-in 1 4 days."):
        assert not score(expect("contains", text), answer(wrong)).passed


def test_a_pattern_may_ask_for_what_folding_takes_away() -> None:
    """A pattern is not folded: it finds a typographic character as it is written, and can forbid one."""
    dashed = answer("14\u201330\u00a0days")
    assert score(expect("regex", "14\u201330\u00a0days"), dashed).passed
    assert score(expect("regex", "^14-30 days$"), dashed).passed
    assert not score(expect("not-regex", "[^ -~]"), dashed).passed
    assert not score(expect("regex", "^14-30 days$").model_copy(update={"exact": True}), dashed).passed


@pytest.mark.parametrize("check", ["contains", "icontains-any", "starts-with"])
def test_a_value_of_invisible_characters_is_looked_for_as_written(check: str) -> None:
    """A case that forbids a soft hyphen goes on forbidding it; folded, it would stand in every answer."""
    assert score(expect(f"not-{check}", "\u00ad"), answer("or der")).passed
    assert not score(expect(f"not-{check}", "\u00ad"), answer("\u00adorder")).passed


@pytest.mark.parametrize(
    ("text", "number"), [("1\u200b00", 100), ("it is \u201114\u2060", -14), ("10\u201112", 12), ("1\u202f000", 1000)]
)
def test_a_number_is_read_past_what_nobody_sees(text: str, number: int) -> None:
    """Zero-width characters do not end a number, a hyphen that does not break is a minus, groups stay groups."""
    assert score(expect("numeric", {"equals": number, "absolute": 0}), answer(text)).passed
    assert not score(expect("numeric", {"equals": number + 1, "absolute": 0}), answer(text)).passed


@pytest.mark.parametrize("kind", sorted(set(KINDS) - EXACT))
def test_exact_is_refused_where_no_text_is_compared(kind: str) -> None:
    """A check that folds nothing has nothing to be exact about, so that nobody believes that it was."""
    with pytest.raises(DataError, match=f"check 'not-{kind}' has `exact`"):
        validate(Expectation(check=f"not-{kind}", exact=True))


def test_every_kind_that_can_be_exact_is_tested_here() -> None:
    """A kind that joins those that compare texts joins the tests above."""
    tested = {one.check for one in ASKING}
    assert EXACT - tested == {"contains-any", "icontains", "icontains-all"}  # the same two functions
    assert tested <= EXACT


def test_an_expectation_that_is_not_exact_keeps_its_hash() -> None:
    """The option changes no hash of an expectation that does not use it, and the hash of one that does."""
    plain = expect("equals", "Yes.")
    assert digest(plain) == digest({"check": "equals", "values": ["Yes."], "calls": []})
    assert digest(exact(plain)) != digest(plain)


@given(st.text() | st.text(st.characters(categories=["Cs", "Cf", "Mn", "Pd", "Pi", "Pf", "Zs"])))
def test_folding_twice_is_folding_once(text: str) -> None:
    """Whatever the text, half characters included, its folded form is a form that stays."""
    assert folded(folded(text)) == folded(text)
    assert unicodedata.is_normalized("NFKC", folded(text))


@pytest.mark.parametrize("marks", ["\u0300\u0316" * 300_000, "\u0300" * 300_000 + "\u0316" * 300_000])
def test_a_run_of_marks_takes_no_longer_than_it_is(marks: str) -> None:
    """A megabyte of combining marks, which Unicode's own order sorts in quadratic time, is folded within seconds."""
    started = process_time()
    asked: Any = expect("contains", "e\u0301")
    assert not score(asked, answer("a" + marks)).passed
    assert process_time() - started < 5
