"""Soundness: nobody is bothered with a case that no check could score or no passage answers, or that judges know."""

from typing import Any

import pytest

from assay.generation.prompt import Proposal
from assay.generation.strategies import Ask, Material
from assay.generation.validation import fault
from assay.records.candidate import Source
from assay.records.case import Expectation, SimulatedUser
from tests.cast import call, case
from tests.desks import guide

PASSAGE = "Refunds are possible within 14 days of delivery, up to $40 in the chat."
REFUNDS = Material("refunds.md", f"# Refunds\n{PASSAGE} After that we cannot make refunds.")
TOOL = {
    "type": "function",
    "function": {
        "name": "refund",
        "parameters": {
            "type": "object",
            "properties": {"order": {"type": "string", "pattern": "^PL-[0-9]{4}$"}},
            "required": ["order"],
            "additionalProperties": False,
        },
    },
}


def said(way: str, quote: str = "", document: str = "refunds.md", **changes: Any) -> str:
    """Return what is wrong with a proposal of a way."""
    category = guide().taxonomy["refunds"]
    ask = Ask(way=way, category=category, count=1, material=[REFUNDS, Material("trace-1", "x")], tools=[TOOL])  # type: ignore[arg-type]
    fields = {"turns": ["May I have my money back?"], "expectations": []} | changes
    sources = [Source(document=document, quote=quote)] if quote else []
    return fault(Proposal(case=case(1, **fields), made=ask.way, sources=sources), ask)


def calling(arguments: str, name: str = "refund") -> list[Expectation]:
    """Return the expectation of one call."""
    return [Expectation(check="tool-call", calls=[call(name, arguments)])]


ANSWER = "Refunds are possible within 14 days of delivery."
USER = SimulatedUser(goal="Money back.", persona="", stop="promised", max_turns=3)


@pytest.mark.parametrize(
    ("way", "changes", "why"),
    [
        ("category", {"expectations": [Expectation(check="regex", values=["("])]}, "cannot be scored"),
        ("category", {"expectations": [Expectation(check="unheard-of")]}, "cannot be scored"),
        ("document", {"reference": ANSWER}, "lacks a passage"),
        ("document", {"quote": "Refunds are possible within 30 days.", "reference": ANSWER}, "does not stand in"),
        ("document", {"quote": "Refunds", "reference": "Refunds."}, "does not stand in"),
        ("document", {"quote": PASSAGE, "reference": "Refunds within 15 days."}, "a number of the reference"),
        ("document", {"quote": PASSAGE, "reference": "Gift cards never expire anywhere."}, "what the reference says"),
        ("conversation", {}, "lacks a simulated user"),
        ("production", {"parent": "refunds-001"}, "lacks the conversation it is from"),
        ("tool-call", {}, "lacks an expected call"),
        ("tool-call", {"expectations": calling('{"order": "17"}')}, "does not allow"),
        ("tool-call", {"expectations": calling("{")}, "cannot be scored"),
        ("tool-call", {"expectations": calling("{}", "delete_all")}, "there is no tool 'delete_all'"),
        ("category", {"reference": "Call +49 30 1234567."}, "it holds a telephone number"),
        (
            "conversation",
            {"user": USER.model_copy(update={"goal": "from ada@gmail.com"})},
            "it holds an e-mail address",
        ),
    ],
)
def test_an_unsound_case_is_named(way: str, changes: dict[str, Any], why: str) -> None:
    """Each fault is found and told in a few words."""
    assert why in said(way, **changes)


@pytest.mark.parametrize(
    ("way", "changes"),
    [
        ("category", {}),
        ("category", {"turns": ["Five days?"]}),
        ("document", {"quote": PASSAGE.upper().replace(" ", "\n"), "reference": ANSWER}),
        ("conversation", {"user": USER}),
        ("production", {"parent": "trace-1"}),
        ("tool-call", {"expectations": calling('{"order": "PL-1042"}')}),
    ],
)
def test_a_sound_case_passes(way: str, changes: dict[str, Any]) -> None:
    """A case that has all its way asks for is sound, whatever its passage's capitals and line ends."""
    assert said(way, **changes) == ""
