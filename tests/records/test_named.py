"""Named values of a case: one spelling, no value that a table could not hold, and no hash of before changed."""

from typing import Any

import pytest
from pydantic import ValidationError

from assay.records import named
from assay.records.case import Case
from assay.records.label import Item
from tests.cast import case, item


@pytest.mark.parametrize(
    "given",
    [
        *([1], "text", "[1]", 3, {"a b": 1}, {"": 1}, {"a.b": 1}, {"x" * 41: 1}, {1: 2}),
        *({"a": float("nan")}, '{"a": NaN}', {"a": {1, 2}}, {"a": "\ud800"}, '{"a": '),
    ],
)
def test_what_is_no_object_of_named_values_is_refused(given: Any) -> None:
    """Another type, a name that no template could hold, NaN, half a character and broken JSON are no inputs."""
    with pytest.raises(ValidationError):
        case(1, inputs=given)


def test_values_have_one_spelling() -> None:
    """An object and its JSON text are the same inputs, whatever their order; types are kept."""
    one = case(1, inputs={"limit": 3, "language": "de", "tags": ["a", None, 1.5]})
    other = case(1, inputs='{"tags": ["a", null, 1.5],"language":"de","limit":3}')
    assert one == other
    assert one.values() == {"language": "de", "limit": 3, "tags": ["a", None, 1.5]}
    assert Case.model_validate_json(one.model_dump_json()) == one
    assert case(1, inputs={"limit": "3"}).revision() != case(1, inputs={"limit": 3}).revision()


def test_a_case_without_inputs_is_the_case_of_before() -> None:
    """No value at all changes neither digest, revision nor request; a value changes all three."""
    plain, empty, filled = case(1), case(1, inputs={}), case(1, inputs={"language": "de"})
    assert (plain.digest(), plain.revision(), plain.request()) == (empty.digest(), empty.revision(), empty.request())
    assert {plain.digest(), plain.revision(), plain.request()}.isdisjoint(
        {filled.digest(), filled.revision(), filled.request()}
    )


def test_an_item_is_of_the_case_with_its_inputs() -> None:
    """People who labelled an answer to other inputs were asked about another case."""
    of = case(1, inputs={"language": "de"})
    one = item(1, "Ja.", turns=of.turns, case_id=of.case_id, reference="", inputs=of.inputs)
    assert Item.model_validate(one.model_dump()).asks(of)
    assert not one.asks(case(1, inputs={"language": "fr"}))


def test_a_value_is_shown_as_it_is_read() -> None:
    """A text is shown as it is, anything else as JSON."""
    assert [named.shown(value) for value in ("de", 3, ["ä"], None)] == ["de", "3", '["ä"]', "null"]
