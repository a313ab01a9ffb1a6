"""Ways: the budget goes where coverage is thinnest, and each way is shown what it can make cases from."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.generation.strategies import WAYS, Ask, Material, Stock, asks, crowded, failures, shares, thinnest
from assay.judges.declaration import AppliesTo
from assay.records.case import Expectation
from assay.records.category import Category
from tests.cast import AT, call, case, trace

NOUNS = ["box", "bag", "milk", "rice", "soup", "salad", "bread", "cheese", "apple", "pear", "fish", "cake"]


def category(name: str, severity: str = "medium", quota: int = 10, **changes: Any) -> Category:
    """Return a category of expected failures."""
    texts = {"definition": "Wrong refunds.", "examples": ["One."], "owner": "payments", "layer": "task"}
    return Category.model_validate({"category": name, "severity": severity, "quota": quota} | texts | changes)


def planned(count: int, batch: int = 0, layer: str = "task", **stock: Any) -> list[Ask]:
    """Return what is asked for one category."""
    fields = {"cases": [case(number) for number in range(9)]} | stock
    return asks(category("refunds", layer=layer), count, WAYS, Stock(**fields), examples=3, batch=batch)


def test_the_budget_goes_where_coverage_is_thinnest() -> None:
    """Worked: gaps 1/2 x 4, 1/2 x 2 and 0; ten are one each and seven more as 2 : 1 : 0, which is 4.67 : 2.33."""
    taxonomy = [category("a", "critical", 4), category("b", "medium", 4), category("c", "high", 2)]
    cases = [case(number, name) for name in "abc" for number in (1, 2)]
    assert shares(taxonomy, cases, 10) == {"a": 6, "b": 3, "c": 1}


@given(
    st.lists(st.tuples(st.sampled_from(["low", "critical"]), st.integers(1, 9)), min_size=1, max_size=6),
    st.integers(1, 50),
)
def test_every_category_gets_one_and_the_sum_is_the_budget(found: list[tuple[str, int]], total: int) -> None:
    """Whatever the gaps, no category goes without, and nothing is lost to rounding."""
    taxonomy = [category(f"c{number}", severity, quota) for number, (severity, quota) in enumerate(found)]
    given_out = shares(taxonomy, [case(number, "c0") for number in range(5)], total)
    assert min(given_out.values()) >= 1
    assert sum(given_out.values()) == max(total, len(taxonomy))


def test_full_categories_come_last() -> None:
    """A category at its quota is asked about only when no other one is left."""
    cases = [case(number, "a") for number in range(10)]
    assert [one.category for one in thinnest([category("a", "critical"), category("b", "low")], cases, 1)] == ["b"]


def test_without_material_a_way_is_left_out() -> None:
    """No documents, failures, tools or cases: all candidates are asked for by category alone."""
    (only,) = planned(5, cases=[])
    assert (only.way, only.count) == ("category", 5)
    assert [one.way for one in planned(4)] == ["category", "conversation"]


def test_each_way_has_its_material() -> None:
    """Documents near the category, its own failures, and the tools go to the ways that need them, and to no other."""
    documents = [Material(f"{noun}.md", f"All about {noun}.") for noun in NOUNS] + [Material("r.md", "Wrong refunds.")]
    tools = [{"type": "function", "function": {"name": "refund"}}]
    found = {
        one.way: one
        for one in planned(
            6,
            documents=documents,
            tools=tools,
            failures={"refunds": [[Material("t", "x")]], "other": [[Material("o", "y")]]},
            rubrics=[
                (AppliesTo(category=("other",)), Material("other", "z")),
                (AppliesTo(layer=("task",)), Material("tone", "Polite.")),
            ],
        )
    }
    assert set(found) == set(WAYS)
    assert [one.name for one in found["rubric"].material] == ["tone"]
    assert found["document"].material[0].name == "r.md"
    assert [one.name for one in found["production"].material] == ["t"]
    assert (found["tool-call"].tools, found["category"].tools, found["category"].material) == (tools, (), ())
    assert {one.way for one in planned(5, layer="unit", documents=documents, tools=tools)} == {"category", "document"}


def test_batches_take_turns() -> None:
    """Another batch begins with another way, other examples and other documents."""
    documents = [Material(f"{noun}.md", noun) for noun in NOUNS]
    first, second = (planned(1, batch, documents=documents) for batch in (0, 1))
    assert [first[0].way, second[0].way] == ["category", "document"]
    shown = [[one.case_id for one in planned(1, batch)[0].examples] for batch in (0, 2)]
    assert shown == [["refunds-000", "refunds-001", "refunds-002"], ["refunds-006", "refunds-007", "refunds-008"]]


def test_examples_show_how_a_way_looks() -> None:
    """The way of tool calls is shown cases that expect calls, where there are any."""
    calls = case(50, expectations=[Expectation(check="tool-call", calls=[call("refund")])])
    found = planned(9, cases=[case(1), calls], tools=[{"function": {"name": "refund"}}])
    (asked,) = [one for one in found if one.way == "tool-call"]
    assert [one.case_id for one in asked.examples] == ["refunds-050"]


def test_what_is_in_plenty_is_told() -> None:
    """A word that most cases have is listed with how many have it; a handful of cases has nothing in plenty."""
    cases = [case(number, turns=[f"Where is the lasagne with {noun}?"]) for number, noun in enumerate(NOUNS)]
    assert crowded(cases) == ["lasagne (in 12 of 12)", "where (in 12 of 12)"]
    assert crowded(cases[:4]) == []


def test_only_failed_conversations_are_shown() -> None:
    """A thumb down or a second contact is a failure; the newest come first, within their category."""
    rows = [
        trace(1, AT, thumb="down", category="refunds"),
        trace(2, AT + timedelta(hours=1), contacted_again=True, category="refunds"),
        trace(3, AT, thumb="up", contacted_again=False, category="refunds"),
    ]
    assert [one.name for group in failures(rows)["refunds"] for one in group] == [rows[1].trace_id, rows[0].trace_id]


def test_a_frequent_failure_is_shown_by_itself_and_first() -> None:
    """A prompt shows conversations that failed over the same matter; the next batch shows the next matter."""
    wet = [trace(n, AT, thumb="down", category="refunds", question=f"The parcel came wet, {n} boxes") for n in range(3)]
    late = [trace(n, AT, thumb="down", category="refunds", question=f"Why so late again at {n}?") for n in (7, 8)]
    found = failures([late[0], *wet, late[1]])
    shown = [
        {one.name for ask in planned(3, batch, failures=found) if ask.way == "production" for one in ask.material}
        for batch in (0, 1)
    ]
    assert shown == [{one.trace_id for one in wet}, {one.trace_id for one in late}]


def test_a_generator_learns_nobody_s_address() -> None:
    """What could tell who a user is does not go to the generator's service, wherever in the conversation it stands."""
    said = {
        "question": "I am ada@gmail.com.",
        "answer": "We call +49 30 1234567.",
        "contexts": ["Card 4539148803436467"],
    }
    ((one,),) = failures([trace(1, AT, thumb="down", category="refunds", **said)])["refunds"]
    assert one.text == (
        "USER: I am [an e-mail address].\nPRODUCT: We call [a telephone number].\nRETRIEVED: Card [a card number]"
    )


@pytest.mark.parametrize("count", [0, 1, 3, 11])
def test_as_many_are_asked_for_as_were_dealt(count: int) -> None:
    """The counts of all ways add up to the category's share."""
    assert sum(one.count for one in planned(count, documents=[Material("a.md", "a")])) == count
