"""Exchange: evaluation sets from other tools, and to them.

Reads and writes files of the user; what comes in is admitted by the person who signs for it, or goes to the desk as a
batch like any other candidate.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast

from assay.commands import accept
from assay.errors import ConfigError
from assay.generation.near_duplicates import likely, repeats
from assay.generation.nearest import nearest
from assay.interchange import cases_yaml
from assay.interchange.sets import registry
from assay.interchange.sets.builder import Filling, Reading
from assay.judges import prompt
from assay.judges.questions import may_expect
from assay.project import releases
from assay.project.tables.evalset import CASES
from assay.project.tables.excluded import PAST
from assay.project.taxonomy import read_taxonomy
from assay.records.candidate import Candidate
from assay.records.case import Case, Layer
from assay.records.record import digest
from assay.report import findings
from assay.stages import batches

AUTO = "auto"
WRITTEN = "written"
"""Our own YAML of cases that people write by hand."""
MADE = "import"
"""By which way such candidates were made."""


class Taken(NamedTuple):
    """What became of a file."""

    cases: int
    known: int
    """Cases that are in the set already, as they are."""
    left_out: list[str]
    """What has no place in a case, one sentence a kind."""
    batch: str
    """The batch in which people decide on them; empty where somebody signed."""


def filling(category: str, layer: str, owner: str) -> Filling:
    """Return what cases get that their file says nothing of; the owner, where nobody is named, is the category's.

    Raises:
        ConfigError: The category is not in the taxonomy.
    """
    owners = {one.category: one.owner for one in read_taxonomy()}
    if category and category not in owners:
        raise _strange(category, owners)
    return Filling(category, cast("Layer", layer), owner or owners.get(category, ""))


def take(file: Path, name: str, given: Filling, reviewer: str, now: datetime) -> Taken:
    """Take the cases of a file in.

    Args:
        file: In another tool's format, or plain rows.
        name: The format; `auto` to recognise another tool's.
        given: What the file does not say.
        reviewer: Who admits them; empty to open them at the desk.
        now: The moment.

    Raises:
        ConfigError: The format is not recognised, a category is not in the taxonomy, or another batch is open.
        DataError: The file is not what its format asks for.
    """
    found = _read(file, name, given)
    owners = {one.category: one.owner for one in read_taxonomy()}
    for case in found.cases:
        if case.category not in owners:
            raise _strange(case.category, owners)
    cases = [case if case.owner else case.model_copy(update={"owner": owners[case.category]}) for case in found.cases]
    there = {case.case_id: case for case in batches.admitted()}
    fresh = [case for case in cases if there.get(case.case_id) != case]
    taken = Taken(len(fresh), len(cases) - len(fresh), found.not_understood, "")
    if not fresh:
        return taken
    if reviewer:
        accept.admit(fresh, reviewer, f"imported from {file.name}"[:500], now)
        return taken
    past = [one.case for one in PAST.read(may_be_absent=True)]
    like = repeats(fresh, [*there.values(), *past])
    proposed = [_candidate(case, list(there.values()), likely(like[case.case_id])) for case in fresh]
    batch = batches.open_batch(proposed, "", now)
    return taken._replace(batch=batch.name)


def lines(taken: Taken) -> list[str]:
    """Return what became of a file, as a person reads it."""
    if not taken.cases:
        return [*taken.left_out, f"0 cases taken in, {taken.known} are in the set already: there is nothing to admit."]
    next_ = f"people decide at the desk ({taken.batch})" if taken.batch else "`assay grow` admits them"
    return [*taken.left_out, f"{taken.cases} cases taken in, {taken.known} are in the set already; {next_}."]


def give(file: Path, name: str, version: str) -> registry.Written:
    """Write the evaluation set, or a release of it, in another tool's format; return how many, and what that lost."""
    cases = releases.cases(version) if version else CASES.read()
    return registry.write(cases, file, name)


def _read(file: Path, name: str, given: Filling) -> Reading:
    if name == WRITTEN:
        blocking = findings.blocking_of(prompt.load_all())
        return Reading(cases_yaml.read(file, lambda case: any(may_expect(judge, case) for judge in blocking)), [])
    return registry.read(file, None if name == AUTO else name, given)


def _strange(category: str, known: Mapping[str, str]) -> ConfigError:
    return ConfigError(
        f"the category {category[:80]!r} is not in data/taxonomy, expected one of {', '.join(sorted(known))}: "
        "write its file first, or say another one with --category"
    )


def _candidate(case: Case, cases: Sequence[Case], may_repeat: str) -> Candidate:
    like = nearest(case, cases)
    return Candidate(
        candidate_id=case.case_id,
        case=case,
        generator=digest([MADE]),
        seed=0,
        nearest=like.case_id,
        similarity=round(like.similarity, 4),
        may_repeat=may_repeat,
        made=MADE,
    )
