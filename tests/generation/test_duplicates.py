"""Duplicates: what was said in other words is found, what was said of another thing in the same words is not."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.generation.duplicates import fitting, lexicon, model, neighbours
from assay.generation.duplicates.features import FEATURES, features
from assay.generation.duplicates.finding import EMBEDDED, NEAREST, Match, Text, find
from assay.generation.duplicates.lexicon import Lexicon
from assay.generation.duplicates.model import Decided, Model
from assay.generation.duplicates.reading import SHOWN, Reading, read
from assay.generation.duplicates.words import plain, tokens
from assay.generation.perturbations import PERTURBATIONS
from benchmarks import duplicates as benchmark

PAIRS = benchmark.pairs()
TRAIN, TEST = ([pair for pair in PAIRS if pair.split == split] for split in ("train", "test"))


def decided(one: str, other: str) -> Decided:
    """Return what the shipped model says of two texts."""
    known = lexicon.shipped()
    return model.shipped().decide(read(one, known), read(other, known), known)


def found(pairs: Sequence[fitting.Pair]) -> fitting.Found:
    """Return precision and recall of the shipped model."""
    said = np.array([decided(pair.a, pair.b).is_duplicate for pair in pairs])
    return fitting.score(said, np.array([pair.label == "duplicate" for pair in pairs]))


def one(text: str, *existing: str, **arguments: object) -> Match:
    """Return the match of one candidate among texts that are called 0, 1, 2 ..."""
    there = [Text(str(place), said) for place, said in enumerate(existing)]
    return find([Text("new", text)], there, **arguments)["new"]  # type: ignore[arg-type]


class Counting(Model):
    """The shipped model, which counts what it is asked."""

    asked = 0

    def decide(self, one: Reading, other: Reading, known: Lexicon) -> Decided:
        """Count, then decide."""
        Counting.asked += 1
        return super().decide(one, other, known)


def counting() -> Counting:
    """Return the shipped model with a count of 0."""
    Counting.asked = 0
    shipped = model.shipped()
    return Counting(weights=shipped.weights, bias=shipped.bias, threshold=shipped.threshold)


def test_the_fixture_is_what_it_says() -> None:
    """400 different pairs, half of them duplicates, no group in both splits, a third held out."""
    assert len({(pair.a, pair.b) for pair in PAIRS}) == 400
    assert sum(pair.label == "duplicate" for pair in PAIRS) == 200
    assert not {pair.group for pair in TRAIN} & {pair.group for pair in TEST}
    assert len(TEST) / len(PAIRS) > 1 / 3


def test_precision_and_recall_on_pairs_that_no_fit_has_seen() -> None:
    """On the held-out third both are at least .9."""
    precision, recall, n = found(TEST)
    assert (precision >= 0.9, recall >= 0.9, n) == (True, True, 136)


def test_precision_and_recall_out_of_fold() -> None:
    """Where each pair is judged by a fit without its group, both are at least .9 too."""
    similarity, duplicate = fitting.cross_validate(TRAIN, rng=np.random.default_rng(benchmark.SEED))
    precision, recall, _ = fitting.score(similarity >= model.shipped().threshold, duplicate)
    assert min(precision, recall) >= 0.9


def test_on_trades_that_the_lexicon_was_not_written_for() -> None:
    """On pairs of other products, written after features and words were fixed, precision and recall are lower."""
    precision, recall, n = found(benchmark.pairs("pairs_later"))
    assert (0.75 < precision < 0.9, 0.6 < recall < 0.9, n) == (True, True, 80)


def test_texts_of_a_common_subject_are_not_taken_for_duplicates() -> None:
    """Of the most similar texts of other held-out groups at most 1 in 50 is taken for a duplicate."""
    pairs = fitting.foreign(TEST)
    assert len(pairs) > 500
    assert sum(decided(pair.a, pair.b).is_duplicate for pair in pairs) <= len(pairs) / 50


def test_the_shipped_weights_are_those_of_the_fixture() -> None:
    """A refit on the training pairs gives the file beside the module, up to the last digits of another machine."""
    again = benchmark.fitted()
    shipped = model.shipped()
    assert again.threshold == shipped.threshold
    assert dict(again.weights) == pytest.approx(dict(shipped.weights), abs=0.01)
    assert model.spell(model.parse(model.FILE.read_text(encoding="utf8"))) == model.FILE.read_text(encoding="utf8")


def test_no_weight_speaks_against_its_meaning() -> None:
    """What speaks for a duplicate never counts against one, so that unlike words alone are no evidence."""
    assert all(feature.sign * model.shipped().weights[feature.name] >= 0 for feature in FEATURES)


@pytest.mark.parametrize("name", ["politeness", "shouting", "spelled-number", "typos"])
def test_a_perturbed_text_stays_the_same_request(name: str) -> None:
    """At least 19 of 20 seeds are recognised behind courtesies, capitals, spelled numbers and slips."""
    rng = np.random.default_rng(1)
    made = [(pair.a, PERTURBATIONS[name]([pair.a], rng)[0]) for pair in PAIRS[::4]]
    changed = [(before, after) for before, after in made if before != after]
    assert sum(decided(*both).is_duplicate for both in changed) >= 0.95 * len(changed)
    assert changed


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("Refund 20 euros for PL-1001.", "Refund 30 euros for PL-1001.", "other number, amount or time"),
        ("Where is order PL-1001?", "Where is order PL-1002?", "other order number or code"),
        ("Please move my visit to 9 am.", "Please move my visit to 9 pm.", "other number, amount or time"),
        ("Is there parking in Graz?", "Is there parking in Bern?", "other name"),
        ("Can I freeze the soup?", "Can I freeze the bread?", "same words, but one replaced"),
        ("The soup was cold.", "My bicycle needs a new tyre.", "few words in common"),
    ],
)
def test_a_reviewer_reads_why(a: str, b: str, why: str) -> None:
    """What differs is named, and is no duplicate."""
    assert decided(a, b)[1:] == (False, why)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("The train leaves at half past four.", "The train leaves at 4:30 pm."),
        ("I can't pay 1,500 euros.", "I cannot pay €1500."),
        ("It runs until May.", "It runs until may."),
        ("Cancel it in two weeks.", "Cancel it in fourteen days."),
    ],
)
def test_one_fact_in_two_spellings(a: str, b: str) -> None:
    """Times, amounts, contractions and months are one, however they are written."""
    assert decided(a, b).is_duplicate


def test_the_order_of_the_two_does_not_matter() -> None:
    """Either may be the first."""
    known = lexicon.shipped()
    for pair in TEST[::7]:
        a, b = read(pair.a, known), read(pair.b, known)
        assert features(a, b, known).tolist() == pytest.approx(features(b, a, known).tolist())


def test_a_name_is_not_a_slip() -> None:
    """Only a misspelled word is mended: Mill Lane and Hill Lane, Novak and Nowak stay two."""
    assert not decided("Deliver to Mill Lane", "Deliver to Hill Lane").is_duplicate
    assert not decided("Is Dr Novak in today?", "Is Dr Nowak in today?").is_duplicate


def test_nothing_there() -> None:
    """Without candidates there are no matches, without texts no match, and no similarity stands in for it but 0."""
    nothing = Match(other_id="", similarity=0.0, is_duplicate=False, why="")
    assert find([], [Text("a", "hello")]) == {}
    assert one("Where is my box?") == nothing
    assert one("Where is my box?", "") == nothing


def test_the_first_of_two_equals_survives() -> None:
    """In a batch each candidate is compared with those before it and never with those after it."""
    batch = [Text("a", "Where is my box?"), Text("b", "where  is my BOX?"), Text("c", "Where's my parcel?")]
    matches = find(batch, [])
    assert (matches["a"].other_id, matches["a"].is_duplicate) == ("", False)
    assert matches["b"] == Match(other_id="a", similarity=1.0, is_duplicate=True, why=model.SAME)
    assert (matches["c"].is_duplicate, matches["c"].other_id in {"a", "b"}) == (True, True)


def test_existing_ones_count_whatever_became_of_them() -> None:
    """A retired text is handed in with the others and found as they are; an id may be the candidate's own."""
    retired = [Text("new", "I lost my card, please block it."), Text("other", "What does a second bag cost?")]
    match = find([Text("new", "My card is gone. Freeze it please.")], retired)["new"]
    assert (match.other_id, match.is_duplicate) == ("new", True)


def test_a_crowded_pair_is_decided() -> None:
    """Two texts of as many nearly alike words as are read are compared, and are no duplicates."""
    words = [f"b{a}{b}{c}" for a in "aeiou" for b in "lmnrst" for c in "aeioudgkp"]
    text = " ".join((words * 3)[: SHOWN // 5])
    assert decided(text, text[::-1]).is_duplicate is False
    assert decided(text, text[::-1]).why != model.TOO_LONG


def test_two_candidates_of_one_id_are_refused() -> None:
    """The answer has one place for each id."""
    with pytest.raises(ConfigError, match="two candidates have the id 'a'"):
        find([Text("a", "x"), Text("b", "y"), Text("a", "z")], [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\x1b[31m\u202e\ufeff",
        "🍕🍕🍕",
        "Где мой заказ номер 17?",
        "注文はどこですか",
        "(" * 3000,
        "1" * 5000,
        "{0.__class__} %s \\1 <script>",
        "not " * 900,
        "half past " * 300,
        "a" * 1_000_000,
        "word " * 200_000,
        "\ud800",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_texts(text: str) -> None:
    """Whatever the text, it is a duplicate of itself and of no ordinary one, and other hostile text changes nothing."""
    assert one(text, "Where is my box?", text).other_id == "1"
    assert not one(text, "Where is my box?").is_duplicate
    assert one("Where is my parcel?", text, "Where is my box?").other_id == "1"


def test_a_long_text_is_only_ever_equal() -> None:
    """What is longer than what is read is no duplicate of what begins like it."""
    long = "Where is my box? " * (SHOWN // 10)
    assert one(long, long).is_duplicate
    assert one(f"{long} And now cancel it.", long) == one(f"{long} And now cancel it.", long)
    assert one(f"{long} And now cancel it.", long).why == model.TOO_LONG


def test_equal_input_gives_equal_results() -> None:
    """Twice the same search finds the same, to the last digit."""
    candidates = [Text(str(place), pair.b) for place, pair in enumerate(TEST[::5])]
    existing = [Text(f"old-{place}", pair.a) for place, pair in enumerate(PAIRS)]
    assert repr(find(candidates, existing)) == repr(find(candidates, existing))


def test_the_work_does_not_grow_with_the_square() -> None:
    """Each candidate is decided on against a few neighbours, however many texts there are."""
    existing = [Text(f"old-{place}", f"{pair.a} Reference {place}.") for place, pair in enumerate(PAIRS)]
    candidates = [Text(str(place), f"{pair.b} Number {place}.") for place, pair in enumerate(PAIRS[:100])]
    find(candidates, existing, decider=counting())
    assert 0 < Counting.asked <= NEAREST * len(candidates)


def test_an_equal_text_needs_no_decision() -> None:
    """A thousand copies of one text cost one lookup each."""
    matches = find([Text(str(place), "Where is my box?") for place in range(1000)], [], decider=counting())
    assert Counting.asked == 0
    assert sum(match.is_duplicate for match in matches.values()) == 999


def hashed(texts: Sequence[str]) -> np.ndarray:
    """Embed texts by their letters; rows of length 1."""
    rows = np.array([[text.lower().count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_an_embedder_brings_further_neighbours() -> None:
    """Its neighbours are decided on besides, and the decision stays the model's."""
    existing = ["Block my card.", *(f"qq{place} zz" for place in range(30))]
    without = one("xx yy", *existing)
    Counting.asked = 0
    with_it = one("xx yy", *existing, embedder=hashed, decider=counting())
    assert Counting.asked == EMBEDDED
    assert not without.is_duplicate
    assert not with_it.is_duplicate


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (np.ones((1, 3)), "shape"),
        (np.ones(2), "shape"),
        (np.ones((2, 3)), "length 1"),
        (np.full((2, 3), np.nan), "length"),
    ],
)
def test_an_embedder_that_breaks_its_promise(rows: np.ndarray, found: str) -> None:
    """Rows that are missing, too long or no numbers are refused."""
    with pytest.raises(ConfigError, match=found):
        one("Where is my box?", "Block my card.", embedder=lambda _: rows)


def test_neighbours_are_those_of_the_largest_cosine() -> None:
    """The index gives what all cosines give, computed one by one."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(60, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    got = list(neighbours.embedded(lambda _: vectors, ["x"] * 60, 50, 4))
    wanted = [
        np.argsort(-np.einsum("i,ji->j", vectors[place], vectors[:place]), kind="stable")[:4].tolist()
        for place in range(50, 60)
    ]
    assert got == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"weights": {}, "bias": 0, "threshold": 0.5}',
        '{"weights": {"shared": "x"}, "bias": 0, "threshold": 0.5}',
        json.dumps({"weights": {f.name: float("nan") for f in FEATURES}, "bias": 0, "threshold": 0.5}),
    ],
)
def test_broken_weights_are_refused(text: str) -> None:
    """No weight has a default."""
    with pytest.raises(DataError, match="weights of the duplicate model"):
        model.parse(text)


def test_a_lexicon_without_a_list_is_refused() -> None:
    """The message names the list that is missing."""
    with pytest.raises(DataError, match="lacks 'contrasts'"):
        lexicon.parse("synonyms: []\n")


def test_too_few_pairs_carry_no_fit() -> None:
    """Both labels and a group for each fold are needed."""
    with pytest.raises(InsufficientDataError, match="cannot carry a fit"):
        fitting.fit(TRAIN[:8], rng=np.random.default_rng(0))


def test_what_pairs_imply() -> None:
    """Two duplicates of a seed are duplicates of each other, and differ from what differs from the seed."""
    made = fitting.implied(TRAIN[:4])
    assert [pair.label for pair in made].count("duplicate") == 1
    assert [pair.label for pair in made].count("different") == 4
    assert {pair.group for pair in made} == {TRAIN[0].group}


def test_score_by_hand() -> None:
    """Of 3 said 2 are right, of 4 there are 2 found; nothing said is precision 0."""
    said, true = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 1], bool)
    assert fitting.score(said, true) == (2 / 3, 0.5, 5)
    assert fitting.score(said & False, true) == (0.0, 0.0, 5)


def test_tokens() -> None:
    """Numbers, times, ids and contractions have one spelling each."""
    said = "I can't pay £1,150.00 for PL-2207 at 4 pm; two weeks, twenty-five, 2nd, v3.1"
    read_as = [(token.text, token.kind) for token in tokens(plain(said)) if token.kind != "word"]
    numbers = ["1150", "14", "25", "2", "3.1"]
    assert [text for text, kind in read_as if kind == "number"] == numbers
    assert [text for text, kind in read_as if kind != "number"] == ["pl2207", "t960"]
    assert "not" in [token.text for token in tokens(plain(said))]


def test_kin_repeat_nothing_of_one_another() -> None:
    """A family is left out of the comparison, however large, and an equal text of somebody else is still found."""
    seed = "Two of the meals in PL-1044 were missing. Can I get a refund for them?"
    family = [Text(f"kin-{number}", seed) for number in range(30)]
    stranger = Text("stranger", seed)

    def is_kin(one: str, other: str) -> bool:
        return "stranger" not in (one, other)

    found = find([Text("kin-new", seed)], family, is_kin=is_kin)["kin-new"]
    assert (found.other_id, found.is_duplicate) == ("", False)
    found = find([Text("kin-new", seed)], [*family, stranger], is_kin=is_kin)["kin-new"]
    assert (found.other_id, found.similarity) == ("stranger", 1.0)
