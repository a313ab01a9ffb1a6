"""Versions of the evaluation set: the number follows from what changed, by rule, and not from anybody's mood.

* major: a case is gone, or asks or expects something else; results before and after are not about the same set
* minor: cases were added; what was there before is as it was
* patch: only what cannot move a verdict changed: an owner, a provenance, the text of a category
"""

import re
from typing import Literal

from assay.errors import ConfigError, DataError
from assay.records.case import Case
from assay.records.category import Category
from assay.records.record import Record, digest

VERSION = re.compile(r"v(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
FIRST = "v1.0.0"
PREFIX = "evalset@"
Bump = Literal["patch", "minor", "major"]
Asked = Literal["auto", "patch", "minor", "major"]
RANK: dict[str, int] = {"patch": 0, "minor": 1, "major": 2}
NAMED = 5
"""Cases that a sentence names before it only counts."""


class Content(Record):
    """What a set holds, as hashes: enough to tell what changed, whatever the size of the cases."""

    revisions: dict[str, str]
    """By case: what could move a verdict."""
    digests: dict[str, str]
    """By case: all of it. Empty in notes that were written before they were kept, so that nothing follows from it."""
    taxonomy: dict[str, str]
    """By category; empty likewise."""


class Changes(Record):
    """Which cases and categories differ between two sets; each list is sorted."""

    added: list[str]
    retired: list[str]
    changed: list[str]
    relabelled: list[str]
    """Cases of which only owner, provenance or parent changed."""
    taxonomy: list[str]
    """Categories whose text, quota or owner changed, or that came or went."""


class Choice(Record):
    """The version that a set gets, and why."""

    version: str
    bump: Bump
    why: str


def number(version: str) -> tuple[int, int, int]:
    """Return a version such as v1.4.0, or a release such as evalset@v1.4.0, as numbers.

    Raises:
        ConfigError: It is none.
    """
    match = VERSION.fullmatch(version.removeprefix(PREFIX))
    if match is None:
        raise ConfigError(f"the version is {version[:40]!r}, expected one such as v1.4.0: choose it again")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def content(cases: list[Case], taxonomy: list[Category]) -> Content:
    """Return the hashes of a set."""
    return Content(
        revisions={case.case_id: case.revision() for case in cases},
        digests={case.case_id: case.digest() for case in cases},
        taxonomy={category.category: digest(category) for category in taxonomy},
    )


def changes(before: Content | None, after: Content) -> Changes:
    """Return what changed since an earlier set; None stands for no set at all."""
    old = before or Content(revisions={}, digests={}, taxonomy={})
    both = old.revisions.keys() & after.revisions.keys()
    changed = {name for name in both if old.revisions[name] != after.revisions[name]}
    moved = {name for name in both - changed if old.digests.get(name, after.digests[name]) != after.digests[name]}
    texts = old.taxonomy.keys() | after.taxonomy.keys() if old.taxonomy else set()
    return Changes(
        added=sorted(after.revisions.keys() - old.revisions.keys()),
        retired=sorted(old.revisions.keys() - after.revisions.keys()),
        changed=sorted(changed),
        relabelled=sorted(moved),
        taxonomy=sorted(name for name in texts if old.taxonomy.get(name) != after.taxonomy.get(name)),
    )


def demanded(found: Changes) -> tuple[Bump, str] | None:
    """Return the smallest step that the rule allows, and why; None when nothing has changed."""
    kinds: list[tuple[Bump, list[str], str]] = [
        ("major", found.retired, "retired"),
        ("major", found.changed, "changed in what they ask or expect"),
        ("minor", found.added, "added"),
        ("patch", found.relabelled, "changed in nothing that could move a verdict"),
        ("patch", found.taxonomy, "of the taxonomy changed"),
    ]
    there = [(step, names, what) for step, names, what in kinds if names]
    if not there:
        return None
    step = there[0][0]
    return step, "; ".join(f"{len(names)} {what} ({_named(names)})" for at, names, what in there if at == step)


def choose(asked: Asked, last: str, found: Changes) -> Choice:
    """Return the next version.

    Args:
        asked: `auto` takes what the rule demands; more than that may be asked for, less may not.
        last: The last release; empty before the first.
        found: What changed since.

    Raises:
        DataError: Nothing has changed.
        ConfigError: Less was asked for than the rule demands.
    """
    least = demanded(found)
    if least is None:
        raise DataError(f"data/evalset is the same as in {last}, expected a change: there is nothing to release")
    if not last:
        return Choice(version=FIRST, bump="major", why="the first release")
    step, why = least
    if asked != "auto" and RANK[asked] < RANK[step]:
        raise ConfigError(f"--bump is {asked}, expected {step}, since {why}: leave it out, or ask for more")
    if asked not in {"auto", step}:
        why = f"asked for; the rule demands {step}, since {why}"
    step = step if asked == "auto" else asked
    return Choice(version=following(last, step), bump=step, why=why)


def following(last: str, bump: Bump) -> str:
    """Return the version after a release."""
    major, minor, patch = number(last)
    if bump == "major":
        return f"v{major + 1}.0.0"
    return f"v{major}.{minor + 1}.0" if bump == "minor" else f"v{major}.{minor}.{patch + 1}"


def _named(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if names[NAMED:] else "")
