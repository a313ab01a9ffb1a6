"""Features: what speaks for and against two readings meaning the same, each a number from 0 up."""

import difflib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from assay.generation.duplicates.lexicon import Lexicon
from assay.generation.duplicates.reading import Reading, Unit, read
from assay.generation.duplicates.sentences import aligned
from assay.generation.duplicates.spelling import mended

MOST_UNITS = 120
"""Units of a text that are compared."""
ALIKE, LONG = 0.92, 5
"""Jaro-Winkler similarity from which two words of at least so many letters are one word, misspelled."""
CLAUSE = 3
"""Words that move together and are still no clause."""
SLIGHT = 2.0
"""Weight of words that a paraphrase may well add."""
MANY = 3.0
"""Where a count stops to grow."""


class Feature(NamedTuple):
    """One kind of evidence."""

    name: str
    sign: int
    """+1 speaks for a duplicate, -1 against; a fit may not turn it."""
    says: str
    """What a reviewer reads when it decided, for evidence against."""


class Matched(NamedTuple):
    """Two readings laid side by side."""

    pairs: tuple[tuple[Unit, Unit], ...]
    """A unit of the one and its counterpart in the other, in the order of the first."""
    places: tuple[int, ...]
    """Where in the second the counterparts stand."""
    left: tuple[Unit, ...]
    """Without a counterpart in the second."""
    right: tuple[Unit, ...]
    """Of the second, without a counterpart in the first."""


FEATURES = (
    Feature("shared", 1, ""),
    Feature("shared_of_the_fuller", 1, ""),
    Feature("shared_facts", 1, ""),
    Feature("token_ratio", 1, ""),
    Feature("left_over_in_both", -1, "few words in common"),
    Feature("left_over_in_one", -1, "one says more than the other"),
    Feature("far_more_in_one", -1, "one asks for much more than the other"),
    Feature("replaced_in_place", -1, "same words, but one replaced"),
    Feature("added_in_place", -1, "same words, but one says more"),
    Feature("other_number", -1, "other number, amount or time"),
    Feature("number_in_one", -1, "a number that only one has"),
    Feature("other_id", -1, "other order number or code"),
    Feature("other_name", -1, "other name"),
    Feature("name_in_one", -1, "a name that only one has"),
    Feature("excluding", -1, "words that exclude one another"),
    Feature("denied_in_one", -1, "one denies what the other says"),
    Feature("denied_among_same", -1, "same words, one with a negation"),
    Feature("negative_in_one", -1, "one says that something is not"),
    Feature("other_part", -1, "roles swapped"),
    Feature("swapped_among_same", -1, "same words in another order"),
    Feature("turned_in_place", -1, "same words, but a small one that turns the meaning"),
)


def features(one: Reading, other: Reading, lexicon: Lexicon) -> np.ndarray:
    """Return the values of `FEATURES`, shape (21,); the order of the two readings does not matter."""
    one, other = _in_one_order(one, other, lexicon)
    one, other = mended(one, other, lexicon), mended(other, one, lexicon)
    matched = match(one.units[:MOST_UNITS], other.units[:MOST_UNITS])
    back = match(other.units[:MOST_UNITS], one.units[:MOST_UNITS])
    found: np.ndarray = (_values(one, other, matched, lexicon) + _values(other, one, back, lexicon)) / 2
    return found


def _in_one_order(one: Reading, other: Reading, lexicon: Lexicon) -> tuple[Reading, Reading]:
    """Return both, the one that comes later in the alphabet with its sentences in the order of the other's."""
    first, second = sorted((one, other), key=lambda reading: reading.written)
    moved = aligned(second.written, first.written)
    return first, second if moved == second.written else read(moved, lexicon)


def match(first: Sequence[Unit], second: Sequence[Unit]) -> Matched:
    """Give each unit its likest counterpart: the same word before the same meaning, the nearest place among equals."""
    pairs, places, taken = [], [], set()
    for place, unit in enumerate(first):
        found = [(_likeness(unit, candidate), -abs(place - at), at) for at, candidate in enumerate(second)]
        likeness, _, at = max(found, default=(0.0, 0, 0))
        if likeness:
            pairs.append((unit, second[at]))
            places.append(at)
            taken.add(at)
    matched = {id(unit) for unit, _ in pairs}
    left = tuple(unit for unit in first if id(unit) not in matched)
    right = tuple(
        unit
        for at, unit in enumerate(second)
        if at not in taken and not any(_likeness(unit, candidate) for candidate in first)
    )
    return Matched(tuple(pairs), tuple(places), left, right)


def _likeness(one: Unit, other: Unit) -> float:
    if one.kind != "word" or other.kind != "word":
        return _same_fact(one, other)
    if one.stem == other.stem:
        return 1.0
    if one.meanings & other.meanings:
        return 0.9
    if min(len(one.stem), len(other.stem)) >= LONG and not (one.meanings and other.meanings):
        return 0.8 if JaroWinkler.similarity(one.stem, other.stem) >= ALIKE else 0.0
    return 0.0


def _same_fact(one: Unit, other: Unit) -> float:
    if "time" == one.kind == other.kind:
        return float(any(value.startswith("t") for value in one.values & other.values))
    return float(bool(one.values & other.values))


def _values(one: Reading, other: Reading, matched: Matched, lexicon: Lexicon) -> np.ndarray:
    left, right = _weight(matched.left), _weight(matched.right)
    total_left, total_right = _weight(one.units[:MOST_UNITS]), _weight(other.units[:MOST_UNITS])
    shares = sorted(1 - gone / total if total else 0.0 for gone, total in ((left, total_left), (right, total_right)))
    ratio = fuzz.token_ratio(one.text, other.text) / 100
    same = _sameness(one, other)
    facts = sum(unit.kind != "word" for unit, _ in matched.pairs)
    edited = _edited(one, other, lexicon)
    denied = float(one.denials % 2 != other.denials % 2)
    negative = any(unit.is_negative for unit in (*matched.left, *matched.right))
    parted = _parted(matched)
    scoped = sum(a.is_denied != b.is_denied for a, b in matched.pairs if a.weight == b.weight == 1)
    return np.array([
        shares[1],
        shares[0],
        min(facts, MANY),
        ratio,
        min(left, right, MANY),
        min(abs(left - right), MANY),
        min(max(0.0, abs(left - right) - SLIGHT), MANY),
        min(edited.replaced, MANY) * same,
        min(edited.added, MANY) * same,
        _both(matched, lambda unit: unit.kind in {"number", "time"} and unit.stem != "1"),
        _one(matched, lambda unit: unit.kind in {"number", "time"} and unit.stem != "1"),
        _both(matched, lambda unit: unit.kind == "id"),
        _both(matched, lambda unit: unit.named),
        _one(matched, lambda unit: unit.named),
        min(_excluding(matched, lexicon), MANY),
        denied * (not negative),
        min(scoped, MANY) * same,
        float(negative) * same,
        min(parted, MANY),
        min(edited.moved, MANY) * same**2,
        min(edited.pivots, MANY) * same,
    ])  # fmt: skip


def _weight(units: Sequence[Unit]) -> float:
    return sum(unit.weight for unit in units)


class Edited(NamedTuple):
    """What was changed in a text of which much stayed word for word, in weight of words."""

    replaced: float
    added: float
    moved: float
    pivots: float
    """Small words that turn a meaning, a count."""


def _sameness(one: Reading, other: Reading) -> float:
    """How literally the one repeats the other: 0 up to half of the words in common, 1 for all."""
    first, second = Counter(one.text.split()), Counter(other.text.split())
    shared = 2 * (first & second).total() / max(1, first.total() + second.total())
    return max(0.0, 2 * shared - 1)


def _edited(one: Reading, other: Reading, lexicon: Lexicon) -> Edited:
    """Weigh what was replaced, added, moved, where everything around it stayed."""
    first, second = one.words[:MOST_UNITS], other.words[:MOST_UNITS]
    old_keys, new_keys = ([unit.stem for unit in words] for words in (first, second))
    blocks = difflib.SequenceMatcher(None, old_keys, new_keys, autojunk=False).get_opcodes()
    changed = [(list(first[a:b]), list(second[c:d])) for kind, a, b, c, d in blocks if kind != "equal"]
    gone, new = (
        Counter(unit.stem for block in changed if len(block[side]) <= CLAUSE for unit in block[side]) for side in (0, 1)
    )
    both = gone & new
    replaced = added = pivots = 0.0
    for old, fresh in changed:
        left = [u for u in old if u.stem not in both and not any(_likeness(u, other) for other in fresh)]
        right = [u for u in fresh if u.stem not in both and not any(_likeness(u, other) for other in old)]
        if _mean_the_same(old, fresh, lexicon):
            continue
        replaced += min(_weight(left), _weight(right))
        added += abs(_weight(left) - _weight(right))
        pivots += sum(unit.stem in lexicon.pivots for unit in (*left, *right))
    weights = {unit.stem: max(unit.weight, float(unit.stem in lexicon.pivots)) for unit in first}
    return Edited(replaced, added, sum(count * weights[key] for key, count in both.items()), pivots)


def _mean_the_same(old: Sequence[Unit], new: Sequence[Unit], lexicon: Lexicon) -> bool:
    known = [lexicon.groups.get(tuple(unit.stem for unit in block), frozenset()) for block in (old, new)]
    return bool(known[0] & known[1])


def _both(matched: Matched, is_meant: Callable[[Unit], bool]) -> float:
    return float(any(map(is_meant, matched.left)) and any(map(is_meant, matched.right)))


def _one(matched: Matched, is_meant: Callable[[Unit], bool]) -> float:
    return float(any(map(is_meant, matched.left)) != any(map(is_meant, matched.right)))


def _excluding(matched: Matched, lexicon: Lexicon) -> float:
    """Count units left over in the one that a unit left over in the other excludes."""
    said = {meaning for unit in matched.right for meaning in unit.meanings}
    return sum(
        any(lexicon.excluded.get(meaning, frozenset()) & said for meaning in unit.meanings) for unit in matched.left
    )


def _parted(matched: Matched) -> float:
    """Count what one puts in the place of something and the other gives up for something."""
    roles = [(a.role, b.role) for a, b in matched.pairs]
    crossed = ("source", "") in roles and ("", "source") in roles
    return sum({a, b} == {"source", "goal"} for a, b in roles) + float(crossed)
