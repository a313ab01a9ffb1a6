"""Out and back: what a format can hold of a case comes back letter by letter, and the rest is told."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay.interchange.sets import registry
from assay.records.case import Case
from tests.interchange.sets.shop import FILLING, PLAIN_CALLS, SAME, SETS

WHOLE = [
    ("rows", "set.jsonl"),
    ("rows", "set.json"),
    ("rows", "set.csv"),
    ("inspect", "set.jsonl"),
    ("inspect", "set.json"),
    ("langsmith", "set.jsonl"),
    ("langsmith", "set.json"),
    ("langsmith", "set.csv"),
    ("langfuse", "set.json"),
    ("langfuse", "set.jsonl"),
    ("langfuse", "set.csv"),
]

ECHO = "1 setting of promptfoo's own, outside any case, in the configuration, providers"
FEW = settings(max_examples=20, deadline=None)


def there_and_back(cases: Sequence[Case], name: str, file_name: str) -> tuple[list[Case], list[str], list[str]]:
    """Return the cases that come back, what the writing could not hold and what the reading did not understand."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / file_name
        lost = registry.write(cases, file, name).lost
        first = file.read_bytes()
        registry.write(cases, file, name)
        assert file.read_bytes() == first
        found = registry.read(file, name, FILLING)
        return found.cases, lost, found.not_understood


@pytest.mark.parametrize(("name", "file_name"), WHOLE)
@FEW
@given(cases=SETS)
def test_formats_with_free_metadata_hold_everything(name: str, file_name: str, cases: list[Case]) -> None:
    """Formats with free metadata return equal cases, lose nothing and leave nothing over."""
    assert there_and_back(cases, name, file_name) == (cases, [], [])


@FEW
@given(cases=SETS)
def test_openai_items_hold_all_but_expectations(cases: list[Case]) -> None:
    """Items of OpenAI's Evals return everything but expectations; cases with a simulated user are told as left out."""
    kept = [one for one in cases if one.user is None]
    assume(kept)
    found, lost, over = there_and_back(cases, "openai-evals", "set.jsonl")
    assert found == [one.model_copy(update={"expectations": []}) for one in kept]
    assert not over
    assert bool(lost) == (kept != cases or any(one.expectations for one in kept))


@FEW
@given(cases=SETS, calls=st.lists(PLAIN_CALLS, min_size=4, max_size=4))
def test_chat_rows_hold_turns_reference_and_calls(cases: list[Case], calls: list[object]) -> None:
    """Chat rows return turns, reference and one list of expected calls."""
    cases = [
        one.model_copy(update={"expectations": [call], "user": None}) for one, call in zip(cases, calls, strict=False)
    ]
    assert there_and_back(cases, "chat", "set.jsonl") == (cases, [], [])


@FEW
@given(cases=SETS)
def test_chat_rows_tell_what_they_lose(cases: list[Case]) -> None:
    """Of other expectations each is told, and so is each case with a simulated user."""
    kept = [one for one in cases if one.user is None]
    assume(kept)
    found, lost, _ = there_and_back(cases, "chat", "set.jsonl")
    bare = {"expectations": []}
    assert [one.model_copy(update=bare) for one in found] == [one.model_copy(update=bare) for one in kept]
    fewer = sum(len(one.expectations) for one in kept) - sum(len(one.expectations) for one in found)
    told = [int(line.split()[0]) for line in lost if "expectation" in line]
    assert sum(told) == fewer


@FEW
@given(cases=SETS, expectations=st.lists(SAME, max_size=3))
def test_promptfoo_holds_what_it_has_an_assertion_for(cases: list[Case], expectations: list[object]) -> None:
    """A configuration returns cases of one turn, with each expectation that promptfoo has an assertion for."""
    cases = [
        one.model_copy(update={"turns": one.turns[:1], "user": None, "expectations": expectations}) for one in cases
    ]
    kept = [one for one in cases if "{%" not in str(one)]
    assume(kept)
    found, lost, over = there_and_back(kept, "promptfoo", "set.yaml")
    assert (found, lost, over) == (kept, [], [ECHO])


@FEW
@given(cases=SETS)
def test_promptfoo_tells_what_it_loses(cases: list[Case]) -> None:
    """What comes back from a configuration is a part of what went in, and each expectation that is missing is told."""
    kept = [one for one in cases if one.user is None and len(one.turns) == 1]
    assume(kept)
    found, lost, over = there_and_back(cases, "promptfoo", "set.yaml")
    assert over == [ECHO]
    assert [one.case_id for one in found] == [one.case_id for one in kept]
    fewer = sum(len(one.expectations) for one in kept) - sum(len(one.expectations) for one in found)
    assert sum(int(line.split()[0]) for line in lost if "expectation" in line) == fewer
    assert sum(int(line.split()[0]) for line in lost if "left out" in line) == len(cases) - len(kept)


@pytest.mark.parametrize("file_name", ["set.json", "set.csv"])
@FEW
@given(cases=SETS)
def test_goldens_hold_cases_of_one_turn(file_name: str, cases: list[Case]) -> None:
    """Goldens return cases of one turn whole; the others are told as left out."""
    kept = [one for one in cases if one.user is None and len(one.turns) == 1]
    assume(kept)
    found, lost, over = there_and_back(cases, "deepeval", file_name)
    assert (found, over) == (kept, [])
    assert sum(int(line.split()[0]) for line in lost) == len(cases) - len(kept)


@FEW
@given(cases=SETS)
def test_conversational_goldens_hold_simulated_users(cases: list[Case]) -> None:
    """Where each case has a simulated user, conversational goldens return them whole."""
    cases = [one for one in cases if one.user]
    assume(cases)
    assert there_and_back(cases, "deepeval", "set.json") == (cases, [], [])


@pytest.mark.parametrize("file_name", ["set.jsonl", "set.json", "set.csv"])
@FEW
@given(cases=SETS)
def test_samples_of_ragas_hold_turns_and_references(file_name: str, cases: list[Case]) -> None:
    """Samples of Ragas return turns and references; names and categories are told as lost."""
    kept = [one for one in cases if one.user is None and (len(one.turns) == 1 or file_name != "set.csv")]
    unlike = {(tuple(one.turns), one.reference): one for one in kept}
    assume(kept and len(unlike) == len(kept))
    found, lost, over = there_and_back(cases, "ragas", file_name)
    assert not over
    assert [(one.turns, one.reference) for one in found] == [(one.turns, one.reference) for one in kept]
    assert any("`category`" in line for line in lost)
