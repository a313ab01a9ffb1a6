"""Contrasts: something else is asked, and what is expected follows from that; where nothing follows there is none."""

import json

import numpy as np
import pytest

from assay.checks import registry
from assay.generation.perturbations import perturb
from assay.records.case import Case, Expectation
from tests.cast import call, case

PAUSE = case(
    1,
    turns=["Could you pause my subscription SUB-2042 for 4 weeks?"],
    expectations=[
        Expectation(check="tool-call", calls=[call("pause", '{"subscription": "SUB-2042", "weeks": 4}')]),
        Expectation(check="icontains", values=["4 weeks"]),
    ],
)


def made(of: Case, name: str, seed: int = 1) -> Case | None:
    """Make a contrast with a generator of this seed."""
    return perturb(of, name, np.random.default_rng(seed))


def test_a_forbidden_request_must_not_be_carried_out() -> None:
    """The negation of a request expects that the calls are not made, and nothing else of the old case."""
    found = made(PAUSE, "negation")
    assert found
    assert found.turns[0].startswith("Please do not pause my subscription SUB-2042 for 4 weeks.")
    assert [(one.check, one.calls) for one in found.expectations] == [("not-tool-call", PAUSE.expectations[0].calls)]
    assert (found.reference, found.parent, found.provenance) == ("", PAUSE.case_id, "generated")
    registry.validate(found.expectations[0])


@pytest.mark.parametrize("seed", range(12))
def test_another_quantity_arrives_in_the_call(seed: int) -> None:
    """The number in the request and the one in the expected call are the same other number; codes stay."""
    found = made(PAUSE, "other-number", seed)
    assert found
    weeks = json.loads(found.expectations[0].calls[0].arguments)["weeks"]
    assert 1 <= weeks <= 12
    assert weeks != 4
    assert found.turns == [f"Could you pause my subscription SUB-2042 for {weeks} weeks?"]
    assert [one.check for one in found.expectations] == ["tool-call"]


@pytest.mark.parametrize(
    "changes",
    [
        {
            "turns": ["My subscription is paused for 4 weeks, is it not?"],
            "expectations": [Expectation(check="is-json")],
        },
        {"turns": ["Could you pause it?", "For 4 weeks."], "expectations": []},
        {"expectations": [Expectation(check="tool-call", calls=[call("pause", "no JSON")])], "turns": ["Pause 4."]},
        {"turns": ["Pause order PL-4 for $4 on 4/4."]},
    ],
)
def test_where_nothing_follows_there_is_none(changes: dict[str, object]) -> None:
    """No request, no expected call, or a number that only stands in a code makes no contrast."""
    assert [made(PAUSE.model_copy(update=changes), name) for name in ("negation", "other-number")] == [None, None]
