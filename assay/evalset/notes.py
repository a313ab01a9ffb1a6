"""Release notes: what a version of the evaluation set holds, what changed since the last one, and who wanted that.

The record is for machines, and the page for people is made of nothing but the record, so that notes which an
interrupted release left behind come out the same when it is finished.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import Field

from assay.evalset.versions import PREFIX, Changes, Choice, Content
from assay.records.case import Case
from assay.records.category import Category
from assay.records.decision import Decision
from assay.records.record import Record, digest
from assay.report.markdown import escaped
from assay.stats.paired import smallest_drop

KINDS = ("added", "changed", "retired", "relabelled")


class Coverage(Record):
    """How far a category is covered."""

    admitted: int
    quota: int
    owner: str
    detectable_drop: float | None = None
    """The smallest drop of the pass rate that its cases find with 80 % power if nothing else flips, as a share."""


class Reason(Record):
    """Who wanted a case to be as it is, or gone, and why, from the decision log."""

    category: str
    owner: str
    reviewer: str
    reason: str


class Release(Record):
    """One version of the evaluation set. Fields with a default are missing in notes of an earlier format."""

    release: str
    """Such as `evalset@v1.4.0`; in the tag, the folder of a project that is not at the top stands before it."""
    note: str
    released: str
    """When it was first attempted, in UTC."""
    content: str
    """Hash of all revisions."""
    cases: int
    layers: dict[str, int]
    added: list[str]
    retired: list[str]
    changed: list[str]
    coverage: dict[str, Coverage]
    revisions: dict[str, str]
    relabelled: list[str] = Field(default_factory=list)
    """Cases of which only owner, provenance or parent changed."""
    taxonomy_changed: list[str] = Field(default_factory=list)
    after: str = ""
    """The release before; empty for the first."""
    bump: str = ""
    why: str = ""
    """Why the version had to rise by that much."""
    log: str = ""
    """Hash of the last row of the decision log: what was decided before the release cannot be rewritten unnoticed."""
    digests: dict[str, str] = Field(default_factory=dict)
    taxonomy: dict[str, str] = Field(default_factory=dict)
    reasons: dict[str, Reason] = Field(default_factory=dict)

    @property
    def version(self) -> str:
        """Return the version alone, such as v1.4.0."""
        return self.release.removeprefix(PREFIX)

    def holds(self) -> Content:
        """Return what it holds, as hashes."""
        return Content(revisions=self.revisions, digests=self.digests, taxonomy=self.taxonomy)


def notes(
    choice: Choice,
    note: str,
    after: str,
    found: Changes,
    cases: Sequence[Case],
    taxonomy: Sequence[Category],
    words: Sequence[Decision],
    content: Content,
    now: datetime,
) -> Release:
    """Return the notes of a new release.

    Args:
        choice: Its version, and why.
        note: What changed and why, in a person's words.
        after: The release before; empty for the first.
        found: What changed since.
        cases: The set.
        taxonomy: Its categories.
        words: The decision log.
        content: The hashes of the set.
        now: The moment.
    """
    layers = [case.layer for case in cases]
    touched = {*found.added, *found.changed, *found.retired, *found.relabelled}
    return Release(
        release=f"{PREFIX}{choice.version}",
        note=note,
        released=now.isoformat(timespec="seconds"),
        content=digest(content.revisions),
        cases=len(cases),
        layers={layer: layers.count(layer) for layer in sorted(set(layers))},
        added=found.added,
        retired=found.retired,
        changed=found.changed,
        coverage={category.category: _coverage(category, cases) for category in taxonomy},
        revisions=content.revisions,
        relabelled=found.relabelled,
        taxonomy_changed=found.taxonomy,
        after=after,
        bump=choice.bump,
        why=choice.why,
        log=words[-1].chain if words else "",
        digests=content.digests,
        taxonomy=content.taxonomy,
        reasons=reasons(words, touched, {case.case_id: case for case in cases}),
    )


def reasons(words: Iterable[Decision], touched: Iterable[str], there: Mapping[str, Case]) -> dict[str, Reason]:
    """Return who wanted each of these cases as it is, or gone; the last word that fits counts.

    Args:
        words: The decision log.
        touched: Case ids.
        there: The set; a case that is not in it is gone.
    """
    found: dict[str, Reason] = {}
    known: dict[str, Case] = {}
    """By candidate: the case that was last admitted."""
    for word in words:
        case = word.case or known.get(word.candidate_id)
        if case is None or word.decision == "withdraw":
            continue
        known[word.candidate_id] = case
        now = there.get(case.case_id)
        if (word.case is None) if now is None else (word.case is not None and word.case.digest() == now.digest()):
            found[case.case_id] = Reason(
                category=case.category, owner=case.owner, reviewer=word.reviewer, reason=word.reason
            )
    return {name: found[name] for name in sorted(set(touched) & found.keys())}


def page(of: Release) -> str:
    """Return the notes as Markdown; whatever people wrote stands in it as text and as nothing else."""
    layers = ", ".join(f"{layer} {count}" for layer, count in of.layers.items())
    head = [f"# {of.release}", ""]
    head += [f"A {of.bump} version: {escaped(of.why)}.", ""] if of.bump else []
    head += [f"> {escaped(line)}" for line in of.note.splitlines()] + [""]
    head += [f"{of.cases} cases ({layers}), released {of.released}.", f"Content `{of.content}`" + _log(of), ""]
    return "\n".join([*head, *_changes(of), *_covered(of)]) + "\n"


def _log(of: Release) -> str:
    return f", decision log up to `{of.log[:16]}`." if of.log else "."


def _changes(of: Release) -> Iterator[str]:
    yield f"## Changes since {of.after}" if of.after else "## Cases"
    yield ""
    groups: dict[str, dict[tuple[str, str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for kind in KINDS:
        for name in getattr(of, kind):
            said = of.reasons.get(name)
            groups[said.category if said else ""][
                kind, said.reviewer if said else "", said.reason if said else ""
            ].append(name)
    for category in sorted(groups):
        owner = of.coverage[category].owner if category in of.coverage else ""
        heading = escaped(category) if category else "Cases of which the decision log says nothing"
        yield f"### {heading}" + (f" (owner: {escaped(owner)})" if owner else "")
        yield ""
        for (kind, reviewer, reason), names in groups[category].items():
            signed = f" ({escaped(reviewer)})" if reviewer else ""
            told = f": {escaped(reason) or 'no reason given'}{signed}" if reviewer else ""
            yield f"- {kind}, {len(names)}: {', '.join(f'`{name}`' for name in names)}{told}"
        yield ""
    if of.taxonomy_changed:
        yield f"Categories whose text, quota or owner changed: {', '.join(map(escaped, of.taxonomy_changed))}."
        yield ""


def _covered(of: Release) -> Iterator[str]:
    yield "## Coverage"
    yield ""
    yield "| category | owner | cases | quota | smallest drop found with 80 % power |"
    yield "|---|---|---|---|---|"
    for name, row in of.coverage.items():
        drop = smallest_drop(row.admitted)
        found = f"{100 * drop:.0f} points" if drop else "none"
        yield f"| {escaped(name)} | {escaped(row.owner)} | {row.admitted} | {row.quota} | {found} |"


def _coverage(category: Category, cases: Sequence[Case]) -> Coverage:
    admitted = sum(case.category == category.category for case in cases)
    drop = smallest_drop(admitted)
    return Coverage(
        admitted=admitted,
        quota=category.quota,
        owner=category.owner,
        detectable_drop=None if drop is None else round(drop, 4),
    )
