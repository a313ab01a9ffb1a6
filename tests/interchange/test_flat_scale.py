"""The scale of a flat file: seen from its words, named by the user, or refused in one sentence."""

from collections.abc import Sequence

import numpy as np
import pytest

from assay.errors import AssayError, ConfigError, DataError, InsufficientDataError
from assay.interchange.flat_file import Column
from assay.interchange.flat_scale import Asked, asked, grades, taken


def made(*texts: str, name: str = "human") -> Column:
    """Return a column of these cells, as a CSV file would give it."""
    words = tuple(dict.fromkeys(text for text in texts if text))
    codes = np.array([words.index(text) if text else -1 for text in texts], dtype=np.int32)
    return Column(file="results.csv", name=name, first_row=2, words=words, codes=codes)


def sides(judge: Sequence[str], human: Sequence[str]) -> tuple[list[Column], list[Column]]:
    """Return a judge's and a person's column."""
    return [made(*judge, name="judge")], [made(*human)]


@pytest.mark.parametrize("text", ["likert", "5-1", "3-3", "1-", "1..5", "Nominal", "-"])
def test_a_scale_that_is_none_is_refused(text: str) -> None:
    """What is neither a name nor a range of scores is said to be so."""
    with pytest.raises(ConfigError, match="--scale is"):
        asked(text)


@pytest.mark.parametrize(
    ("judge", "human", "place"),
    [
        (["pass", "maybe"], ["pass", "fail"], "row 3, column 'judge': found 'maybe'"),
        (["yes", "no"], ["yes", "partly"], "row 3, column 'human': found 'partly'"),
        (["1", "2"], ["1", "n/a"], "row 3, column 'human': found 'n/a'"),
        (["4", "2"], ["5", "n/a"], "row 3, column 'human': found 'n/a'"),
        (["4", "yes"], ["5", "3"], "row 3, column 'judge': found 'yes'"),
        (["1", "4,5"], ["1", "3"], "row 3, column 'judge': found '4,5'"),
        (["1", "1e5"], ["2", "3"], "row 3, column 'judge': found '1e5'"),
        (["1", "2"], ["3", "nan"], "row 3, column 'human': found 'nan'"),
        (["pass", "a"], ["pass", "a"], "row 3, column 'judge': found 'a'"),
        (["a", "b", "c"], ["a", "b", "d"], "row 4, column 'judge': found 'c'"),
    ],
)
def test_words_of_two_kinds_are_ambiguous(judge: list[str], human: list[str], place: str) -> None:
    """Nothing is guessed: the first word of another kind is named by row and column, and how to tell what is meant."""
    with pytest.raises(DataError) as refused:
        taken(Asked(), *sides(judge, human))
    text = str(refused.value)
    assert place in text
    assert "--map" in text
    assert "--scale nominal" in text
    assert "\n" not in text


def test_people_who_say_0_and_1_beside_scores_are_ambiguous() -> None:
    """0 and 1 are pass and fail, or scores of a scale whose upper end nobody used."""
    with pytest.raises(DataError, match="people say 0 and 1 alone"):
        taken(Asked(), *sides(["3", "1"], ["0", "1"]))


@pytest.mark.parametrize("scale", [Asked(), Asked("nominal"), Asked("ordinal")])
def test_a_file_without_a_label_is_refused(scale: Asked) -> None:
    """Whatever the scale: a judge alone agrees with nobody; a word mapped to nothing is no label."""
    with pytest.raises(InsufficientDataError, match="label items"):
        taken(scale, *sides(["spam", "ham"], ["", "?"]), ["?=unscored"])


@pytest.mark.parametrize(
    ("judge", "human", "scale"),
    [
        (["pass", ""], ["FAIL", "1"], "pass-fail"),
        (["1", "0.0"], ["0", "1.0"], "pass-fail"),
        (["a", "tie"], ["b", "draw"], "pairwise"),
        (["spam", "ham"], ["ham", "other"], "nominal"),
        (["4.0", "2"], ["5", "1"], "ordinal"),
        (["0", "1"], ["2", "1"], "ordinal"),
        (["0.5", "1"], ["0.5", "0"], "ordinal"),
        (["a", "b"], ["0.6", "0.2"], "shares"),
        (["0.83", "0.1"], ["a", "tie"], "shares"),
    ],
)
def test_the_words_tell_the_scale(judge: list[str], human: list[str], scale: str) -> None:
    """Words of one kind have one scale, and why it was taken is told."""
    found = taken(Asked(), *sides(judge, human))
    assert found.scale == scale
    assert found.why


def test_the_scale_is_seen_after_the_mapping() -> None:
    """Words become classes, numbers, or pass and fail by what the user tells of them."""
    words = sides(["good", "bad"], ["good", "fair"])
    assert taken(Asked(), *words).scale == "nominal"
    assert taken(Asked(), *words, ["good=3", "fair=2", "bad=1"]).scale == "ordinal"
    assert taken(Asked(), *words, ["good=pass", "fair=pass", "bad=fail"]).scale == "pass-fail"
    assert taken(Asked(), *sides(["1", "n/a"], ["5", "3"]), ["n/a=unscored"]).scale == "ordinal"


@pytest.mark.parametrize(("maps", "code"), [(["good"], "expected WORD"), (["a=1", "A=2"], "twice with two meanings")])
def test_a_mapping_that_is_none_is_refused(maps: list[str], code: str) -> None:
    """A text without a meaning, or with two, is said to be so."""
    with pytest.raises(ConfigError, match=code):
        taken(Asked(), *sides(["good", "bad"], ["good", "fair"]), maps)


@pytest.mark.parametrize(
    ("scale", "judge", "human", "error", "sentence"),
    [
        ("1-5", ["4", "7"], ["4", "5"], DataError, "row 3, column 'judge': found '7', expected a number from 1 to 5"),
        ("ordinal", ["4", "good"], ["4", "5"], DataError, "row 3, column 'judge': found 'good', expected a number"),
        ("ordinal", ["4", "4.0"], ["4", ""], InsufficientDataError, "gave the score 4 throughout"),
        ("shares", ["a", "b"], ["0.6", "60"], DataError, "row 3, column 'human': found '60', expected a, b, tie, or"),
        ("shares", ["a", "pass"], ["0.6", "1"], DataError, "row 3, column 'judge': found 'pass'"),
        ("nominal", ["spam", "Spam"], ["SPAM", ""], InsufficientDataError, "one and the same label throughout"),
    ],
)
def test_a_word_beyond_the_scale_is_refused(
    scale: str, judge: list[str], human: list[str], error: type[AssayError], sentence: str
) -> None:
    """A word that the named scale does not have is told by row and column; one word alone tells nothing apart."""
    with pytest.raises(error, match=sentence):
        grades(asked(scale), *sides(judge, human))


def test_texts_are_no_classes() -> None:
    """More than fifty different words are a column of texts, and are refused by their number."""
    texts = [f"because of {number}" for number in range(60)]
    with pytest.raises(DataError, match="found 60 different words"):
        grades(Asked("nominal"), *sides(texts, texts))


def test_classes_are_words_whatever_their_case() -> None:
    """One place a word, in the order of the alphabet, as people spell it; 2.0 beside a gap is 2."""
    found = grades(Asked("nominal"), *sides(["spam", "HAM ", "2"], ["Spam", "", "2.0"]))
    assert found.classes == ("2", "HAM", "Spam")
    assert [one.tolist() for one in found.places] == [[2, 1, 0], [2, -1, 0]]


@pytest.mark.parametrize(
    ("scale", "human", "classes"),
    [
        ("ordinal", ["1", "4.0", ""], ("1", "2", "3", "4")),
        ("ordinal", ["1.5", "3", ""], ("1", "1.5", "2", "2.5", "3")),
        ("0-5", ["1", "4.0", ""], ("0", "1", "2", "3", "4", "5")),
        ("-1-2", ["-1", "1", "2"], ("-1", "0", "1", "2")),
    ],
)
def test_scores_have_every_step_of_their_scale(scale: str, human: list[str], classes: tuple[str, ...]) -> None:
    """Whole or half numbers have steps, also those that nobody gave, from the least to the highest."""
    found = grades(asked(scale), *sides(["1", "2", "2"], human))
    assert (found.classes, found.has_steps) == (classes, True)
    assert [classes[place] for place in found.places[0]] == ["1", "2", "2"]


def test_finer_numbers_have_no_steps() -> None:
    """Means such as 4.33 are kept as they are, and nothing is rounded."""
    found = grades(Asked("ordinal"), *sides(["4", "2"], ["4.33", ""]))
    assert (found.classes, found.has_steps) == (("2", "4", "4.33"), False)
    assert found.places[1].tolist() == [2, -1]


def test_preferences_are_shares_of_those_who_prefer_a() -> None:
    """Response A is 1, B is 0 and a tie half, beside shares."""
    found = grades(Asked("shares"), *sides(["a", "b", "tie"], ["0.6", "", "0"]))
    values = found.values if found.values is not None else np.zeros(0)
    assert values[found.places[0]].tolist() == [1, 0, 0.5]
    assert values[found.places[1][[0, 2]]].tolist() == [0.6, 0]
