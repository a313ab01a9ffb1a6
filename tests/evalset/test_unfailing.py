"""Cases that nothing can fail: a check decides, or a judge that blocks, fits and is given all that it requires."""

import shutil
from typing import Any

import pytest

from assay.checks import registry
from assay.errors import DataError
from assay.evalset.unfailing import require_failable, sentence, unfailing
from assay.judges import prompt
from tests.cast import Project, case

BARE: dict[str, Any] = {"reference": "", "expectations": []}


@pytest.mark.parametrize(
    ("judge", "changes"),
    [
        ("question: pass-fail\nblocks: false\n", {}),
        ("question: pass-fail\napplies_to: {category: [escalation]}\n", {}),
        ("question: pass-fail\ninput: [question, response, rubric]\nrequires: [rubric]\n", {}),
        ("question: pass-fail\ninput: [question, response, rubric]\nrequires: [rubric]\n", {"rubric": {"else": "x"}}),
        ("question: pairwise\ninput: [question, response]\n", {}),
        ("question: pass-fail\ninput: [question, response, contexts]\nscope: traces\n", {}),
        ("question: pass-fail\nblocks: false\ninput: [question, response, reference]\n", {"reference": "Yes."}),
    ],
)
def test_a_judge_that_does_not_decide_fails_nothing(project: Project, judge: str, changes: dict[str, Any]) -> None:
    """A judge that is charted, fits another category, lacks what it requires or is of pairs or traces fails no case."""
    only(project, judge)
    one = case(1, **BARE | changes)
    assert unfailing([one], prompt.load_all()) == [one]


@pytest.mark.parametrize(
    ("judge", "changes"),
    [
        ("question: pass-fail\n", {}),
        ("question: pass-fail\napplies_to: {category: [refunds]}\n", {}),
        ("question: pass-fail\ninput: [question, response, rubric]\nrequires: [rubric]\n", {"rubric": {"tone": "x"}}),
        ("question: pass-fail\ninput: [question, response, reference]\nrequires: [reference]\n", {"reference": "Yes."}),
        ("question: pass-fail\nblocks: false\n", {"expectations": case(1).expectations}),
    ],
)
def test_a_check_or_a_judge_that_decides(project: Project, judge: str, changes: dict[str, Any]) -> None:
    """A check, and a judge that blocks, fits and is given what it requires, can fail a case."""
    only(project, judge)
    assert unfailing([case(1, **BARE | changes)], prompt.load_all()) == []


@pytest.mark.parametrize(
    ("check", "fails"),
    [
        ({"check": "regex", "values": [".*"]}, False),
        ({"check": "regex", "values": ["(?s)^.*$"]}, False),
        ({"check": "regex", "values": ["^$|."]}, True),
        ({"check": "regex", "values": ["refund"]}, True),
        ({"check": "not-regex", "values": [".*"]}, True),
        ({"check": "length-min", "words": 0}, False),
        ({"check": "length-min", "words": 1}, True),
        ({"check": "not-length-min", "words": 0}, True),
    ],
)
def test_a_check_that_every_answer_meets_fails_nothing(project: Project, check: dict[str, Any], *, fails: bool) -> None:
    """A pattern that matches whatever it is given, and a length of nothing, are no checks of a case."""
    only(project, "question: pass-fail\nblocks: false\n")
    one = case(1, reference="", expectations=[registry.read(check)])
    assert unfailing([one], prompt.load_all()) == ([] if fails else [one])


def test_the_refusal_names_the_cases(project: Project) -> None:
    """Cases that nothing can fail are refused with their number, and up to five names."""
    only(project, "question: pass-fail\nblocks: false\n")
    cases = [case(number, **BARE) for number in range(1, 8)]
    with pytest.raises(DataError, match=r"7 cases that nothing can fail \(refunds-001 .*refunds-005 .* \.\.\.\)"):
        require_failable(cases, prompt.load_all(), "here")
    require_failable([case(1)], prompt.load_all(), "here")


def only(project: Project, declaration: str) -> None:
    """Leave one judge, `tone`, in the project."""
    judges = project.folder / "data/judges"
    shutil.rmtree(judges)
    (judges / "tone").mkdir(parents=True)
    (judges / "tone/rubric.md").write_text("Answers are friendly.")
    (judges / "tone/judge.yaml").write_text(declaration)


def test_the_sentence_shows_the_beginning_of_a_question() -> None:
    """Forty letters of the first turn, cut between words; a short one whole."""
    words = "aaaa " * 7
    whole, long = (case(1, turns=[f"{words}{last}", "Second."], **BARE) for last in ("aaaaa", "aaaaaa"))
    assert f"(refunds-001 '{words}aaaaa')" in sentence([whole], "here")
    assert "(refunds-001 'aaaa aaaa aaaa aaaa aaaa aaaa aaaa [...]')" in sentence([long], "here")


@pytest.mark.parametrize(
    ("count", "reference", "said"),
    [
        (1, "", "here: 1 case that nothing can fail (refunds-001 'Cleo asks question 1 about"),
        (2, "", "here: 2 cases that nothing can fail (refunds-001 "),
        (5, "", "'), expected"),
        (6, "", "' ...), expected"),
        (1, " ", "'), expected"),
        (1, "Yes.", "'), and no judge reads their references, expected"),
    ],
)
def test_the_sentence_counts_and_cuts(count: int, reference: str, said: str) -> None:
    """One case is one, five are named and a sixth is dots; a reference that no judge reads is said to be there."""
    cases = [case(number, **BARE | {"reference": reference}) for number in range(1, count + 1)]
    assert said in sentence(cases, "here")
