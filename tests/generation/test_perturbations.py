"""Perturbations: the question changes, what is expected does not."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.generation.perturbations import PERTURBATIONS, perturb
from assay.records.case import Case, Expectation, ToolCall

CASE = Case(
    case_id="change-delivery-007",
    layer="task",
    category="change-delivery",
    turns=[
        "Please deliver order PL-1042 to 3 Elm Street by 5 pm, my mail is ana.b@example.com",
        "yes, I want it before 14 boxes arrive",
    ],
    reference="Order PL-1042 goes to 3 Elm Street.",
    expectations=[
        Expectation(check="tool-call", calls=[ToolCall(name="change_delivery", arguments='{"order": "PL-1042"}')]),
        Expectation(check="icontains-any", values=["Elm"]),
    ],
    provenance="written",
    parent="",
    owner="logistics",
)
FACTS = ("PL-1042", "ana.b@example.com")
NAMES = sorted(PERTURBATIONS)


def made(case: Case, name: str, seed: int = 1) -> Case | None:
    """Perturb with a generator of this seed."""
    return perturb(case, name, np.random.default_rng(seed))


@pytest.mark.parametrize("name", NAMES)
def test_expected_behaviour_is_kept(name: str) -> None:
    """Layer, category, reference, expectations and owner stay; parent, provenance and id say where it comes from."""
    case = made(CASE, name)
    assert case is not None
    assert Case.model_validate(case.model_dump()) == case
    kept = {"layer", "category", "reference", "expectations", "owner"}
    assert case.model_dump(include=kept) == CASE.model_dump(include=kept)
    assert (case.provenance, case.parent) == ("generated", CASE.case_id)
    assert case.case_id.startswith(f"{CASE.case_id}-{name}-")
    assert case.turns != CASE.turns
    assert len(case.turns) == len(CASE.turns)


@given(st.sampled_from(NAMES), st.integers(min_value=0, max_value=2**32))
def test_facts_are_never_touched(name: str, seed: int) -> None:
    """Order numbers and addresses survive every perturbation, letter for letter and in their letter case."""
    case = made(CASE, name, seed)
    assert case is not None
    assert all(fact in case.turns[0] for fact in FACTS)


@given(st.sampled_from(NAMES), st.lists(st.text(), max_size=3), st.integers(min_value=0, max_value=99))
def test_any_question_can_be_perturbed(name: str, turns: list[str], seed: int) -> None:
    """Whatever users wrote besides, one turn that can be changed makes a valid case with other turns."""
    said = [*turns[: seed % 3], "I want these 4 boxes before 5 pm, please.", *turns[seed % 3 :]]
    case = made(CASE.model_copy(update={"turns": said}), name, seed)
    assert case is not None
    assert Case.model_validate(case.model_dump()) == case
    assert len(case.turns) == len(said)
    assert case.turns != said
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", case.case_id)


@pytest.mark.parametrize("name", NAMES)
def test_chance_comes_from_the_generator_only(name: str) -> None:
    """Equal seeds give equal cases."""
    assert made(CASE, name, 5) == made(CASE, name, 5)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ("I need 4 boxes", "I need four boxes"),
        ("20 or 0?", "twenty or zero?"),
        ("order PL-4, #5, $6, 7.50, 8%, 9:30, 1/2, 21 and 100", None),
        ("on 2026-11-02 at 3pm", None),
    ],
)
def test_numbers_in_words(turn: str, expected: str | None) -> None:
    """Only free-standing whole numbers up to twenty are spelled; codes, money, times and dates are facts."""
    case = made(CASE.model_copy(update={"turns": [turn]}), "spelled-number")
    assert (case.turns[0] if case else None) == expected


def test_nothing_to_change_is_none() -> None:
    """A perturbation that finds nothing to change proposes nothing."""
    quiet = CASE.model_copy(update={"turns": ["PL-1042?"]})
    assert [made(quiet, name) for name in ("typos", "shouting", "spelled-number")] == [None, None, None]


def test_typos_are_few() -> None:
    """At most three words are misspelled, each by one letter more or less or two swapped."""
    long = CASE.model_copy(update={"turns": ["please deliver everything tomorrow morning because nobody"]})
    for seed in range(50):
        case = made(long, "typos", seed)
        assert case is not None
        pairs = list(zip(long.turns[0].split(), case.turns[0].split(), strict=True))
        assert 1 <= sum(before != after for before, after in pairs) <= 3
        assert all(abs(len(before) - len(after)) <= 1 for before, after in pairs)


def test_injection_comes_last_and_leaves_the_question() -> None:
    """The user's own words stand unchanged before the injected instruction."""
    case = made(CASE, "injection")
    assert case is not None
    assert case.turns[0] == CASE.turns[0]
    assert case.turns[-1].startswith(f"{CASE.turns[-1]}\n\n")


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ("On May 2 at 5 pm, for $40.", "On 2 May at 17:00, for 40 USD."),
        ("12 am or 12:30 p.m.?", "0:00 or 12:30?"),
        ("May I pay $7.50.2 on May 2, 2026, as PL-17pm?", None),
    ],
)
def test_other_places_write_otherwise(turn: str, expected: str | None) -> None:
    """Dates, times and money keep their meaning, and what only looks like one is left alone."""
    case = made(CASE.model_copy(update={"turns": [turn]}), "locale")
    assert (case.turns[0] if case else None) == expected


def test_a_paraphrase_keeps_capitals_and_codes() -> None:
    """Everyday words are said otherwise, a capital stays one, and words within codes and addresses are left alone."""
    case = made(CASE.model_copy(update={"turns": ["I'm asking: don't fix help@get.example or GET-1."]}), "paraphrase")
    assert case
    assert case.turns == ["I am asking: do not repair help@get.example or GET-1."]


def test_ids_are_unique_per_question() -> None:
    """Two different questions made from one case never share an id."""
    cases = [made(CASE, name, seed) for name in NAMES for seed in range(20)]
    ids = {case.case_id: case.turns for case in cases if case}
    assert len(ids) == len({tuple(case.turns) for case in cases if case})
