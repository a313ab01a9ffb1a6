"""What a set has to keep before it may be released, as Great Expectations suites.

Every table keeps its own contract at every read (storage/contracts.py). This one is about the set as a whole: quotas
met, nothing twice, somebody responsible for everything, something that can fail every case, nobody's personal data,
nothing in it that a judge is shown, and no label that a judge may be tuned on beside one that asks the same and that it
is tested with. Cases of a set may resemble each other, labelled or not: no judge learns from the set.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from assay.calibration.ratings import is_shown, plain
from assay.calibration.split import plain_words
from assay.evalset import pii
from assay.evalset.wording import texts
from assay.records.case import Case
from assay.records.category import Category
from assay.records.label import Item
from assay.records.record import Record, digest
from assay.storage import contracts

NAMED = 5
"""Cases that a sentence about new ones names."""
PLACES = {"cases": "data/evalset", "categories": "data/taxonomy", "labels": "data/labels/labels.jsonl"}
SUITES: dict[str, tuple[str, list[contracts.Rule]]] = {
    "cases": (
        "case_id",
        [
            ("ExpectTableRowCountToBeBetween", {"min_value": 1}, "at least one case"),
            ("ExpectColumnValuesToBeUnique", {"column": "case_id"}, "every case once"),
            ("ExpectColumnValuesToBeUnique", {"column": "question"}, "no question twice"),
            ("ExpectColumnValueLengthsToBeBetween", {"column": "owner", "min_value": 1}, "an owner of every case"),
            ("ExpectColumnValuesToBeInSet", {"column": "personal", "value_set": [""]}, "no personal data"),
            ("ExpectColumnValuesToBeInSet", {"column": "prompt", "value_set": [""]}, "no example of a judge's prompt"),
            (
                "ExpectColumnValuesToBeInSet",
                {"column": "decided_by", "value_set": ["some"]},
                "what can fail every case",
            ),
        ],
    ),
    "categories": (
        "category",
        [
            ("ExpectColumnValueLengthsToBeBetween", {"column": "owner", "min_value": 1}, "an owner of every category"),
            ("ExpectColumnValuesToBeInSet", {"column": "quota", "value_set": ["met"]}, "every quota met"),
        ],
    ),
    "labels": (
        "item_id",
        [
            (
                "ExpectColumnValuesToBeInSet",
                {"column": "heldout", "value_set": [""]},
                "no label to tune on that asks what a held-out one asks (write `heldout` as the split of these there)",
            ),
        ],
    ),
}
"""By table: its key, and the rules."""


class CaseRow(Record):
    """A case as the contract looks at it; empty texts are what is expected of the two before the last."""

    case_id: str
    owner: str
    question: str
    """Hash of what the user says, but for blanks, and for letter case unless the case was made from another one: that
    one may be shouted."""
    personal: str
    prompt: str
    decided_by: Literal["some", "nothing"]
    """Whether a check or a judge that blocks can fail it."""


class CategoryRow(Record):
    """A category as the contract looks at it."""

    category: str
    owner: str
    quota: str
    """`met`, or how many cases are missing."""


class LabelRow(Record):
    """A labelled item that judges may be tuned on, as the contract looks at it."""

    item_id: str
    heldout: str
    """The held-out item that asks the same; empty where none does."""


class Labelled(NamedTuple):
    """Labelled items by what they are for."""

    tune: Sequence[Item]
    """Judges may be tuned on these."""
    heldout: Sequence[Item]
    """Judges are tested with these."""


def promises() -> list[str]:
    """Return what is held, in words."""
    return [meaning for _, rules in SUITES.values() for _, _, meaning in rules]


def breaches(
    cases: Sequence[Case],
    taxonomy: Sequence[Category],
    labelled: Labelled,
    prompts: Mapping[str, str],
    unfailing: Collection[str] = (),
) -> list[str]:
    """Return each rule that the set breaks, with the cases or categories that break it.

    Args:
        cases: The set.
        taxonomy: Its categories.
        labelled: The labelled items.
        prompts: By judge: everything of its prompt that is the same in every call.
        unfailing: Ids of the cases that nothing can fail.
    """
    import pandas as pd

    leaks = leaked(labelled)
    shown = {judge: plain(prompt) for judge, prompt in prompts.items()}
    rows: dict[str, list[dict[str, str]]] = {
        "cases": [_case_row(case, shown, unfailing).model_dump() for case in cases],
        "categories": [row.model_dump() for row in _category_rows(cases, taxonomy)],
        "labels": [
            LabelRow(item_id=item.item_id, heldout=leaks.get(item.item_id, "")).model_dump() for item in labelled.tune
        ],
    }
    columns = {
        name: list(row.model_fields)
        for name, row in (("cases", CaseRow), ("categories", CategoryRow), ("labels", LabelRow))
    }
    return [
        f"{PLACES[table]}: {breach}"
        for table, (key, rules) in SUITES.items()
        for breach in contracts.breaches(table, pd.DataFrame(rows[table], columns=columns[table]), rules, [key])
    ]


class Refusal(NamedTuple):
    """Something of new cases that a release would refuse."""

    rule: str
    """What is refused, and what to do."""
    told: str
    """Which cases it is about."""
    held: tuple[str, ...]
    """The new cases without which the set could be released."""


def refusals(fresh: Sequence[Case], stay: Sequence[Case], prompts: Mapping[str, str]) -> list[Refusal]:
    """Return what `breaches` would find of new cases.

    Args:
        fresh: The new cases.
        stay: Those that are in the set beside them.
        prompts: By judge: everything of its prompt that is the same in every call.
    """
    shown = {judge: plain(prompt) for judge, prompt in prompts.items()}
    rows = [_case_row(case, shown, ()) for case in fresh]
    by_question: dict[str, list[str]] = defaultdict(list)
    for case in stay:
        by_question[_question_key(case)].append(case.case_id)
    there = {key: len(names) for key, names in by_question.items()}
    for row in rows:
        by_question[row.question].append(row.case_id)
    asked = dict.fromkeys(row.question for row in rows)
    twice = [(by_question[key], by_question[key][there.get(key) or 1 :]) for key in asked]
    found = [
        Refusal(
            "one question asked twice: reword one of each, or join what they expect", " and ".join(all_), tuple(held)
        )
        for all_, held in twice
        if held
    ]
    for row in rows:
        if row.personal:
            told = f"{row.case_id} has {row.personal}"
            found.append(Refusal("personal data: replace it", told, (row.case_id,)))
    for row in rows:
        if row.prompt:
            told = f"{row.case_id} and {row.prompt}"
            found.append(Refusal("what the prompt of a judge shows: reword it", told, (row.case_id,)))
    return found


def foreseen(found: Sequence[Refusal]) -> list[str]:
    """Return what a release would refuse, one sentence a rule, with the names of the cases and what to do."""
    by_rule: dict[str, list[str]] = defaultdict(list)
    for one in found:
        by_rule[one.rule].append(one.told)
    return [
        f"a release refuses {rule} ({len(names)}: {', '.join(names[:NAMED])}{' ...' if len(names) > NAMED else ''})"
        for rule, names in by_rule.items()
    ]


def leaked(labelled: Labelled) -> dict[str, str]:
    """Return the items to tune on that ask what a held-out item asks, word for word, each with the first such item.

    New labels on conversations that differ by a few letters stay together too, as far as that can be (split.py); a
    family of twins may hang together by several, so that this alone is held here.
    """
    heldout: dict[str, str] = {}
    for item in labelled.heldout:
        heldout.setdefault(plain_words(item), item.item_id)
    asked = {item.item_id: plain_words(item) for item in labelled.tune}
    return {item_id: heldout[words] for item_id, words in asked.items() if words in heldout}


def _case_row(case: Case, prompts: Mapping[str, str], unfailing: Collection[str]) -> CaseRow:
    there = {kind for text in texts(case) for kind in pii.kinds(text)}
    asked = " ".join(case.turns)
    shown = [judge for judge, prompt in prompts.items() if is_shown(prompt, asked, *case.right_answers())]
    return CaseRow(
        case_id=case.case_id,
        owner=case.owner.strip(),
        question=_question_key(case),
        personal=", ".join(sorted(there)),
        prompt=", ".join(shown),
        decided_by="nothing" if case.case_id in unfailing else "some",
    )


def _question_key(case: Case) -> str:
    """Return the hash by which two cases ask the same."""
    return digest([_question(case), case.user, case.inputs, case.contexts, [one.sha256 for one in case.attachments]])


def _question(case: Case) -> str:
    said = " ".join(case.turns)
    return " ".join(said.split()) if case.parent else plain(said)


def _category_rows(cases: Sequence[Case], taxonomy: Sequence[Category]) -> Iterator[CategoryRow]:
    for category in taxonomy:
        admitted = sum(case.category == category.category for case in cases)
        quota = "met" if admitted >= category.quota else f"{admitted} of {category.quota} cases"
        yield CategoryRow(category=category.category, owner=category.owner.strip(), quota=quota)
