"""Contradictions: near twins whose right answers cannot both be right are named, and no other pair."""

import pytest

from assay.generation import contradictions
from assay.interchange import cases_yaml
from assay.records.case import Case
from tests.cast import case
from tests.layout import ROOT

LAMP = "May I send the lamp back?"


def twins(one: str, other: str, question: str = "Can I send the lamp back?", **more: object) -> list[Case]:
    """Return two cases with these right answers."""
    return [case(1, turns=[LAMP], reference=one), case(2, turns=[question], reference=other, **more)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Within 14 days.", "Within two weeks."),
        ("Yes, 14 days.", "Yes."),
        ("Yes, it costs 5 euros and takes 3 days.", "Yes, it costs 5 euros."),
        ("Paris.", "The capital is Paris."),
        ("Yes.", "Sure."),
        ("No problem, 14 days.", "Yes, 14 days."),
        ("You may send it back.", "You may send it back, and nothing is lost."),
        ("!", "?"),
        ("Within 14 days.", ""),
        ("", ""),
    ],
)
def test_answers_that_may_both_be_right(one: str, other: str) -> None:
    """Answers that say the same, or of which one says less, contradict nothing, and neither does none."""
    assert contradictions.within(twins(one, other)) == []


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("Within 14 days.", "Within 30 days.", contradictions.OTHER_NUMBERS),
        ("Fourteen days from delivery.", "30 days.", contradictions.OTHER_NUMBERS),
        ("Yes, within 14 days.", "No.", contradictions.YES_AND_NO),
        ("Ja.", "Nein, leider.", contradictions.YES_AND_NO),
        ("Refunds are possible.", "Refunds are not possible.", contradictions.DENIED),
        ("You can send it back.", "You can't send it back.", contradictions.DENIED),
        ("Paris.", "London.", contradictions.OTHER_ANSWER),
    ],
)
def test_answers_of_near_twins_that_contradict(one: str, other: str, why: str) -> None:
    """Another number, yes against no, a denial and another short answer are each named, whichever case comes first."""
    assert contradictions.within(twins(one, other)) == [("refunds-001", "refunds-002", why)]
    assert contradictions.within(twins(other, one)) == [("refunds-001", "refunds-002", why)]


def test_the_sample_s_cases_contradict_nothing() -> None:
    """Of the sample's cases, many of which ask about one matter, no two are named."""
    folder = ROOT / "examples/support/cases"
    cases = [one for file in sorted(folder.rglob("*.yaml")) for one in cases_yaml.read(file, lambda _: True)]
    assert len(cases) > 200
    assert contradictions.within(cases) == []


def test_one_of_several_right_answers_is_enough() -> None:
    """Where any right answer of the one may agree with any of the other, nothing is named."""
    assert contradictions.within(twins("30 days.", "Six weeks.", references=["A month, 30 days."])) == []
    assert contradictions.within(twins("14 days.", "30 days.", references=["40 days."]))


@pytest.mark.parametrize(
    "more", [{"question": "May I send the vase back?"}, {"inputs": {"country": "DE"}}, {"parent": "refunds-001"}]
)
def test_other_questions_contradict_nothing(more: dict[str, object]) -> None:
    """Another question, other named values and a case that was made from the other one may be answered otherwise."""
    assert contradictions.within(twins("Within 14 days.", "Within 30 days.", **more)) == []  # type: ignore[arg-type]
