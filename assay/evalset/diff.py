"""Two evaluation sets, case by case: what was added, what is gone, what was changed, and in which words."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from assay.records.case import Case
from assay.records.record import Record
from assay.report.texts import visible
from assay.text import parts

MOVES = ("layer", "category", "turns", "reference", "expectations", "user", "empty")
"""Fields that could move a verdict."""
SHOWN = 2_000
"""Characters of a value that are shown."""
MARKS = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
"""As `git diff --word-diff` shows them."""


class FieldChange(Record):
    """One field of a case, before and after; what is not text stands as JSON."""

    field: str
    old: str
    new: str


class CaseChange(Record):
    """A case that is in both sets, and not the same in them."""

    case_id: str
    category: str
    fields: list[FieldChange]


class SetDifference(Record):
    """What differs between two sets; each list is in the order of the case ids."""

    before: str
    after: str
    added: list[Case]
    retired: list[Case]
    changed: list[CaseChange]
    """Something that could move a verdict is different."""
    relabelled: list[CaseChange]
    """Only owner, provenance or parent are different."""
    categories: dict[str, dict[str, int]]
    """By category: how many cases were there before, how many are there now, and how many of each kind of change."""


def compare(names: tuple[str, str], before: Sequence[Case], after: Sequence[Case]) -> SetDifference:
    """Return what differs between two sets.

    Args:
        names: What to call them, such as evalset@v1.2.0.
        before: The cases of one.
        after: The cases of the other.
    """
    old, new = ({case.case_id: case for case in cases} for cases in (before, after))
    added = [new[name] for name in sorted(new.keys() - old.keys())]
    retired = [old[name] for name in sorted(old.keys() - new.keys())]
    changed: list[CaseChange] = []
    relabelled: list[CaseChange] = []
    for name in sorted(old.keys() & new.keys()):
        fields = list(_fields(old[name], new[name]))
        if fields:
            kind = changed if old[name].revision() != new[name].revision() else relabelled
            kind.append(CaseChange(case_id=name, category=new[name].category, fields=fields))
    kinds: dict[str, Sequence[Case | CaseChange]] = {
        "before": before,
        "after": after,
        "added": added,
        "retired": retired,
        "changed": changed,
        "relabelled": relabelled,
    }
    counts = {kind: Counter(row.category for row in rows) for kind, rows in kinds.items()}
    categories = sorted(set().union(*counts.values()))
    return SetDifference(
        before=names[0],
        after=names[1],
        added=added,
        retired=retired,
        changed=changed,
        relabelled=relabelled,
        categories={name: {kind: counts[kind][name] for kind in kinds} for name in categories},
    )


def lines(found: SetDifference) -> Iterator[str]:
    """Yield the difference as a person reads it; no character of a case can move the cursor or hide."""
    yield (
        f"{found.before} to {found.after}: {len(found.added)} added, {len(found.retired)} retired, "
        f"{len(found.changed)} changed, {len(found.relabelled)} relabelled"
    )
    for category, row in found.categories.items():
        if any(count for kind, count in row.items() if kind not in ("before", "after")):
            yield f"{category}: {row['before']} cases before, {row['after']} after"
    for sign, cases in (("+", found.added), ("-", found.retired)):
        yield from (f"{sign} {case.case_id}: {_short(' / '.join(case.turns))}" for case in cases)
    for word, changes in (("~", found.changed), ("=", found.relabelled)):
        for change in changes:
            yield f"{word} {change.case_id}"
            yield from (f"    {field.field}: {marked(field.old, field.new)}" for field in change.fields)


def marked(old: str, new: str) -> str:
    """Return a text's two versions as one, words that are gone in [-...-] and new ones in {+...+}."""
    first, second = (str(visible(text)).replace("\n", " / ").replace("\t", " ") for text in (old, new))
    return "".join(MARKS[part.kind].format(part.text) for part in parts(first[:SHOWN], second[:SHOWN]))


def _fields(old: Case, new: Case) -> Iterator[FieldChange]:
    before, after = old.model_dump(), new.model_dump()
    for field in Case.model_fields:
        if before[field] != after[field]:
            yield FieldChange(field=field, old=_text(before[field]), new=_text(after[field]))


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    shown = " ".join(str(visible(text)).split())
    return shown if len(shown) <= 100 else f"{shown[:100]} ..."  # noqa: PLR2004 - a line of a terminal
