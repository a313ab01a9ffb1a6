"""Both orders: conflicts become ties, and failures become nothing."""

from typing import Any

import pytest

from assay.judges import questions
from assay.judges.fingerprint import fingerprint
from assay.judges.pairwise import combine, swap
from assay.judges.prompt import load
from assay.judges.reply import Reply
from assay.records.label import Item
from assay.records.record import digest
from tests import identities


def said(outcome: Any, probability: float | None = None) -> Reply:
    """Return a reply with this verdict."""
    return Reply(status="ok", outcome=outcome, probability=probability, detail="")


@pytest.mark.parametrize("status", ["unparsed", "refused"])
def test_one_order_without_verdict_leaves_the_pair_unscored(status: Any) -> None:
    """Half a judgement is none: the pair is unscored with the status of the order that failed."""
    failed = Reply(status=status, outcome="unscored", probability=None, detail="why")
    for first, second in ((failed, said("b", 0.1)), (said("a", 0.9), failed)):
        found = combine(first, second)
        assert (found.outcome, found.status, found.score, found.conflict) == ("unscored", status, None, None)
        assert found.detail == "why"


@pytest.mark.parametrize(
    ("as_is", "swapped", "outcome", "conflict"),
    [
        ("a", "b", "a", False),
        ("b", "a", "b", False),
        ("tie", "tie", "tie", False),
        ("a", "a", "tie", True),
        ("b", "b", "tie", True),
        ("a", "tie", "tie", True),
        ("tie", "b", "tie", True),
    ],
)
def test_the_declared_rule(as_is: str, swapped: str, outcome: str, conflict: bool) -> None:  # noqa: FBT001 - a table
    """A wins only when it wins in both places; whatever else the orders disagree on is a tie and a conflict."""
    found = combine(said(as_is), said(swapped))
    assert (found.outcome, found.conflict, found.status) == (outcome, conflict, "ok")


def test_score_by_hand() -> None:
    """P(first) = .8 as it is and .4 swapped: (.8 + (1 - .4)) / 2 = .7."""
    assert combine(said("a", 0.8), said("b", 0.4)).score == pytest.approx(0.7)


def test_always_the_first_scores_one_half() -> None:
    """A judge that gives the first place .9 whatever stands there prefers nobody."""
    found = combine(said("a", 0.9), said("a", 0.9))
    assert (found.outcome, found.conflict) == ("tie", True)
    assert found.score == pytest.approx(0.5)


def test_no_score_from_half_the_probabilities() -> None:
    """Where one order has no probability, there is a verdict and no score."""
    assert combine(said("a", 0.9), said("b")).score is None


def test_fingerprint_changes_with_everything_that_could_move_a_verdict() -> None:
    """Judge, model, reported model, parameters and parser each change it; the order of parameters does not."""
    judge, parameters = load("preference"), {"temperature": 0, "seed": 1}
    prints = [
        fingerprint(judge, "m", "m-1", parameters),
        fingerprint(load("correctness"), "m", "m-1", parameters),
        fingerprint(judge, "other", "m-1", parameters),
        fingerprint(judge, "m", "m-2", parameters),
        fingerprint(judge, "m", "m-1", {"temperature": 0, "seed": 2}),
        fingerprint(judge, "m", "m-1", parameters, parser_version="0"),
    ]
    assert len(set(prints)) == len(prints)
    assert prints[0] == fingerprint(judge, "m", "m-1", {"seed": 1, "temperature": 0})


def test_swapping_twice_changes_nothing() -> None:
    """An outcome of the other order is read in the pair's own frame: A and B trade places, a tie and a silence stay."""
    assert [swap(outcome) for outcome in ("a", "b", "tie", "unscored")] == ["b", "a", "tie", "unscored"]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_new_parser_pays_for_nothing_again(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version of the parser is in a verdict's fingerprint and not in the key under which a reply was paid for."""
    monkeypatch.setattr(questions, "PARSER_VERSION", version)
    model, manner = f"model of parser {version}", questions.Manner()
    judge, parameters = load("preference"), manner.fingerprint()
    question = questions.of_item(judge, Item.model_validate(identities.item(1)), "2026-11-02")
    asked = questions.Asked(model, "m-1", manner)
    verdict = questions.verdict(question, [{"error": "timeout"}] * 2, asked)
    assert verdict.fingerprint == fingerprint(judge, model, "m-1", parameters, version)
    known = digest(["judge", fingerprint(judge, model, "m-1", parameters, "1"), question.shown[0], "2026-11-02"])
    assert questions.key(question, question.shown[0], asked) == known
