"""Exchange: evaluation sets from other tools, and to them.

Reads and writes files of the user; what comes in is admitted by the person who signs for it, or goes to the desk as a
batch like any other candidate.
"""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast

from assay.commands import accept, imported_judges, intake, judges
from assay.errors import ConfigError, DataError
from assay.evalset import unfailing, wording
from assay.generation.near_duplicates import likely, repeats
from assay.generation.nearest import nearest
from assay.interchange import cases_yaml
from assay.interchange.sets import columns, registry
from assay.interchange.sets.builder import RUBRIC_JUDGE, Filling, Reading
from assay.interchange.sets.promptfoo_assertions import LEFT
from assay.judges import applicability, prompt
from assay.project import releases
from assay.project.params import read_params
from assay.project.programs import git
from assay.project.tables.evalset import CASES
from assay.project.tables.excluded import PAST
from assay.project.taxonomy import read_taxonomy
from assay.records.attachment import Attachment
from assay.records.candidate import IMPORTED, Candidate
from assay.records.case import Case, Layer
from assay.records.record import digest
from assay.report.texts import visible
from assay.stages import batches, generate
from assay.storage import attachments
from assay.text import counted

AUTO = "auto"
WRITTEN = "written"
"""Our own YAML of cases that people write by hand."""
SHOWN, LONGEST = 3, 400
"""Cases that a rehearsal shows, and characters of a text of one."""
WIDEST = 90
"""Characters of what an assertion became, in the table."""


class Taken(NamedTuple):
    """What became of a file."""

    cases: int
    known: int
    """Cases that are in the set already, as they are."""
    left_out: list[str]
    """What has no place in a case, one sentence a kind."""
    batch: str
    """The batch in which people decide on them, or on those that were held back; empty for none."""
    notes: tuple[str, ...] = ()
    """What else people have to know: cases that nothing can fail, what a release will refuse, a judge that was made."""
    became: Mapping[tuple[str, str], int] = MappingProxyType({})
    """How many assertions of a type became what."""
    shown: tuple[Case, ...] = ()
    """Of a rehearsal: the first cases as they would be."""
    held: int = 0
    """Cases that a release would refuse, so that nobody's signature admits them: people decide on them."""
    is_rehearsal: bool = False
    judges: int = 0
    """How many judges the file declares."""


def filling(category: str, layer: str, owner: str) -> Filling:
    """Return what cases get that their file says nothing of; the owner, where nobody is named, is the category's.

    Raises:
        ConfigError: The category is not in the taxonomy.
    """
    owners = {one.category: one.owner for one in read_taxonomy()}
    if category and category not in owners:
        raise _strange(category, owners)
    return Filling(category, cast("Layer", layer), owner or owners.get(category, ""))


def take(
    file: Path,
    name: str,
    given: Filling,
    reviewer: str,
    now: datetime,
    *,
    maps: Sequence[str] = (),
    is_rehearsal: bool = False,
) -> Taken:
    """Take the cases of a file in.

    Args:
        file: In another tool's format, or plain rows.
        name: The format; `auto` to recognise another tool's.
        given: What the file does not say.
        reviewer: Who admits them; empty to open them at the desk.
        now: The moment.
        maps: Which column is what, such as `question=Frage,reference=Antwort`.
        is_rehearsal: Nothing is written; the first cases are shown as they would be.

    Raises:
        ConfigError: The format is not recognised, a category is not in the taxonomy, or another batch is open.
        DataError: The file is not what its format asks for, nothing can fail any of its cases, or a case has a rubric
            or a threshold for a judge that is not there.
    """
    found = _read(file, name, given, columns.told(maps))
    owners = {one.category: one.owner for one in read_taxonomy()}
    for case in found.cases:
        if case.category not in owners:
            raise _strange(case.category, owners)
    cases = [case if case.owner else case.model_copy(update={"owner": owners[case.category]}) for case in found.cases]
    to_come = judge_to_come(cases)
    brought = imported_judges.planned(found.judges)
    all_judges = [*prompt.load_all(), *(one.judge for one in brought if not one.is_there)]
    applicability.require_known({*(judge.name for judge in all_judges), to_come} - {""}, cases)
    applicability.require_thresholds(all_judges, cases)
    sifted = intake.sift(cases, all_judges, file.name, to_come)
    there = {case.case_id: case for case in batches.admitted()}
    past = [one.case for one in PAST.read(may_be_absent=True)]
    fresh = [case for case in sifted.cases if there.get(case.case_id) != case]
    taken = Taken(len(fresh), len(sifted.cases) - len(fresh), found.not_understood, "", became=found.became)
    taken = taken._replace(judges=len(brought))
    notes = [unfailing.sentence(sifted.left_out, "left out") + "; the others are taken in"] if sifted.left_out else []
    require_files(fresh, found.files)
    stay = [case for name, case in there.items() if name not in {case.case_id for case in fresh}]
    words = generate.lexicon(read_params("generate", generate.Settings).lexicon)
    like = repeats(fresh, [*stay, *past], words) if fresh else {}
    refused = intake.refusals(fresh, there)
    notes += intake.foreseen(fresh, there, like, refused) if fresh else []
    held = {case_id for one in refused for case_id in one.held} if reviewer else set()
    signed = [case for case in fresh if case.case_id not in held]
    taken = taken._replace(cases=len(signed), held=len(held))
    if is_rehearsal:
        notes += imported_judges.sentences(brought, "would be written")
        return taken._replace(notes=(*notes, *will_make(to_come)), shown=tuple(signed[:SHOWN]), is_rehearsal=True)
    notes += imported_judges.write(brought)
    notes += [judges.make_rubric_judge()] if to_come and fresh else []
    taken = taken._replace(notes=tuple(notes))
    if not fresh:
        return taken
    attachments.keep(found.files)
    if reviewer and signed:
        accept.admit(signed, reviewer, f"imported from {file.name}"[:500], now)
    queued = [case for case in fresh if case.case_id in held] if reviewer else fresh
    if not queued or (reviewer and batches.opened()):
        return taken
    proposed = [_candidate(case, list(there.values()), likely(like[case.case_id])) for case in queued]
    batch = batches.open_batch(proposed, "", now)
    return taken._replace(batch=batch.name)


def signer(reviewer: str) -> str:
    """Return who admits cases without a review: who is named, or else who Git says that the user is.

    Raises:
        ConfigError: Neither says a name.
    """
    name = reviewer.strip()
    with suppress(ConfigError):
        name = name or git("config", "user.name")
    if not name:
        raise ConfigError(
            "--trust admits cases in somebody's name, found none: say --reviewer NAME, or set Git's user.name"
        )
    return name


def require_files(cases: Sequence[Case], files: Collection[Attachment]) -> None:
    """Refuse cases with an attachment that is neither in the project nor beside their file.

    Raises:
        DataError: The text names the case and the attachment.
    """
    for case in cases:
        for one in case.attachments:
            if one not in files and not attachments.is_kept(one):
                raise DataError(f"case {case.case_id}: {attachments.missing(one)}")


def judge_to_come(cases: Sequence[Case]) -> str:
    """Return the judge that cases have rubrics for and that is not there yet; empty for none."""
    is_wanted = any(RUBRIC_JUDGE in case.rubric for case in cases)
    return RUBRIC_JUDGE if is_wanted and RUBRIC_JUDGE not in prompt.names() else ""


def will_make(to_come: str) -> list[str]:
    """Return what an import would say of a judge that it would make."""
    return [f"{prompt.JUDGES_FOLDER}/{to_come} would be written: it goes by each case's own rubric"] if to_come else []


def lines(taken: Taken) -> list[str]:
    """Return what became of a file, as a person reads it."""
    told = [*taken.left_out, *taken.notes, *table(taken.became)]
    held = f", {counted(taken.held, 'case')} held back, since a release would refuse them" if taken.held else ""
    if taken.is_rehearsal:
        shown = [line for case in taken.shown for line in ("", *_as_it_would_be(case))]
        what = f"{counted(taken.cases, 'case')} would be taken in{held}"
        return [*told, *shown, "", f"{what}; nothing was written (--dry-run)."]
    if taken.judges and not taken.cases and not taken.known and not taken.held:
        return [*told, f"The file holds no cases; its judges are told above: {taken.judges}."]
    if not taken.cases and not taken.held:
        return [*told, f"0 cases taken in, {_known(taken)}: there is nothing to admit."]
    return [*told, f"{counted(taken.cases, 'case')} taken in, {_known(taken)}{held}; {_next(taken)}."]


def _known(taken: Taken) -> str:
    return f"{counted(taken.known, 'is', 'are')} in the set already"


def _next(taken: Taken) -> str:
    """Return what becomes of the cases that were taken in, and of those that were held back."""
    if not taken.held:
        return f"people decide at the desk ({taken.batch})" if taken.batch else "`assay grow` admits them"
    after = (
        f"people decide on what is held back ({taken.batch})"
        if taken.batch
        else "what is held back is not kept, since a batch is open: import the file again once it is closed"
    )
    return f"`assay grow` admits what was taken in, {after}" if taken.cases else after


def table(became: Mapping[tuple[str, str], int]) -> list[str]:
    """Return how many assertions of each type became what, as a table; nothing where there were none.

    Those of a type that became nothing are one row, with the beginning of what to do about the first of them: the list
    above says the whole.
    """
    if not became:
        return []
    folded: dict[tuple[str, str], tuple[str, int]] = {}
    for (kind, what), count in sorted(became.items()):
        key = (kind, LEFT if what.startswith(LEFT) else what)
        text, before = folded.get(key, (textwrap.shorten(what, WIDEST, placeholder=" ..."), 0))
        folded[key] = text, before + count
    rows = [("assertion", "count", "became")]
    rows += [(kind, str(count), text) for (kind, _), (text, count) in folded.items()]
    first, second = (max(len(row[column]) for row in rows) for column in range(2))
    return [f"{kind:{first}}  {count:>{second}}  {what}" for kind, count, what in rows]


def _as_it_would_be(case: Case) -> list[str]:
    """Return a case as a person reads it: what is asked, and what is expected."""
    parts = [("asked", wording.conversation(case)), *(("reference", text) for text in case.right_answers())]
    parts += [("check", one) for one in wording.expectations(case)]
    parts += [(f"rubric of the judge {judge}", text) for judge, text in case.rubric.items()]
    told = [f"{case.case_id} [{case.category}, {case.layer}]"]
    return told + [f"  {what}: {textwrap.shorten(str(visible(text)), LONGEST)}" for what, text in parts if text]


def give(file: Path, name: str, version: str) -> registry.Written:
    """Write the evaluation set, or a release of it, in another tool's format; return how many, and what that lost."""
    cases = releases.cases(version) if version else CASES.read()
    return registry.write(cases, file, name)


def _read(file: Path, name: str, given: Filling, maps: Mapping[str, str]) -> Reading:
    if name == WRITTEN and not registry.is_of_another_tool(file):
        return cases_yaml.reading(file, lambda _: True)
    if name == WRITTEN:
        name = AUTO
    return registry.read(file, None if name == AUTO else name, given, maps)


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
        generator=digest([IMPORTED]),
        seed=0,
        nearest=like.case_id,
        similarity=round(like.similarity, 4),
        may_repeat=may_repeat,
        made=IMPORTED,
    )
