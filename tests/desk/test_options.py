"""Options of a check in the form of a candidate: one a line as `name: JSON`, and read back as what they were."""

from typing import Any

import pytest

from assay.checks import registry
from assay.desk import editing
from assay.desk.candidate_queue import RefusedError
from assay.records.case import Case
from tests.cast import case

OWNERS = {"refunds": "payments"}
REFUND = {"name": "refund", "arguments": '{"amount": 3}'}
WRITTEN: list[tuple[dict[str, Any], str, str]] = [
    ({"check": "numeric", "equals": 3, "absolute": 0.5}, "equals: 3\nabsolute: 0.5", ""),
    (
        {"check": "context-recall", "facts": ["Die Gr\u00f6\u00dfe"], "threshold": 0.5, "exact": True},
        'facts: ["Die Gr\u00f6\u00dfe"]\nthreshold: 0.5',
        "on",
    ),
    ({"check": "trajectory", "calls": [REFUND], "mode": "subset", "exact": True}, 'exact: true\nmode: "subset"', ""),
    ({"check": "not-latency", "seconds": 3}, "seconds: 3", ""),
    ({"check": "tool-call", "calls": [REFUND]}, "", ""),
]
"""An expectation as a person writes it, its options in the form, and the form's box."""


def of(*written: dict[str, Any]) -> Case:
    """Return a case with these expectations."""
    return case(1, expectations=[registry.read(one) for one in written])


def form(shown: Case, **changes: str) -> dict[str, str]:
    """Return the form of a case as a browser sends it."""
    names, found = ("check", "values", "calls", "exact"), editing.fields(shown, {})
    rows = {
        f"{name}-{number}": text
        for number, row in enumerate(found["expectations"])
        for name, text in zip(names, row, strict=True)
    }
    return rows | {"turn-0": shown.turns[0], "reference": shown.reference, "case-category": shown.category} | changes


@pytest.mark.parametrize(("written", "text", "box"), WRITTEN)
def test_options_stand_one_a_line(written: dict[str, Any], text: str, box: str) -> None:
    """In their own letters; what has a field or a box of its own is not repeated among them."""
    check, values, calls, exact = editing.fields(of(written), {})["expectations"][0]
    assert (check, values, exact) == (written["check"], text, box)
    assert calls == ('refund {"amount": 3}' if "calls" in written else "")


def test_untouched_options_are_the_same_expectations() -> None:
    """Options, calls and box, sent back as they are, are what was shown."""
    shown = of(*(written for written, _, _ in WRITTEN))
    assert editing.edited(shown, form(shown), OWNERS).expectations == shown.expectations


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("\n equals :  4 \n\nrelative: 0.1\n", {"equals": 4, "relative": 0.1}),
        ("equals: 4\nabsolute: 1\npath: $.total", {"equals": 4, "absolute": 1, "path": "$.total"}),
        ('equals: 4\nabsolute: 1\npath: "$.total"', {"equals": 4, "absolute": 1, "path": "$.total"}),
    ],
)
def test_options_are_read_line_by_line(text: str, fields: dict[str, Any]) -> None:
    """Blank lines and blanks say nothing, and a text needs no quotes."""
    shown = of({"check": "numeric", "equals": 3, "absolute": 1})
    (read,) = editing.edited(shown, form(shown, **{"values-0": text}), OWNERS).expectations
    assert read == registry.read({"check": "numeric"} | fields)


def test_calls_stay_beside_options() -> None:
    """A changed option leaves the calls as they were typed."""
    shown = of({"check": "trajectory", "calls": [REFUND], "mode": "subset"})
    (read,) = editing.edited(shown, form(shown, **{"values-0": "mode: strict"}), OWNERS).expectations
    assert read == registry.read({"check": "trajectory", "calls": [REFUND], "mode": "strict"})


@pytest.mark.parametrize("text", ["equals: three\nabsolute: 1", "equals: 3\nwithin: 2", "equals 3", "3"])
def test_options_that_the_check_does_not_have_are_refused(text: str) -> None:
    """A misspelt option, or one with a value that it cannot have, is no expectation."""
    shown = of({"check": "numeric", "equals": 3, "absolute": 1})
    with pytest.raises(RefusedError, match="numeric"):
        editing.edited(shown, form(shown, **{"values-0": text}), OWNERS)
