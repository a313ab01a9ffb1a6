"""Release: which evaluation set is this, what changed since the last one, and may it go out?

Reads the evaluation set, its logs, the labels and earlier releases; writes release notes, pushes the data to the DVC
remote when there is one, commits and tags. A release is whole or absent: the tag comes last. Killed anywhere and
called again, it goes on where it was: notes that were written stay as they are for as long as they are true.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from assay.errors import ConfigError, DataError
from assay.evalset import contract
from assay.evalset.notes import Release, notes, page
from assay.evalset.unfailing import unfailing
from assay.evalset.versions import PREFIX, Asked, Changes, Content, changes, choose, content, demanded
from assay.judges import prompt
from assay.project import commits, files, releases
from assay.project.code_lock import LOCK
from assay.project.programs import cached, dvc, git, md5, outputs, remote
from assay.project.release_notes import RELEASES, notes_file, page_file
from assay.project.release_tags import tag_name
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES, MANIFEST
from assay.project.tables.labels import labelled
from assay.project.taxonomy import TAXONOMY, read_taxonomy
from assay.records.case import Case
from assay.records.category import Category
from assay.records.decision import Decision
from assay.records.record import Record, digest
from assay.stages import batches
from assay.stages.declaration import Output, Stage
from assay.text import counted

RECORDED = (MANIFEST, "data/decisions", "data/taxonomy", "dvc.lock", LOCK)
"""What a release commits beside its notes."""
REVIEW = "review"
LONGEST = 4_000
"""Characters of the notes that a person gives."""


class Settings(Record):
    """The section `release` of params.yaml: there is nothing to choose."""


STAGE = Stage(
    name="release",
    doc=__doc__ or "",
    settings=Settings,
    reads=(TAXONOMY, CASES.path, MANIFEST, "data/decisions"),
    writes=(Output(path=RELEASES, in_git=True),),
    asks="Git and the DVC remote",
)


class There(NamedTuple):
    """The set as it lies in the working tree, and all that tells what it is."""

    cases: list[Case]
    taxonomy: list[Category]
    words: list[Decision]
    content: Content


class Plan(NamedTuple):
    """What a release will do."""

    finish: Release | None
    """An earlier release that lacks nothing but its tag."""
    make: Release | None
    """A new one; None where `finish` holds the set as it is."""
    is_begun: bool
    """The notes of `make` lie there from an attempt that did not end."""
    abandoned: list[str]
    """Files of attempts that hold another set than is there now."""
    breaches: list[str]
    """What the set breaks of the contract; with any, nothing is done."""

    def record(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "finish": self.finish.release if self.finish else "",
            "release": self.make.model_dump(mode="json") if self.make else None,
            "is_begun": self.is_begun,
            "abandoned": self.abandoned,
            "contract": self.breaches or "kept",
            "steps": steps(self),
        }


def plan(asked: Asked, note: str, now: datetime) -> Plan:
    """Return what a release would do now; nothing is written.

    Raises:
        ConfigError: The version asked for is too low, or Git, DVC and the notes contradict each other.
        DataError: Nothing has changed, or the set is not what the logs come to.
    """
    there = gather()
    known = releases.inventory()
    last = known.last
    _require_log(last, there.words)
    finish = known.untagged
    if finish and demanded(changes(finish.holds(), there.content)) is None:
        return Plan(finish=finish, make=None, is_begun=False, abandoned=_files(known.begun), breaches=[])
    begun = next((one for one in known.begun if _is_still(one, there, last)), None)
    made = begun or _made(asked, note, now, there, last)
    abandoned = [one for one in known.begun if one != begun]
    vacuous = {case.case_id for case in unfailing(there.cases, prompt.load_all())}
    breaches = contract.breaches(there.cases, there.taxonomy, labels_by_split(), prompts(), vacuous)
    return Plan(finish=finish, make=made, is_begun=begun is not None, abandoned=_files(abandoned), breaches=breaches)


def gather() -> There:
    """Return the set, after it was held against its manifest, its logs and DVC's record.

    Raises:
        DataError: They do not go together.
    """
    cases, taxonomy, words = CASES.read(), read_taxonomy(), DECISIONS.read()
    there = There(cases, taxonomy, words, content(cases, taxonomy))
    manifest = files.read_json(MANIFEST, "run `assay repro review`")
    folded = content(batches.fold(words).cases, taxonomy)
    if manifest["content"] != digest(there.content.revisions) or folded != there.content:
        raise DataError(
            "data/evalset is not what the logs in data/decisions come to, expected the set that people admitted: "
            "run `assay grow`, or `assay repro review`"
        )
    lock = files.path("dvc.lock").read_bytes() if files.exists("dvc.lock") else b""
    if outputs(lock, REVIEW).get(CASES.path) != md5(CASES.file()):
        raise DataError(f"dvc.lock does not hold {CASES.path} as it is, expected it to: run `assay repro review`")
    return there


def steps(of: Plan) -> list[str]:
    """Return the steps of a plan, in words."""
    found = [f"drop {', '.join(of.abandoned)}"] if of.abandoned else []
    found += [f"tag the commit of {of.finish.release}"] if of.finish else []
    if of.make:
        found += [
            "write " + " and ".join(_files([of.make])) if not of.is_begun else "keep the notes of the first attempt",
            "push the data to the default DVC remote, if there is one",
            f"commit the notes, {', '.join(RECORDED)}",
            f"tag it as {tag_name(of.make.release)}",
        ]
    return found


def lines(of: Plan) -> list[str]:
    """Return a plan as a person reads it."""
    found = [f"Would {step}." for step in steps(of)]
    if of.breaches:
        return [*of.breaches, "The contract is broken, so nothing would be done."]
    if of.make:
        found = [f"{of.make.release}, a {of.make.bump} version: {of.make.why}.", *found, "", page(of.make)]
    return found


def current() -> str:
    """Return the name of the last release."""
    last = releases.inventory().last
    return last.release if last else ""


def carried_out(of: Plan) -> Iterator[str]:
    """Do what is planned, and yield a sentence after each step; each one may be done twice.

    Raises:
        ConfigError: Git or DVC refuse; nothing is tagged then, and the same command goes on later.
    """
    drop(of.abandoned)
    if of.finish:
        commits.follow(releases.notes_commit(of.finish.release), _recorded(_files([of.finish])))
        yield tagged(of.finish)
    if of.make:
        names = _files([of.make])
        files.write_json(names[0], of.make.model_dump(mode="json"))
        yield f"{names[0]} is written."
        files.write_bytes(names[1], page(of.make).encode())
        yield f"{names[1]} is written."
        yield pushed()
        yield committed(of.make, names)
        yield tagged(of.make)


def drop(abandoned: Sequence[str]) -> None:
    """Remove what attempts have left whose set is gone."""
    if abandoned:
        git("rm", "--quiet", "--force", "--cached", "--ignore-unmatch", "--", *abandoned)
    for name in abandoned:
        files.path(name).unlink(missing_ok=True)


def pushed() -> str:
    """Have the set in the default DVC remote; say so, or that there is none.

    Raises:
        ConfigError: The remote cannot be written, or DVC has lost the data.
    """
    name = remote()
    if not name:
        return "No DVC remote is configured, so the data stays here: `dvc remote add -d NAME URL`, then `dvc push`."
    if not cached(md5(CASES.file())):
        raise ConfigError(
            f"the DVC cache has lost {CASES.path}, so that nothing would be pushed, expected it there: "
            "run `dvc commit --force review`, then release again"
        )
    dvc("push", REVIEW)
    return f"The data is in the DVC remote {name}."


def committed(of: Release, names: Sequence[str]) -> str:
    """Commit the notes and what the set is made of, and nothing else that lies there or is staged."""
    made = commits.commit(_recorded(names), f"Release {tag_name(of.release)}: {of.note}")
    return f"Committed as {git('rev-parse', '--short', made)}."


def tagged(of: Release) -> str:
    """Tag the commit that brought the notes; say how to share the tag.

    Raises:
        ConfigError: The tag is there and marks something else.
    """
    at, tag = releases.notes_commit(of.release), tag_name(of.release)
    if git("tag", "--list", tag):
        marked = git("rev-parse", f"refs/tags/{tag}^{{commit}}")
        if marked != at:
            raise ConfigError(
                f"the tag {tag} marks {marked[:12]}, expected {at[:12]}: somebody else released it; merge theirs"
            )
    else:
        git("tag", "--annotate", f"--message={tag}: {of.note}", tag, at)
    return f"{tag} is tagged: {counted(of.cases, 'case')}. Push it with `git push --follow-tags`."


def run(asked: Asked, note: str, now: datetime) -> list[str]:
    """Release the set as it is; return what was done, one sentence a step."""
    found = plan(asked, note, now)
    if found.breaches:
        raise DataError("; ".join(found.breaches) + ": mend these, then release again; nothing was written")
    return list(carried_out(found))


def _made(asked: Asked, note: str, now: datetime, there: There, last: Release | None) -> Release:
    """Return the notes of a new release."""
    if not note.strip() or len(note) > LONGEST or "\0" in note:
        raise ConfigError(f"--notes is {note[:80]!r}, expected a sentence or more, {LONGEST:,} characters at most")
    after = last.release if last else ""
    found: Changes = changes(last.holds() if last else None, there.content)
    choice = choose(asked, after, found)
    releases.require_free(f"{PREFIX}{choice.version}")
    return notes(choice, note.strip(), after, found, there.cases, there.taxonomy, there.words, there.content, now)


def _is_still(begun: Release, there: There, last: Release | None) -> bool:
    """Tell whether notes that an attempt left are true of the set as it is, and follow the last release."""
    return begun.holds() == there.content and begun.after == (last.release if last else "")


def _require_log(last: Release | None, words: Sequence[Decision]) -> None:
    """Hold the decision log against the last release: what it was made of is still there."""
    if last and last.log and last.log not in {word.chain for word in words}:
        raise DataError(
            f"data/decisions/decisions.jsonl has no row {last.log[:16]}, with which it ended at {last.release}, "
            "expected the log to have grown only: restore it from Git"
        )


def labels_by_split() -> contract.Labelled:
    """Return the labelled items that judges may be tuned on, and those that they are tested with."""
    items, labels = labelled()
    splits = {label.item_id: label.split for label in labels}
    tune, heldout = ([item for item in items if splits.get(item.item_id) == split] for split in ("tune", "heldout"))
    return contract.Labelled(tune, heldout)


def prompts() -> dict[str, str]:
    """Return each judge's prompt without what is judged."""
    return {name: f"{asked.system} {asked.source}" for name in prompt.names() for asked in [prompt.load(name)]}


def _recorded(names: Sequence[str]) -> list[str]:
    """Return what a release commits, as far as it is there."""
    return [name for name in (*names, *RECORDED) if files.exists(name) or files.path(name).is_dir()]


def _files(of: Sequence[Release]) -> list[str]:
    """Return the two files of each release: the record, and the page."""
    return [name for one in of for name in (notes_file(one.release), page_file(one.release))]
