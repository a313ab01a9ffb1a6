"""The probability of a verdict, from the alternatives at its very place; where there are none, there is none."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import GRADE, PAIR, PASS, SCORE, read, spelt, token

from assay.judges.reply import around, parse


def test_probability_by_hand() -> None:
    """P(A) = .3, P(B) = .1, P(tie) = .2, .4 elsewhere: (.3 + .2/2) / .6 = .666667."""
    verdict = token("A", 0.3, B=0.1, tie=0.2, C=0.4)
    reply = read(PAIR, '{"verdict": "A"}', tokens=spelt(verdict))
    assert reply.probability == pytest.approx(0.4 / 0.6)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (spelt(token("fail", 0.75, **{"pass": 0.25})), 0.25),
        ([*spelt(token("x"))[:4], token("f", 0.75, p=0.25), token("ail"), token('"}')], 0.25),
        ([token('{"verdict": "fail', 0.6, **{'{"verdict": "pass': 0.2, '{"verdict": "p': 0.2}), token('"}')], 0.4),
        ([token('{"verdict":'), token(' "'), token('fail"}', 0.5, **{'pass"': 0.3, "pass": 0.2})], 0.5),
        ([token("hmm, pass? "), *spelt(token("fail", 0.9, **{"pass": 0.1}))], 0.1),
        (
            [*spelt(token("fail", 0.5, **{"pass": 0.5})), token(" so "), *spelt(token("fail", 0.9, **{"pass": 0.1}))],
            0.1,
        ),
    ],
)
def test_probability_however_the_reply_is_cut_into_tokens(tokens: list[dict[str, Any]], expected: float) -> None:
    """Whole words, parts of words, fused quotes and reasoning in front: the same probability is read."""
    reply = read(PASS, '{"verdict": "fail"}', tokens=tokens)
    assert reply.probability == pytest.approx(expected)


def test_probability_follows_the_place_and_not_the_word() -> None:
    """A verdict's word elsewhere among the tokens has no say."""
    tokens = [token("A", 0.99, B=0.01), *spelt(token("B", 0.8, A=0.2))]
    assert read(PAIR, '{"verdict": "B"}', tokens=tokens).probability == pytest.approx(0.2)


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        [],
        [{"token": "A"}],
        [{"token": "A", "logprob": "x"}],
        [{"token": "A", "logprob": 3.0}],
        [token("something else")],
        spelt({"token": "A", "logprob": 0.0, "top_logprobs": []}),
        spelt(token("A")),
        spelt({"token": "A", "logprob": math.nan, "top_logprobs": [{"token": "B", "logprob": math.nan}] * 2}),
    ],
)
def test_no_probability_is_made_up(tokens: Any) -> None:
    """Where the log-probabilities are absent, malformed or without alternatives, the verdict stands and says why."""
    reply = read(PAIR, '{"verdict": "A"}', tokens=tokens)
    assert (reply.outcome, reply.probability) == ("a", None)
    assert reply.detail


@given(st.lists(st.floats(min_value=1e-6, max_value=1), min_size=3, max_size=3))
def test_probability_is_one(masses: list[float]) -> None:
    """P(first) lies in 0..1, and swapping the masses of A and B gives its complement."""
    a, b, tie = (mass / sum(masses) for mass in masses)
    there = read(PAIR, '{"verdict": "A"}', tokens=spelt(token("A", a, B=b, tie=tie))).probability
    back = read(PAIR, '{"verdict": "A"}', tokens=spelt(token("A", b, B=a, tie=tie))).probability
    assert there is not None
    assert back is not None
    assert 0 <= there <= 1
    assert there + back == pytest.approx(1)


PLAIN = '{"verdict": "pass"}'
REASONED = [
    token('{"'),
    token("rationale"),
    token('": "'),
    token("Not pass, "),
    token("fail"),
    token('", "'),
    token("verdict"),
    token('": "'),
]


def test_probability_after_a_rationale() -> None:
    """The word of the verdict in the reason before it has no say."""
    content = '{"rationale": "Not pass, fail", "verdict": "fail"}'
    tokens = [*REASONED, token("fail", 0.8, **{"pass": 0.2}), token('"}')]
    assert read(PASS, content, tokens=tokens).probability == pytest.approx(0.2)


def test_probability_after_characters_of_several_tokens() -> None:
    """Where tokens hold half a character each, their bytes spell the reply."""
    content = '{"rationale": "\U0001f600", "verdict": "fail"}'
    halves = [{"token": f"\\x{byte:02x}", "logprob": 0.0, "bytes": [byte]} for byte in "\U0001f600".encode()]
    tokens = [token('{"rationale": "'), *halves, token('", "verdict": "'), token("fail", 0.7, **{"pass": 0.3})]
    assert read(PASS, content, tokens=[*tokens, token('"}')]).probability == pytest.approx(0.3)


@pytest.mark.parametrize(("content", "before", "probability"), [('{"verdict": "fail"}', ' "', 0.25), ("fail", "", 0.4)])
def test_in_quotes_a_stop_is_part_of_a_word(content: str, before: str, probability: float) -> None:
    """Behind a bare word a full stop ends a sentence; in a string it would have made another text of it."""
    verdict = token("fail", 0.6, **{"pass.": 0.2, "pass": 0.2})
    tokens = spelt(verdict) if before else [verdict]
    assert read(PASS, content, tokens=tokens).probability == pytest.approx(probability)


def test_probability_of_a_score() -> None:
    """P(7 to 10) of a whole number; where the listed ones begin several numbers, none is told."""
    tokens = [token('{"verdict": '), token("8", 0.5, **{"7": 0.25, "4": 0.25}), token("}")]
    assert read(SCORE, '{"verdict": 8}', tokens=tokens).probability == pytest.approx(0.75)
    unclear = [token('{"verdict": '), token("1", 0.5, **{"7": 0.5}), token("0"), token("}")]
    assert read(SCORE, '{"verdict": 10}', tokens=unclear).probability is None
    closed = [token('{"verdict": '), token("1}", 0.5, **{"10}": 0.5})]
    assert read(SCORE, '{"verdict": 1}', tokens=closed).probability == pytest.approx(0.5)


def test_probability_of_labels_that_begin_alike() -> None:
    """A token that two labels begin with tells nothing; one with the closing quote does."""
    start = [token('{"verdict": "')]
    unclear = [*start, token("partly", 0.6, right=0.4), token('"}')]
    assert read(GRADE, '{"verdict": "partly"}', tokens=unclear).probability is None
    closed = [*start, token('partly"', 0.6, **{'right"': 0.4}), token("}")]
    assert read(GRADE, '{"verdict": "partly"}', tokens=closed).probability == pytest.approx(0.4)


def test_a_verdict_spelled_otherwise_has_no_probability() -> None:
    """Where the verdict's own token is none of its spellings, the alternatives are of something else."""
    tokens = [token("{'verdict': '"), token("fail'", 0.9, **{"pass'": 0.1}), token("}")]
    assert read(PASS, "{'verdict': 'fail'}", tokens=tokens).probability == pytest.approx(0.1)
    other = [token('{"verdict": '), token("true", 0.9, **{"pass": 0.1}), token("}")]
    assert (read(PASS, '{"verdict": true}', tokens=other).probability) is None


def test_a_journal_keeps_one_token() -> None:
    """Of hundreds of tokens the verdict's alone is kept, and the same probability is read from it."""
    content = '{"rationale": "Not pass, fail", "verdict": "fail"}'
    tokens = [*REASONED, token("fail", 0.8, **{"pass": 0.2}), token('"}')]
    kept = around({"content": content, "tokens": tokens}, read(PASS, content))
    assert [one["token"] for one in kept["tokens"]] == ["fail"]
    reply = parse(PASS, content, None, "stop", kept["tokens"], kept["tokens_at"])
    assert reply == read(PASS, content, tokens=tokens)


@pytest.mark.parametrize("tokens", [None, [], [{"token": 1}] * 500, [{}] * 500, [token("x")] * 500, ["x"] * 500])
def test_a_journal_keeps_next_to_nothing_that_cannot_be_used(tokens: Any) -> None:
    """Tokens that spell something else, or are none, do not fill the journal either."""
    assert len(around({"content": PLAIN, "tokens": tokens}, read(PASS, PLAIN))["tokens"] or []) <= 1
    assert not around({"content": "It depends.", "tokens": tokens}, read(PASS, "It depends."))["tokens"]
