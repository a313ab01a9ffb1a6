"""Replies: one legal form, and the probability at the verdict's place."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.judges.reply import parse


def token(text: str, probability: float = 1.0, **alternatives: float) -> dict[str, Any]:
    """Return one token in the shape of `choices[].logprobs.content[]`."""
    top = [{"token": other, "logprob": math.log(p)} for other, p in ({text: probability} | alternatives).items()]
    return {"token": text, "logprob": math.log(probability), "bytes": None, "top_logprobs": top}


def around(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tokens of a whole reply with this one at the verdict."""
    return [token('{"'), token("verdict"), token('":'), token(' "'), verdict, token('"}')]


ILLEGAL = [
    None,
    "",
    "A",
    '"A"',
    "pass",
    '{"verdict": "C"}',
    '{"verdict": "a"}',
    '{"verdict": "pass"}',
    '{"verdict": null}',
    '{"verdict": "A"',
    '{"verdict": "A"}.',
    '\u00a0{"verdict": "A"}',
    'Sure: {"verdict": "A"}',
    '```json\n{"verdict": "A"}\n```',
    '{"verdict": "A"}\n{"verdict": "A"}',
    '{"verdict": "B", "verdict": "A"}',
    '{"verdict": "A", "reason": "short"}',
    '{"reason": "{\\"verdict\\": \\"A\\"}"}',
    '{"verdict": "\\u0041"}',
    "{'verdict': 'A'}",
    '{"verdict": "A or B"}',
    "[" * 100_000,
    '{"verdict":' * 50_000,
    " " * 1_000_000 + "x",
]


@pytest.mark.parametrize("content", ILLEGAL)
def test_anything_but_the_one_form_is_unparsed(content: str | None) -> None:
    """Prose, fences, other keys, other values, repetition and nesting give no verdict at all."""
    reply = parse("pairwise", content, None, "stop", None)
    assert (reply.status, reply.outcome, reply.probability) == ("unparsed", "unscored", None)
    assert "nothing else" in reply.detail
    assert len(reply.detail) < 400


@pytest.mark.parametrize("reason", ["length", "tool_calls", "", None, "end_turn"])
def test_a_reply_cut_short_is_unparsed(reason: str | None) -> None:
    """Only a reply that ended by itself counts, even if its beginning looks whole."""
    assert parse("pairwise", '{"verdict": "A"}', None, reason, None).status == "unparsed"


def test_a_refusal_is_no_verdict() -> None:
    """A refusal or a content filter is `refused`, whatever else the reply says."""
    assert parse("pass-fail", '{"verdict": "pass"}', "I will not judge this", "stop", None).status == "refused"
    assert parse("pass-fail", '{"verdict": "pass"}', None, "content_filter", None).outcome == "unscored"


@pytest.mark.parametrize(
    ("content", "question", "outcome"),
    [
        ('{"verdict": "A"}', "pairwise", "a"),
        ('{"verdict":"B"}', "pairwise", "b"),
        (' \n{ "verdict" :\t"tie" }\r\n', "pairwise", "tie"),
        ('{"verdict": "pass"}', "pass-fail", "pass"),
        ('{\n  "verdict": "fail"\n}', "pass-fail", "fail"),
    ],
)
def test_the_legal_form(content: str, question: Any, outcome: str) -> None:
    """The one object is read with any JSON blanks around its parts."""
    reply = parse(question, content, None, "stop", None)
    assert (reply.status, reply.outcome) == ("ok", outcome)


@given(st.text() | st.sampled_from(["A", "B", "tie", "pass", "fail"]))
def test_only_json_with_that_one_verdict_parses(value: str) -> None:
    """Of all objects with one string under `verdict`, exactly those with a legal one parse."""
    content = json.dumps({"verdict": value}, ensure_ascii=False)
    assert (parse("pairwise", content, None, "stop", None).status == "ok") == (value in {"A", "B", "tie"})


def test_probability_by_hand() -> None:
    """P(A) = .3, P(B) = .1, P(tie) = .2, .4 elsewhere: (.3 + .2/2) / .6 = .666667."""
    verdict = token("A", 0.3, B=0.1, tie=0.2, C=0.4)
    reply = parse("pairwise", '{"verdict": "A"}', None, "stop", around(verdict))
    assert reply.probability == pytest.approx(0.4 / 0.6)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (around(token("fail", 0.75, **{"pass": 0.25})), 0.25),
        ([*around(token("x"))[:4], token("f", 0.75, p=0.25), token("ail"), token('"}')], 0.25),
        ([token('{"verdict": "fail', 0.6, **{'{"verdict": "pass': 0.2, '{"verdict": "p': 0.2}), token('"}')], 0.4),
        ([token('{"verdict":'), token(' "'), token('fail"}', 0.5, **{'pass"': 0.3, "pass": 0.2})], 0.5),
        ([token("hmm, pass? "), *around(token("fail", 0.9, **{"pass": 0.1}))], 0.1),
        (
            [*around(token("fail", 0.5, **{"pass": 0.5})), token(" so "), *around(token("fail", 0.9, **{"pass": 0.1}))],
            0.1,
        ),
    ],
)
def test_probability_however_the_reply_is_cut_into_tokens(tokens: list[dict[str, Any]], expected: float) -> None:
    """Whole words, parts of words, fused quotes and reasoning in front: the same probability is read."""
    reply = parse("pass-fail", '{"verdict": "fail"}', None, "stop", tokens)
    assert reply.probability == pytest.approx(expected)


def test_probability_follows_the_place_and_not_the_word() -> None:
    """A verdict's word elsewhere among the tokens has no say."""
    tokens = [token("A", 0.99, B=0.01), *around(token("B", 0.8, A=0.2))]
    assert parse("pairwise", '{"verdict": "B"}', None, "stop", tokens).probability == pytest.approx(0.2)


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        [],
        [{"token": "A"}],
        [{"token": "A", "logprob": "x"}],
        [{"token": "A", "logprob": 3.0}],
        [token("something else")],
        around({"token": "A", "logprob": 0.0, "top_logprobs": []}),
        around(token("A")),
        around({"token": "A", "logprob": math.nan, "top_logprobs": [{"token": "B", "logprob": math.nan}] * 2}),
    ],
)
def test_no_probability_is_made_up(tokens: Any) -> None:
    """Where the log-probabilities are absent, malformed or without alternatives, the verdict stands and says why."""
    reply = parse("pairwise", '{"verdict": "A"}', None, "stop", tokens)
    assert (reply.outcome, reply.probability) == ("a", None)
    assert reply.detail


@given(st.lists(st.floats(min_value=1e-6, max_value=1), min_size=3, max_size=3))
def test_probability_is_one(masses: list[float]) -> None:
    """P(first) lies in 0..1, and swapping the masses of A and B gives its complement."""
    a, b, tie = (mass / sum(masses) for mass in masses)
    there = parse("pairwise", '{"verdict": "A"}', None, "stop", around(token("A", a, B=b, tie=tie))).probability
    back = parse("pairwise", '{"verdict": "A"}', None, "stop", around(token("A", b, B=a, tie=tie))).probability
    assert there is not None
    assert back is not None
    assert 0 <= there <= 1
    assert there + back == pytest.approx(1)
