"""Leaks into prompts: what a judge's prompt shows is found, whatever its capitals."""

from assay.evalset.prompt_leaks import stands_in

PROMPTS = ["Example: How long does a refund of a box take? It takes five days."]


def test_a_turn_that_a_prompt_shows_is_found() -> None:
    """Capitals, blanks and punctuation hide nothing."""
    assert stands_in(["Hello", "how long does a REFUND, of a box take"], PROMPTS)


def test_short_turns_stand_anywhere() -> None:
    """A turn of few letters is no leak, nor is one that no prompt shows."""
    assert not stands_in(["Five days?", "How long does an exchange of a box take?"], PROMPTS)
