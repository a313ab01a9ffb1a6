"""What is told of a fault is in plain words, not in those of the library that found it, and one thing is no plural."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from assay.text import counted, first_fault


class Written(BaseModel):
    """What a person writes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    whole: int = 1
    number: int | float = 1
    text: str = ""
    several: list[str] = []
    given: dict[str, Any] = {}
    flag: bool = False
    demanded: str


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "demanded is missing, expected: a value"),
        ({"demandd": "x"}, "demanded is missing, expected: a value (found demandd, no such name here)"),
        ({"demanded": 5}, "demanded is 5, expected: a text: put it in quotes"),
        ({"demanded": ["x"]}, "demanded is ['x'], expected: a text"),
        ({"demanded": "x", "whole": "80"}, "whole is '80', expected: a whole number without quotes"),
        ({"demanded": "x", "whole": "many"}, "whole is 'many', expected: a whole number"),
        ({"demanded": "x", "number": "-0.5"}, "number is '-0.5', expected: a number without quotes"),
        ({"demanded": "x", "number": "half"}, "number is 'half', expected: a number"),
        ({"demanded": "x", "several": "one"}, "several is 'one', expected: a list"),
        ({"demanded": "x", "given": []}, "given is [], expected: names with values"),
        ({"demanded": "x", "flag": "yes"}, "flag is 'yes', expected: true or false"),
        ({"demanded": "x", "colour": 1}, "colour is 1, expected: no such name here"),
        ({"whole": "a", "flag": 3}, "whole is 'a', expected: a whole number (and 2 more faults)"),
        ({"demanded": "x", "whole": "a", "flag": 3}, "whole is 'a', expected: a whole number (and 1 more fault)"),
    ],
)
def test_a_fault_is_told_in_plain_words(fields: dict[str, Any], told: str) -> None:
    """Each kind of fault has words of its own, and a number in quotes is told to lose them."""
    with pytest.raises(ValidationError) as caught:
        Written.model_validate(fields)
    assert first_fault(caught.value, written=fields) == told


@pytest.mark.parametrize(
    ("number", "nouns", "told"),
    [
        (0, ("case",), "0 cases"),
        (1, ("case",), "1 case"),
        (2, ("case",), "2 cases"),
        (1, ("is", "are"), "1 is"),
        (5, ("is", "are"), "5 are"),
    ],
)
def test_one_is_no_plural(number: int, nouns: tuple[str, ...], told: str) -> None:
    """One of a thing is told in the singular, none and several in the plural."""
    assert counted(number, *nouns) == told
