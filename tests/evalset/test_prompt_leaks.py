"""Leaks into prompts: what a judge's prompt shows is found, whatever its capitals."""

from assay.evalset.prompt_leaks import stands_in

PROMPTS = ["Example: How long does a refund of a box take? It takes five days."]


def test_a_turn_that_a_prompt_shows_is_found() -> None:
    """Capitals, blanks and punctuation hide nothing."""
    assert stands_in(["Hello", "how long does a REFUND, of a box take"], PROMPTS)


def test_a_turn_is_looked_for_from_25_letters_on() -> None:
    """Letters and digits count, whatever stands between them; one turn in one prompt is enough."""
    assert not stands_in(["How long does a refund of a box"], PROMPTS)
    assert stands_in(["How long does a refund of a box t"], PROMPTS)
    letters = "abcdefghijklmnopqrstuvwxy"
    assert stands_in([letters], [f"1{letters}2"])
    assert not stands_in([letters[:-1]], [letters])
    assert stands_in([letters, "another turn that no prompt has anywhere"], ["nothing of it", letters])


def test_short_turns_stand_anywhere() -> None:
    """A turn of few letters is no leak, nor is one that no prompt shows."""
    assert not stands_in(["Five days?", "How long does an exchange of a box take?"], PROMPTS)
