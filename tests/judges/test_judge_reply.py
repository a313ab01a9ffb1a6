"""Replies of judges: harmless spellings are read, ambiguous ones never, and what was expected is said."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import GRADE, PAIR, PASS, SCORE, read

from assay.judges.declaration import Declaration
from assay.judges.reply import MOST_REASON, parse
from tests.spellings import AROUND

KINDS = {"pass-fail": (PASS, "fail"), "pairwise": (PAIR, "B"), "labels": (GRADE, "partly"), "score": (SCORE, "4")}
"""Each question with a verdict of its own."""


def written(kind: str, **more: Any) -> str:
    """Return the legal reply of a kind of question, with more fields after its verdict."""
    declared, said = KINDS[kind]
    return json.dumps({"verdict": int(said) if declared.question == "score" else said, **more})


LED = {
    "lead": "Here you go: {}",
    "lead of politeness": "Sure! Here is the verdict:\n{}",
    "lead and fence": "Here is my evaluation:\n\n```json\n{}\n```",
    "verdict as lead": "My final verdict is: {}",
}
"""Phrases of a judge that say what follows."""
WITHIN = {
    "a reason after": lambda kind: written(kind, reason="It states it."),
    "a reason before": lambda kind: '{"rationale": "It states it.", ' + written(kind)[1:],
    "confidence": lambda kind: written(kind, confidence=0.9, sure=True, next=None, evidence=["14 days", 3]),
    "brackets in a reason": lambda kind: written(kind, reason='}, {"verdict": "pass"} ]['),
    "no blanks": lambda kind: written(kind).replace(" ", ""),
    "several lines": lambda kind: written(kind).replace("{", "{\n  ").replace("}", "\n}"),
    "blanks that JSON lacks": lambda kind: written(kind).replace(": ", ":\u00a0"),
    "upper case": lambda kind: written(kind).upper(),
    "a name in capitals": lambda kind: written(kind).replace("verdict", "Verdict"),
    "padding": lambda kind: json.dumps({"verdict": f" {KINDS[kind][1]} "}),
    "text": lambda kind: json.dumps({"verdict": KINDS[kind][1]}),
    "single quotes": lambda kind: f"{{'verdict': '{KINDS[kind][1]}'}}",
    "single quotes and a reason": lambda kind: f"{{'reason': 'It does.', 'verdict': '{KINDS[kind][1]}'}}",
    "escapes": lambda kind: json.dumps({"verdict": KINDS[kind][1]}).replace("e", "\\u0065"),
    "a line break in a reason": lambda kind: '{"reason": "one\ntwo", ' + written(kind)[1:],
    "the word alone": lambda kind: KINDS[kind][1],
    "the word in bold": lambda kind: f"**{KINDS[kind][1].upper()}**.\n",
    "the word in quotes": lambda kind: f'"{KINDS[kind][1]}"',
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("spelling", sorted(AROUND | LED))
def test_what_stands_around_a_reply_is_harmless(kind: str, spelling: str) -> None:
    """One fence, thoughts, marks of an end and a fixed phrase lose no verdict, and move none."""
    reply = read(KINDS[kind][0], (AROUND | LED)[spelling].format(written(kind)))
    assert (reply.status, reply.said) == ("ok", KINDS[kind][1])


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("spelling", sorted(WITHIN))
def test_a_harmless_spelling_is_read(kind: str, spelling: str) -> None:
    """More fields, other blanks, other quotes, another letter case, the word alone: the verdict that was meant."""
    reply = read(KINDS[kind][0], WITHIN[spelling](kind))
    assert (reply.status, reply.said) == ("ok", KINDS[kind][1])


AMBIGUOUS = {
    "nothing": "",
    "blanks": " \n ",
    "two objects": "{0}\n{0}",
    "two objects in a fence": "```json\n{0}\n{0}\n```",
    "two fences": "```json\n{0}\n```\n```json\n{0}\n```",
    "an object quoted in prose": "The answer says {0} but it is wrong. {0}",
    "prose before": "The response states it. {0}",
    "prose after": "{0} since the response states it.",
    "prose after a fence": "```json\n{0}\n```\nI hope this helps.",
    "somebody's answer": "The answer: {0}",
    "a point": "{0}.",
    "twice the name": '{0}"verdict": "x", {1}',
    "another field twice": '{0}"reason": "x", "reason": "y", {1}',
    "a second name": '{0}"final_verdict": "x", {1}',
    "a second name in capitals": '{0}"VERDICT": "x", {1}',
    "another name": '{0}"outcome": {2}}}',
    "an object within": '{0}"final": {3}}}',
    "an object beside": '{0}"final": {{"verdict": "x"}}, {1}',
    "an object in a list": "[{3}]",
    "an object in a list beside": '{0}"all": [{3}], {1}',
    "a list of verdicts": '{0}"verdict": [{2}]}}',
    "null": '{0}"verdict": null}}',
    "a number that is none": '{0}"verdict": NaN}}',
    "in a text": '{0}"reason": "verdict: {4}"}}',
    "in a text as JSON": '{0}"reason": "{{\\"verdict\\": \\"{4}\\"}}"}}',
    "no end": '{0}"verdict": {2}',
    "an open text": '{0}"verdict": "{4}',
    "a comment": '{0}"verdict": {2} /* sure */}}',
    "a comma too many": '{0}"verdict": {2},}}',
    "two of them": '{0}"verdict": "{4} or not"}}',
    "negated": '{0}"verdict": "not {4}"}}',
    "a prefix": '{0}"verdict": "{5}"}}',
    "INCORRECT": "INCORRECT",
    "a word in prose": "It is {4}",
    "two words": "{4} {4}",
    "thoughts without an end": "<think>Hm. {3}",
    "an end without thoughts": "Hm.</think>{3}",
    "thoughts closed twice": "<think>It says </think>{3}</think>{3}",
    "thoughts closed twice, the second in a text": '<think>It says </think>{0}"reason": "</think>", {1}',
    "thoughts opened twice": "<think><think></think>{3}",
    "thoughts closed by another name": "<think>Hm.</thought>{3}",
    "a mark within": "{3}<|im_end|>{3}",
    "a mark before": "<|im_start|>assistant\n{3}",
    "a tag around": "<answer>{3}</answer>",
    "a fence within a fence": "```\n```json\n{3}\n```\n```",
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("spelling", sorted(AMBIGUOUS))
def test_nothing_ambiguous_is_read(kind: str, spelling: str) -> None:
    """Prose, repetition, nesting, smuggled ends and half a word give no verdict at all."""
    whole, said = written(kind), KINDS[kind][1]
    pattern = AMBIGUOUS[spelling]
    first = "{" if "{1}" in pattern or '{0}"' in pattern else whole
    content = pattern.format(first, whole[1:], whole[len('{"verdict": ') : -1], whole, said, said[:-1])
    reply = read(KINDS[kind][0], content)
    assert (reply.status, reply.outcome, reply.probability) == ("unparsed", "unscored", None)
    assert len(reply.detail) < 600


def test_there_are_forty() -> None:
    """Both lists keep the size that was promised."""
    assert len(AROUND | LED) + len(WITHIN) >= 40
    assert len(AMBIGUOUS) >= 40


def test_labels_that_begin_alike_are_told_apart() -> None:
    """A label is read whole: neither its beginning nor something longer is taken for it."""
    for label in GRADE.labels:
        assert read(GRADE, json.dumps({"verdict": label})).said == label
    assert read(GRADE, '{"verdict": "part"}').status == read(GRADE, '{"verdict": "partly rig"}').status == "unparsed"


@pytest.mark.parametrize(
    ("value", "said"),
    [("4", "4"), ("4.0", "4"), ('"4"', "4"), ('"4.0"', "4"), ("10", "10"), ("4e0", "4"), ('" 4 "', "4")]
    + [(value, "") for value in ("4.5", '"4/10"', '"four"', "0", "11", "true", "-4", "1e400", "9" * 5000, '".4"')],
)
def test_a_score_is_a_whole_number_of_the_range(value: str, said: str) -> None:
    """Written as a number or as a text, and nothing between two numbers or beyond the last is rounded."""
    assert read(SCORE, f'{{"verdict": {value}}}').said == said


@pytest.mark.parametrize(("content", "said"), [("4", "4"), ("4.", "4"), ("4.0", "4"), (".4", ""), ("4/10", "")])
def test_a_score_alone(content: str, said: str) -> None:
    """A point after a number ends a sentence; one before it makes it another number."""
    assert read(SCORE, content).said == said


def test_yes_and_no_of_json() -> None:
    """`true` passes and `false` fails where that is the question, and is nothing anywhere else."""
    replies = [read(PASS, f'{{"verdict": {word}}}') for word in ("true", "false")]
    assert [(reply.said, reply.outcome) for reply in replies] == [("pass", "pass"), ("fail", "fail")]
    assert {read(one, '{"verdict": true}').status for one in (PAIR, GRADE, SCORE)} == {"unparsed"}


HOSTILE = [
    "[" * 100_000,
    "{" * 100_000,
    '{"verdict":' * 50_000,
    '{"a": ' + "[" * 100_000,
    '{"a": [' + "1," * 100_000,
    " " * 1_000_000 + "x",
    "```json\n" + " " * 1_000_000 + "x",
    "```" * 300_000,
    "<think>" * 200_000,
    "<think>" + " " * 1_000_000,
    "<think>" + "</think" * 200_000,
    "x" + "<|im_end|>" * 100_000 + "y",
    '{"verdict": "pass"}' + "</s>" * 200_000 + " " * 200_000 + "x",
    "Here is the verdict" + " " * 1_000_000 + ":",
    "my " * 300_000,
    '{"verdict": "' + "\\" * 1_000_001,
    "{'a': '" + "a" * 1_000_000,
    "9" * 1_000_000,
    '{"verdict": ' + "9" * 1_000_000 + "}",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_take_no_time(content: str) -> None:
    """A megabyte of brackets, blanks or marks gives no verdict, no recursion, and takes well below a second of CPU."""
    began = time.process_time()
    for declared, _ in KINDS.values():
        assert read(declared, content).status == "unparsed"
    assert time.process_time() - began < 2


@given(st.text() | st.text(alphabet="{}[]\"'`:,<>/\\ thinkverdcpasfl\n0123"))
def test_any_text_is_read_or_not(content: str) -> None:
    """No text raises, and what is read is one of the verdicts that the judge may give."""
    for declared, _ in KINDS.values():
        reply = read(declared, content)
        assert (reply.said in declared.verdicts) == (reply.status == "ok")


@given(st.text(), st.sampled_from(sorted(KINDS)))
def test_no_rationale_moves_a_verdict(rationale: str, kind: str) -> None:
    """Whatever a judge says as its reason, escaped as JSON, before or after: the verdict is its own."""
    declared, said = KINDS[kind]
    before = '{"rationale": ' + json.dumps(rationale) + ", " + written(kind)[1:]
    for content in (before, written(kind, rationale=rationale)):
        reply = read(declared, content)
        assert (reply.said, len(reply.rationale)) == (said, min(len(rationale), MOST_REASON))
        assert reply.rationale.encode().decode() == reply.rationale


@given(st.text(), st.sampled_from(sorted(KINDS)))
def test_a_rationale_that_is_not_escaped_moves_no_verdict(rationale: str, kind: str) -> None:
    """A judge that copies a text into its reason as it is: its own verdict or none."""
    declared, said = KINDS[kind]
    content = '{"rationale": "' + rationale + '", ' + written(kind)[1:]
    assert read(declared, content).said in {"", said}


def test_half_characters_of_a_rationale_can_be_stored() -> None:
    """An escaped surrogate or a null byte in a reason becomes U+FFFD: no table could hold it."""
    reply = read(PASS, '{"rationale": "a\\ud800b\\u0000", "verdict": "pass"}')
    assert (reply.outcome, reply.rationale) == ("pass", "a\ufffdb\ufffd")


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "tool_calls", "function_call", "error", "x"])
def test_a_reply_cut_short_is_unparsed(reason: str) -> None:
    """Only a reply that ended by itself counts, even if its beginning looks whole."""
    assert read(PAIR, '{"verdict": "A"}', reason).status == "unparsed"


@pytest.mark.parametrize("reason", ["stop", "STOP", "", None, "eos", "eos_token", "end_turn", "stop_sequence"])
def test_a_reply_that_ended_is_read(reason: str | None) -> None:
    """Servers name the end of a whole reply in many ways, or in none."""
    assert read(PAIR, '{"verdict": "A"}', reason).outcome == "a"


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "refusal"])
def test_a_refusal_is_no_verdict(reason: str) -> None:
    """A refusal or a content filter is `refused`, whatever else the reply says."""
    assert parse(PASS, '{"verdict": "pass"}', "I will not judge this", "stop", None).status == "refused"
    assert (read(PASS, '{"verdict": "pass"}', reason).status, read(PASS, None, reason).outcome) == (
        "refused",
        "unscored",
    )


@given(st.text() | st.sampled_from(["A", "B", "tie", "pass", "fail"]))
def test_only_json_with_a_legal_verdict_parses(value: str) -> None:
    """Of all objects with one string under `verdict`, exactly those with a legal one parse, whatever its case."""
    content = json.dumps({"verdict": value}, ensure_ascii=False)
    word = value.strip("\ufeff\u200b\u2060 \t\n\r\v\f\u00a0\u2007\u202f\u3000").casefold()
    assert (read(PAIR, content).status == "ok") == (word in {"a", "b", "tie"})


@pytest.mark.parametrize(
    ("declared", "legal"),
    [
        (PASS, '{"verdict": "pass"} or {"verdict": "fail"}'),
        (SCORE, '{"verdict": 1} to {"verdict": 10}'),
        (PAIR, '{"verdict": "A"} or {"verdict": "B"} or {"verdict": "tie"}'),
    ],
)
def test_what_was_expected_is_spelled(declared: Declaration, legal: str) -> None:
    """A reply that cannot be read is quoted beside each reply that could have been, of a scale its two ends."""
    assert read(declared, "Maybe.").detail == f"the reply is 'Maybe.', expected {legal} and nothing else"
