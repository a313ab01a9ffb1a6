"""Soundness: what a proposed case must be before a person is bothered with it."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from assay.checks import registry
from assay.errors import DataError
from assay.evalset.pii import kinds
from assay.evalset.wording import texts
from assay.generation.prompt import Proposal
from assay.generation.strategies import Ask

MIN_QUOTE = 20
"""Characters of a passage that could answer anything."""
SUPPORT = 0.6
"""The share of a reference's words that its passage has to hold."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W\d_]{4,}")


def fault(proposal: Proposal, ask: Ask) -> str:
    """Return what is wrong with a proposed case, in a few words; empty where it is sound.

    Args:
        proposal: The case, with where it comes from.
        ask: What was asked for.
    """
    faults: tuple[Callable[[], str], ...] = (
        lambda: _unscorable(proposal),
        lambda: _incomplete(proposal, ask),
        lambda: _unsupported(proposal, ask),
        lambda: _wrong_calls(proposal, ask.tools),
        lambda: _personal(proposal),
    )
    return next(filter(None, (found() for found in faults)), "")


def _unscorable(proposal: Proposal) -> str:
    try:
        for expectation in proposal.case.expectations:
            registry.validate(expectation)
    except DataError as error:
        return f"an expectation cannot be scored: {error}"[:300]
    return ""


def _incomplete(proposal: Proposal, ask: Ask) -> str:
    """Tell what a way asks for and the proposal lacks."""
    lacks = {
        "document": not proposal.sources and "a passage",
        "rubric": not proposal.sources and "the rule of the rubric",
        "conversation": proposal.case.user is None and "a simulated user",
        "production": proposal.case.parent not in {one.name for one in ask.material} and "the conversation it is from",
        "tool-call": not any(one.calls for one in proposal.case.expectations) and "an expected call",
    }.get(ask.way)
    return f"it lacks {lacks}" if lacks else ""


def _unsupported(proposal: Proposal, ask: Ask) -> str:
    """Tell whether the passage is not in its document, or does not answer the question."""
    texts = {one.name: _plain(one.text) for one in ask.material}
    for source in proposal.sources:
        quote, reference = _plain(source.quote), _plain(proposal.case.reference)
        if len(quote) < MIN_QUOTE or quote not in texts[source.document]:
            return "its passage does not stand in the document"
        if ask.way == "rubric":
            continue
        if not set(_NUMBER.findall(reference)) <= set(_NUMBER.findall(quote)):
            return "the passage does not hold a number of the reference"
        words = set(_WORD.findall(reference))
        if words and len(words & set(_WORD.findall(quote))) < SUPPORT * len(words):
            return "the passage does not hold what the reference says"
    return ""


def _wrong_calls(proposal: Proposal, tools: Sequence[Mapping[str, Any]]) -> str:
    """Tell which expected call the product's tools do not allow."""
    schemas = {tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in tools}
    for call in (call for one in proposal.case.expectations for call in one.calls) if schemas else ():
        if call.name not in schemas:
            return f"there is no tool {call.name[:60]!r}"
        try:
            arguments = json.loads(call.arguments)
        except (ValueError, RecursionError):
            return f"the arguments of {call.name} are no JSON"
        if not _validator(json.dumps(schemas[call.name], sort_keys=True)).is_valid(arguments):
            return f"the schema of {call.name} does not allow {call.arguments[:80]}"
    return ""


def _personal(proposal: Proposal) -> str:
    """Tell what of somebody stands in it: no release would take it."""
    found = {kind for text in texts(proposal.case) for kind in kinds(text)}
    return f"it holds {', '.join(sorted(found))}" if found else ""


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(schema), offline=True)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
