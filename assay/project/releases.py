"""Versions: which releases of the evaluation set are there, and which cases does each hold?

Reads the notes of releases, tags, and the set as it was: from the DVC cache or remote, or else made again from the
decision log of the tagged commit. Writes nothing but what it is asked to export.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from assay.errors import AssayError, ConfigError, DataError
from assay.evalset import diff
from assay.evalset.admission import BatchEvent, batches, outcome
from assay.evalset.notes import Release
from assay.evalset.versions import PREFIX, number
from assay.project import files
from assay.project.programs import cached, content, dvc, git, outputs
from assay.project.release_notes import RELEASES, notes_file
from assay.project.release_tags import owners, tag_name, tag_of, tags
from assay.project.tables.decisions import BATCH_FOLDER
from assay.project.tables.evalset import CASES, MANIFEST
from assay.records.candidate import Candidate
from assay.records.case import Case
from assay.records.decision import Decision
from assay.records.record import digest
from assay.storage import atomic, jsonl, parquet
from assay.storage.rows import Row, parse_row, parse_rows
from assay.text import one_line

WORKING = "the working set"


class Known(NamedTuple):
    """The releases, as notes, commits and tags tell."""

    last: Release | None
    """The highest one that was committed."""
    untagged: Release | None
    """`last`, where its attempt ended between commit and tag."""
    begun: list[Release]
    """Notes of attempts that ended before their commit."""


def inventory() -> Known:
    """Return the releases.

    Raises:
        ConfigError: Nothing is committed yet; tags are missing here, or mark other notes than those that are here.
        DataError: Notes are no notes.
    """
    if not git("rev-list", "--max-count=1", "--all"):
        raise ConfigError(
            "the repository has no commit yet, expected the project to be committed before a release: "
            "`git add --all && git commit`, then release again"
        )
    written = sorted(_written(), key=lambda one: number(one.release))
    tagged = tags()
    committed = set(git("ls-tree", "--name-only", "HEAD", f"{RELEASES}/").splitlines())
    kept = [one for one in written if one.release in tagged or notes_file(one.release) in committed]
    bare = [one for one in kept if one.release not in tagged]
    last = kept[-1] if kept else None
    higher = [tag for name, tag in tagged.items() if last is None or number(name) > number(last.release)]
    if higher:
        raise ConfigError(f"the tag {min(higher)} is there, but not its notes: merge the commit that it marks first")
    if bare and (bare != [last] or git("rev-parse", "--is-shallow-repository") == "true"):
        raise ConfigError(
            f"{bare[0].release} has notes and no tag, expected both: `git fetch --tags`, with `--unshallow` in a "
            "shallow clone, then release again"
        )
    if last:
        _require_kept(last, "HEAD" if bare else tagged[last.release])
    return Known(last, last if bare else None, [one for one in written if one not in kept])


def require_free(release: str) -> None:
    """Refuse a release whose tag is there already.

    Raises:
        ConfigError: It is, of this project or without a folder of another one.
    """
    if tag := tag_of(release):
        raise ConfigError(f"the tag {tag} exists already, expected a new version: merge the commit that it marks")
    if git("tag", "--list", tag_name(release)):
        folder = min(owners(release))
        raise ConfigError(
            f"the tag {release} is of the project in {folder}, expected it to be free: give it its folder, "
            f"`git tag {tag_name(release, folder)} {release}`, delete the old one here and where you push to, "
            "then release again"
        )


def commit_of(release: str) -> str:
    """Return what to ask Git for: the tag, else the commit that holds the notes; empty where there is neither."""
    return tag_of(release) or notes_commit(release)


def notes_commit(release: str) -> str:
    """Return the commit that brought the notes of a release; empty where none did."""
    return git("log", "-1", "--format=%H", "--", notes_file(release))


def cases(version: str) -> list[Case]:
    """Return the cases of a release, whether by DVC or from the log; they are what the tagged manifest says.

    Args:
        version: Such as v1.2.0, or evalset@v1.2.0.

    Raises:
        ConfigError: There is no such release.
        DataError: Its cases can be had in neither way; the text says what to do.
    """
    number(version)
    name = PREFIX + version.removeprefix(PREFIX)
    tag = commit_of(name)
    card = content(tag, MANIFEST) if tag else None
    if card is None:
        known = ", ".join(tags()) or "none yet"
        raise ConfigError(f"{name} is no release here, expected one of: {known}: choose one, or `git fetch --tags`")
    try:
        wanted = json.loads(card)["content"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ConfigError(
            f"{MANIFEST} of {name} is no manifest ({one_line(error)}), expected the hash of its content: "
            "restore the tag with `git fetch --tags --force`"
        ) from error
    reasons = []
    for way in (_cached, _fetched, _folded):
        try:
            found = way(tag)
        except AssayError as error:
            reasons.append(str(error))
            continue
        if digest({case.case_id: case.revision() for case in found}) == wanted:
            return found
        reasons.append("other cases than its manifest names")
    raise DataError(
        f"{tag} cannot be read by DVC ({reasons[1][:200]}) nor from its log ({reasons[-1][:200]}), expected {wanted}: "
        "run `dvc pull review` at that tag where the data is"
    )


def side(version: str | None, *, is_after: bool) -> tuple[str, list[Case]]:
    """Return one side of a comparison: a release, or where none is named the last one and then the working set."""
    if version is None and is_after:
        return WORKING, CASES.read()
    if version is None:
        last = inventory().last
        if last is None:
            raise ConfigError("there is no release yet, expected one to compare with: `assay release` makes the first")
        version = last.version
    return PREFIX + version.removeprefix(PREFIX), cases(version)


def compare(before: str | None, after: str | None) -> diff.SetDifference:
    """Return what differs between two releases, or between a release and the working set."""
    (first, old), (second, new) = side(before, is_after=False), side(after, is_after=True)
    return diff.compare((first, second), old, new)


def export(file: Path, version: str) -> int:
    """Write the cases of a release as JSON Lines; return how many."""
    found = cases(version)
    with atomic.replacing(file) as target:
        target.write(jsonl.written(found))
    return len(found)


def _written() -> Iterator[Release]:
    for file in sorted((files.root() / RELEASES).glob("*.json")):
        where = f"{RELEASES}/{file.name}"
        found = parse_row(Release, files.read_json(where, "restore it from Git"), where, 1)
        number(found.release)
        if notes_file(found.release) != where:
            raise DataError(
                f"{where} is of {found.release[:40]!r}, expected the release of its name: restore it from Git"
            )
        yield found


def _require_kept(last: Release, revision: str) -> None:
    where = notes_file(last.release)
    if content(revision, where) != files.path(where).read_bytes():
        raise ConfigError(f"{where} is not what was committed at {last.release}, expected that: restore it from Git")


def _cached(tag: str) -> list[Case]:
    """Return the cases of a tag from the DVC cache of this machine."""
    found = cached(outputs(content(tag, "dvc.lock") or b"", "review").get(CASES.path, "none"))
    if found is None:
        raise DataError(f"{tag}:{CASES.path} is not in the DVC cache, expected it there: `dvc fetch`")
    return list(parquet.rows(found, Case, ("case_id",), f"{tag}:{CASES.path}", _fault))


def _fetched(tag: str) -> list[Case]:
    """Return the cases of a tag from the DVC remote; for DVC a revision begins at the top of the repository."""
    where = git("rev-parse", "--show-prefix") + CASES.path
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.parquet"
        dvc("get", ".", where, "--rev", tag, "--out", str(file))
        return list(parquet.rows(file, Case, ("case_id",), f"{tag}:{CASES.path}", _fault))


def _fault(error: ValidationError) -> str:
    return str(error.errors()[0]["msg"])


def _folded(tag: str) -> list[Case]:
    """Return the cases that the logs of a tagged commit come to."""
    events = _rows(tag, "data/decisions/batches.jsonl", BatchEvent) if _has(tag, "data/decisions/batches.jsonl") else []
    shown = {
        name: _rows(tag, f"{BATCH_FOLDER}/{name}.jsonl", Candidate)
        for name, batch in batches(events).items()
        if batch.state == "close"
    }
    return outcome(_rows(tag, "data/decisions/decisions.jsonl", Decision), events, shown).cases


def _has(tag: str, name: str) -> bool:
    return content(tag, name) is not None


def _rows(tag: str, name: str, record: type[Row]) -> list[Row]:
    where, data = f"{tag}:{name}", content(tag, name)
    if data is None:
        raise DataError(f"{where} is missing, expected the log: fetch the tag again")
    lines = data.removesuffix(b"\n").split(b"\n")
    return list(parse_rows(record, lines, where))
