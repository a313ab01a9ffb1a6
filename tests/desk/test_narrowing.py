"""Narrowing: whoever works through a part of a batch sees that part, and is led along it."""

import pytest

from assay.desk import pages
from assay.desk.narrowing import ALL, Narrowing, narrowing
from tests.cast import AT
from tests.desks import Logs, candidate, guide, person

ONE = candidate(1, turns=["Où est ma BOÎTE?"]).model_copy(update={"made": "import"})
TWO = candidate(2, "escalation").model_copy(update={"made": "document"})


@pytest.mark.parametrize(
    ("only", "fitting"),
    [
        (ALL, [ONE, TWO]),
        (Narrowing(made="import"), [ONE]),
        (Narrowing(text=" boîte "), [ONE]),
        (Narrowing(text="ESCALATION-002"), [TWO]),
        (Narrowing(category="escalation", made="import"), []),
        (Narrowing(text="[a-z]*"), []),
    ],
)
def test_all_that_is_given_has_to_fit(only: Narrowing, fitting: list[object]) -> None:
    """By category, way and words, in any letter case; words are no pattern."""
    assert [one for one in (ONE, TWO) if only.fits(one)] == fitting
    queue = Logs([ONE, TWO]).queue()
    assert queue.open_for("ada", AT, only) == fitting
    assert queue.next_for("ada", AT, only=only) == (fitting[0].candidate_id if fitting else None)  # type: ignore[attr-defined]
    assert pages.candidate(person("ada"), queue, ONE, guide(), only)["total"] == len(fitting)


def test_an_address_keeps_it() -> None:
    """What stands in an address narrows the next page likewise, whatever signs it has; nothing is no address."""
    only = narrowing({"text": "a&b=c?#", "made": "import", "page": "7"})
    assert only == Narrowing(text="a&b=c?#", made="import")
    assert only.query() == "?made=import&text=a%26b%3Dc%3F%23"
    assert ALL.query() == ""
