"""Ways of making candidates: what a generator is shown besides the category, and what it has to come up with.

* `category`      more of what the category describes, in other situations
* `document`      questions that one passage of the product's documents answers, with that passage word for word
* `production`    what users really asked where the product failed them, one recurrent failure at a time
* `conversation`  an opening, and a simulated user with a goal who goes on from there
* `tool-call`     requests that take calls of the product's tools, with the calls
* `rubric`        what tempts the product to break a rule of a judge's rubric, with that rule word for word
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from rapidfuzz import fuzz

from assay.evalset.pii import masked
from assay.generation.clusters import clustered
from assay.judges.declaration import AppliesTo
from assay.records.case import Case
from assay.records.category import Category
from assay.records.trace import Trace

Way = Literal["category", "document", "production", "conversation", "tool-call", "rubric"]
WAYS: tuple[Way, ...] = get_args(Way)
SEVERITY = {"low": 1, "medium": 2, "high": 3, "critical": 4}
CLOSEST = 6
"""Documents that are close enough to a category to be shown, in turns."""
SHOWN = 2
"""Documents in one prompt."""
FAILURES = 4
"""Failed conversations in one prompt."""
MAX_MATERIAL = 6000
"""Characters of one document or trace that are shown."""
CROWDED = 0.4
"""A word in more than this share of a category's cases is told to be in plenty."""
MIN_CROWDED = 5
"""Cases below which nothing is in plenty."""
_COMMON = 4
"""Letters below which a word says nothing of a matter."""


class Material(NamedTuple):
    """Something that candidates are made from."""

    name: str
    """The document's path below its folder, the trace's id, or the judge's name."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request to a generator."""

    way: Way
    category: Category
    count: int
    examples: Sequence[Case] = ()
    """Admitted cases of the category, with all that is expected of the product."""
    existing: Sequence[Case] = ()
    """Cases whose questions are not to be repeated."""
    crowded: Sequence[str] = ()
    """Words that too many cases of the category have already."""
    material: Sequence[Material] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    """The product's tools, in OpenAI's shape."""
    seed: int = 0
    """Of the request; another one for each."""


@dataclass(frozen=True, kw_only=True)
class Stock:
    """All that asks are made from."""

    cases: Sequence[Case]
    documents: Sequence[Material] = ()
    failures: Mapping[str, Sequence[Sequence[Material]]] = field(default_factory=dict)
    """By category, those that are the same failure together, the most frequent first."""
    rubrics: Sequence[tuple[AppliesTo, Material]] = ()
    """Of judges that could fail a case, with the cases that they are for."""
    tools: Sequence[Mapping[str, Any]] = ()


def need(category: Category, admitted: int) -> float:
    """Return how much a category is in need of cases: its gap to the quota, weighted by severity."""
    return SEVERITY[category.severity] * (1 - admitted / category.quota)


def lacking(taxonomy: Sequence[Category], cases: Sequence[Case]) -> list[Category]:
    """Return the categories that have not reached their quota."""
    admitted = Counter(case.category for case in cases)
    return [one for one in taxonomy if need(one, admitted[one.category]) > 0]


def thinnest(taxonomy: Sequence[Category], cases: Sequence[Case], count: int) -> list[Category]:
    """Return the categories in greatest need; full ones come last."""
    admitted = Counter(case.category for case in cases)
    return sorted(taxonomy, key=lambda one: (-need(one, admitted[one.category]), one.category))[:count]


def shares(asked: Sequence[Category], cases: Sequence[Case], total: int) -> dict[str, int]:
    """Return how many of a batch's candidates each category gets: one at least, the rest by need.

    Where no category lacks anything the rest goes by severity. Largest remainders, so that the sum is the total.
    """
    admitted = Counter(case.category for case in cases)
    needs = {one.category: max(need(one, admitted[one.category]), 0.0) for one in asked}
    if not any(needs.values()):
        needs = {one.category: float(SEVERITY[one.severity]) for one in asked}
    rest, whole = max(total - len(needs), 0), sum(needs.values())
    exact = {name: rest * of / whole for name, of in needs.items()}
    found = {name: 1 + int(of) for name, of in exact.items()}
    left = rest - sum(int(of) for of in exact.values())
    for name in sorted(exact, key=lambda name: (int(exact[name]) - exact[name], name))[:left]:
        found[name] += 1
    return found


def asks(category: Category, count: int, ways: Sequence[Way], stock: Stock, *, examples: int, batch: int) -> list[Ask]:
    """Return the requests for one category: its candidates dealt out to the ways that there is material for.

    Args:
        category: What is asked for.
        count: How many candidates.
        ways: In the order in which they are dealt to; each batch begins with another one.
        stock: What there is.
        examples: How many cases a prompt shows.
        batch: Number of the batch: each one is shown other examples and other material.
    """
    own = [case for case in stock.cases if case.category == category.category]
    material = {way: _material(way, category, own, stock, batch) for way in ways}
    possible = [way for way in ways if material[way] is not None] or ["category"]
    dealt = Counter(possible[(batch + number) % len(possible)] for number in range(count))
    return [
        Ask(
            way=way,
            category=category,
            count=dealt[way],
            examples=_turn(_fitting(way, own) or own, examples, batch),
            existing=own,
            crowded=crowded(own),
            material=material.get(way) or (),
            tools=stock.tools if way == "tool-call" else (),
        )
        for way in WAYS
        if dealt[way]
    ]


def crowded(cases: Sequence[Case]) -> list[str]:
    """Return the words that too many of these cases have, commonest first: more of them cover nothing new."""
    if len(cases) < MIN_CROWDED:
        return []
    words = Counter(word for case in cases for word in set(" ".join(case.turns).lower().split()) if len(word) > _COMMON)
    plenty = [(word, count) for word, count in words.items() if count > CROWDED * len(cases) and word.isalpha()]
    return [f"{word} (in {count} of {len(cases)})" for word, count in sorted(plenty, key=lambda row: (-row[1], row[0]))]


def failures(traces: Sequence[Trace]) -> dict[str, list[list[Material]]]:
    """Return the conversations in which the product failed its user, by category and then by what was asked.

    Of a category the most frequent failure comes first, and of each the newest conversation. A generator is somebody
    else's service: addresses and numbers of users are masked.
    """
    found: dict[str, list[Trace]] = {}
    for trace in sorted(traces, key=lambda trace: (trace.at, trace.trace_id), reverse=True):
        if trace.thumb == "down" or trace.contacted_again:
            found.setdefault(trace.category, []).append(trace)
    return {
        name: [[_failure(of[place]) for place in group] for group in clustered([trace.question for trace in of])]
        for name, of in found.items()
    }


def _failure(trace: Trace) -> Material:
    contexts = "\n".join(trace.contexts)
    text = f"USER: {trace.question}\nPRODUCT: {trace.answer}\nRETRIEVED: {contexts}"
    return Material(trace.trace_id, masked(text[: 2 * MAX_MATERIAL])[:MAX_MATERIAL])


def _material(way: Way, category: Category, own: Sequence[Case], stock: Stock, batch: int) -> Sequence[Material] | None:
    """Return what a way is shown of this category; None where it has nothing to go by."""
    if way == "document":
        about = " ".join([category.definition, *category.examples])
        near = sorted(stock.documents, key=lambda one: (-fuzz.token_set_ratio(about, one.text), one.name))[:CLOSEST]
        return _turn([Material(one.name, one.text[:MAX_MATERIAL]) for one in near], SHOWN, batch) or None
    if way == "production":
        return [
            one for group in _turn(stock.failures.get(category.category, ()), 1, batch) for one in group[:FAILURES]
        ] or None
    if way == "rubric":
        fitting = [text for asked, text in stock.rubrics if asked.may_fit(category.category, category.layer)]
        return _turn(fitting, 1, batch) or None
    if way == "tool-call" and (not stock.tools or category.layer != "task"):
        return None
    if way == "conversation" and category.layer != "task":
        return None
    return () if own or way == "category" else None


def _fitting(way: Way, cases: Sequence[Case]) -> list[Case]:
    """Return the cases that show how a candidate of this way looks."""
    if way == "tool-call":
        return [case for case in cases if any(one.calls for one in case.expectations)]
    return [case for case in cases if case.user] if way == "conversation" else []


def _turn(things: Sequence[Any], count: int, batch: int) -> list[Any]:
    """Return some of these things, other ones in each batch, until all had their turn."""
    start = batch * count
    return [things[(start + number) % len(things)] for number in range(min(count, len(things)))]
