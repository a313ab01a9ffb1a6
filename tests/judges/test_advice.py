"""Advice: what all replies of a model have in common when none holds a verdict, with the setting to change, once."""

from dataclasses import replace
from typing import Any

import pytest

from assay.judges.advice import LONGER, OTHER_MODEL, Cause, FailureWatch, cause, of_error
from assay.judges.declaration import Declaration
from assay.judges.questions import Manner
from assay.judges.reply import parse

PASS = Declaration()
BARE = Declaration(reasoning="none")
OBJECT = Manner(structured="json-object")


def told(*replies: Cause | None) -> list[Cause]:
    """Return what is told of these replies, one after the other."""
    found: list[Cause] = []
    watch = FailureWatch(found.append)
    for reply in replies:
        watch.note(reply)
    return found


def like(kind: str, number: int = 0) -> Cause:
    """Return a cause of this kind."""
    return Cause(kind, f"reply {number}", "a setting")


def test_ten_that_fail_alike_are_told_once() -> None:
    """After the tenth, and not before, the first one's cause is told; nothing that follows is told again."""
    replies = [like("cut", number) for number in range(30)]
    assert told(*replies[:9]) == []
    assert told(*replies[:10]) == [replies[0]]
    assert told(*replies) == [replies[0]]


@pytest.mark.parametrize("stranger", [None, like("refused")])
@pytest.mark.parametrize("at", [0, 5, 9])
def test_one_that_is_otherwise_ends_the_watch(stranger: Cause | None, at: int) -> None:
    """A verdict, or another fault, among the first ten shows that not everything fails alike: nothing is ever told."""
    replies: list[Cause | None] = [like("cut")] * 40
    replies[at] = stranger
    assert told(*replies) == []


@pytest.mark.parametrize(
    ("error", "kind", "setting"),
    [
        ("refused-request: response_format is not supported", "refused response_format", "`structured: json-object`"),
        ("refused-request: LOGPROBS are unavailable", "refused logprob", "`log_probabilities: false`"),
        ("refused-request: temperature must be 1", "refused temperature", "`temperature: null`"),
        ("refused-request: use max_completion_tokens", "refused max_completion_tokens", "`max_completion_tokens`"),
        ("refused-request: content policy", "refused request", "what the judge is shown"),
        ("empty: the reply ended by length", "cut", LONGER),
    ],
)
def test_each_refusal_names_its_setting(error: str, kind: str, setting: str) -> None:
    """A request that is refused for what it asks tells which setting asks it."""
    found = cause(PASS, Manner(), {"error": error}, None)
    assert found
    assert (found.kind, found.found) == (kind, error)
    assert setting in found.setting


@pytest.mark.parametrize(
    "text", ["json_schema", "json_object", "no JSON mode", "guided decoding", "structured output", "response_format"]
)
def test_a_form_that_an_endpoint_does_not_know_is_left_out_step_by_step(text: str) -> None:
    """By whatever name it is refused: a schema becomes an object, and an object nothing."""
    for manner, simpler in ((Manner(), "json-object"), (OBJECT, "none")):
        found = of_error(manner, f"refused-request: unknown: {text}")
        assert found
        assert (found.kind, found.setting) == ("refused response_format", f"the model's `structured: {simpler}`")


def test_what_is_told_of_a_reply_is_one_short_line() -> None:
    """Of an error, and of a reply that nobody can read, 160 characters."""
    refused = of_error(Manner(), f"refused-request: {'x' * 300}")
    assert refused
    assert refused.found == f"refused-request: {'x' * 300}"[:160]
    content = "x y\n" * 200
    raw = {"content": content, "finish_reason": None}
    unread = cause(PASS, Manner(), raw, parse(PASS, content, None, None, None))
    assert unread
    assert "\n" not in unread.found
    long = replace(parse(PASS, "x", None, "stop", None), detail="word " * 100)
    told_of = cause(PASS, Manner(), {"content": "x", "finish_reason": "stop"}, long)
    assert told_of
    assert told_of.found == ("word " * 100)[:160]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("", "nothing"),
        ("  ", "nothing"),
        ("[THINK]Hm", "thoughts"),
        (" {", "object"),
        ("`", "prose"),
        (None, "nothing"),
    ],
)
def test_a_reply_that_cannot_be_read_has_a_form(content: str | None, form: str) -> None:
    """Whatever its capitals and blanks, and whether there is any text; without a reason none is in the kind."""
    raw: dict[str, Any] = {"content": content, "finish_reason": None}
    found = cause(PASS, Manner(), raw, parse(PASS, content, None, None, None))
    assert found
    assert found.kind == f"form  {form}"


@pytest.mark.parametrize("error", ["timeout: no answer", "server: temperature", "empty: nothing at all"])
def test_what_failed_on_its_way_has_no_setting(error: str) -> None:
    """A fault of the connection or of the server is nobody's setting."""
    assert cause(PASS, Manner(), {"error": error}, None) is None


@pytest.mark.parametrize(
    ("declared", "manner", "content", "reason", "kind", "setting"),
    [
        (PASS, Manner(), "<think>Well", "stop", "form stop thoughts", "the model's `structured: json-object`"),
        (PASS, Manner(), "Verdict: good", "stop", "form stop prose", "the model's `structured: json-object`"),
        (PASS, OBJECT, '{"grade": 1}', "stop", "form stop object", "`reasoning: none`"),
        (BARE, OBJECT, "[1]", "stop", "form stop list", OTHER_MODEL),
        (BARE, Manner(api="decision"), "```x", "stop", "form stop fence", OTHER_MODEL),
        (PASS, Manner(), '{"rationale": "It', "length", "cut", LONGER),
    ],
)
def test_each_form_names_its_setting(
    declared: Declaration, manner: Manner, content: str, reason: str, kind: str, setting: str
) -> None:
    """A reply that nobody can read tells its form and how it ended, and what the endpoint could be asked instead."""
    raw: dict[str, Any] = {"content": content, "finish_reason": reason}
    found = cause(declared, manner, raw, parse(declared, content, None, reason, None))
    assert found
    assert (found.kind, found.setting) == (kind, setting)


def test_a_verdict_and_a_refusal() -> None:
    """A reply with a verdict has no cause; a model that refuses is another model's case."""
    said = '{"verdict": "pass"}'
    raw = {"content": said, "finish_reason": "stop"}
    assert cause(PASS, Manner(), raw, parse(PASS, said, None, "stop", None)) is None
    found = cause(PASS, Manner(), raw, parse(PASS, None, "I cannot.", "stop", None))
    assert found
    assert (found.kind, found.setting) == ("refused", OTHER_MODEL)
