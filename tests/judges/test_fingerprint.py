"""A judge's fingerprint: whatever could move a verdict is in it."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from assay.judges import prompt
from assay.judges.fingerprint import fingerprint
from assay.judges.prompt import JudgePrompt

JUDGE = prompt.load("correctness")
USUAL = ("gpt", "gpt-2026", {"temperature": 0})


def test_it_is_the_same_for_the_same_judge() -> None:
    """Nothing of the moment or of the machine enters it."""
    assert fingerprint(JUDGE, *USUAL) == fingerprint(replace(JUDGE), *USUAL)


@pytest.mark.parametrize(
    "other",
    [
        replace(JUDGE, name="fairness"),
        replace(JUDGE, prompt_hash="0" * 16),
        replace(JUDGE, rubric_version="9"),
        replace(JUDGE, moving=MappingProxyType({"labels": ["a", "b"]})),
    ],
)
def test_each_part_of_the_judge_moves_it(other: JudgePrompt) -> None:
    """Another name, prompt, rubric or declaration is another judge."""
    assert fingerprint(other, *USUAL) != fingerprint(JUDGE, *USUAL)


@pytest.mark.parametrize(
    "asked",
    [("gpt-5", *USUAL[1:]), (USUAL[0], "gpt-2027", USUAL[2]), (*USUAL[:2], {"temperature": 1}), (*USUAL, "another")],
)
def test_each_way_of_asking_moves_it(asked: tuple[str, str, dict[str, int]]) -> None:
    """Another model, another model under its name, other parameters or another parser is another judge."""
    assert fingerprint(JUDGE, *asked) != fingerprint(JUDGE, *USUAL)
