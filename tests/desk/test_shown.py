"""What the desk's pages are given to show: places, counts and lists, before any template."""

from datetime import timedelta

import pytest

from assay.checks import registry
from assay.desk import pages
from tests.cast import AT
from tests.desks import Logs, candidate, guide, person, said

FOUR = [candidate(1), candidate(2, "escalation"), candidate(3), candidate(4)]


@pytest.mark.parametrize(
    ("number", "category", "place"),
    [
        (1, "", (1, 4, "refunds-004", "escalation-002")),
        (4, "", (4, 4, "refunds-003", "refunds-001")),
        (1, "refunds", (1, 3, "refunds-004", "refunds-003")),
        (3, "refunds", (2, 3, "refunds-001", "refunds-004")),
        (2, "escalation", (1, 1, "escalation-002", "escalation-002")),
        (2, "refunds", (0, 3, "", "")),
    ],
)
def test_a_candidate_s_place_is_among_its_category(number: int, category: str, place: tuple[object, ...]) -> None:
    """Its number, how many there are, and the ones before and after, in a ring; of all where no category is chosen."""
    one = FOUR[number - 1]
    found = pages.candidate(person("ada"), Logs(FOUR).queue(), one, guide(), category)
    assert (found["number"], found["total"], found["before"], found["after"]) == place


def test_only_decided_ones_of_the_category_are_counted() -> None:
    """Of two decided candidates one is of the category that is looked at."""
    queue = Logs(FOUR).queue()
    for one in FOUR[:2]:
        queue.say(person("ada"), said(one), AT)
    done = {name: pages.candidate(person("ada"), queue, FOUR[0], guide(), name)["done"] for name in ("", "refunds")}
    assert done == {"": 2, "refunds": 1}
    assert pages.candidate(person("ben"), queue, FOUR[0], guide())["done"] == 0


def test_every_check_and_its_opposite_can_be_chosen() -> None:
    """The form of a candidate lists them by the alphabet, and the categories too."""
    found = pages.form(FOUR[0], guide(), {})
    assert found["checks"] == sorted({*registry.KINDS, *(f"not-{kind}" for kind in registry.KINDS)})
    assert found["categories"] == sorted(guide().taxonomy)


def test_a_batch_is_over_at_its_deadline() -> None:
    """Before the deadline it is open, and where there is no batch nothing is over."""
    logs = Logs(FOUR)
    assert logs.batch
    late = logs.batch.deadline + timedelta(seconds=1)
    shown = {at: pages.start(person("ada"), logs.queue(), logs.labels(), at)["is_over"] for at in (AT, late)}
    assert shown == {AT: False, late: True}
    logs.batch = None
    assert pages.start(person("ada"), logs.queue(), logs.labels(), late)["is_over"] is False
