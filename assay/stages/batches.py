"""Batches: candidates that are open to people, from the opening to the end.

What is opened is frozen first, under the digest of its content, so that whatever becomes of data/candidates meanwhile,
people decide on exactly what they were shown. Everything that happens to a batch is a row of an append-only log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from assay.errors import ConfigError, DataError
from assay.evalset.admission import (
    LOG,
    Batch,
    BatchEvent,
    Outcome,
    Standing,
    batch_name,
    batches,
    is_done,
    outcome,
    standings,
)
from assay.evalset.prompt_leaks import stands_in
from assay.evalset.unfailing import sentence, unfailing
from assay.judges import prompt
from assay.project import files
from assay.project.params import read_params
from assay.project.release_notes import read_notes
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.decisions import BATCH_FOLDER, BATCHES, DECISIONS
from assay.project.tables.evalset import MANIFEST
from assay.project.taxonomy import read_taxonomy
from assay.records.candidate import Candidate
from assay.records.case import Case
from assay.records.decision import Decision
from assay.records.record import Record, Text
from assay.storage import hash_chain, jsonl
from assay.storage.rows import parse_rows
from assay.text import counted

SYSTEM = "assay"
"""Who signs what no person did: an opening, an end at the deadline."""
Action = Literal["go on", "close early", "extend", "abandon"]


class Settings(Record):
    """The section `review` of params.yaml: the rule of a batch, and where people decide."""

    reviewers: int = Field(default=1, ge=1, le=9)
    """People who decide on each candidate; of two who disagree a third one adjudicates."""
    quorum: float = Field(default=1.0, gt=0, le=1)
    """The share of a batch that has to be decided before it may be closed as done."""
    days: float = Field(default=14, gt=0, le=365)
    """Then a batch ends by itself, with what is decided."""
    labellers: int = Field(default=2, ge=1, le=9)
    """People who label each drawn answer."""
    desk: Text = Field(default="http://127.0.0.1:8200", pattern=r"^https?://[^\s/]+$")


def freeze(candidates: Sequence[Candidate]) -> None:
    """Keep candidates as they are opened to people, under the name that their content gives them."""
    files.write_bytes(f"{BATCH_FOLDER}/{batch_name(candidates)}.jsonl", jsonl.written(candidates))


def frozen(batch: str) -> list[Candidate]:
    """Return the candidates of a batch exactly as they were opened.

    Raises:
        DataError: They are gone, or no longer what was opened.
    """
    where = f"{BATCH_FOLDER}/{batch}.jsonl"
    file = files.path(where)
    if not file.is_file():
        raise DataError(f"{where} is missing, expected the candidates that were opened: restore it from Git")
    found = list(parse_rows(Candidate, file.read_bytes().splitlines(), where))
    if batch_name(found) != batch:
        raise DataError(f"{where} holds other candidates than were opened: restore it from Git")
    return found


def events() -> list[BatchEvent]:
    """Return what has happened to batches."""
    return BATCHES.read(may_be_absent=True)


def known() -> dict[str, Batch]:
    """Return every batch as it stands."""
    return batches(events())


def words() -> list[Decision]:
    """Return the log of decisions."""
    return DECISIONS.read(may_be_absent=True)


def opened() -> Batch | None:
    """Return the batch that is open to people; there is one at a time."""
    return next((batch for batch in known().values() if batch.state == "open"), None)


def require_open() -> Batch:
    """Return the batch that is open to people.

    Raises:
        ConfigError: None is.
    """
    there = opened()
    if there is None:
        raise ConfigError("no batch of candidates is open, expected one: `assay grow` opens what waits")
    return there


def of_run(run: str) -> Batch | None:
    """Return the batch that a flow run opened."""
    return next((batch for batch in known().values() if run and batch.run == run), None)


def undecided() -> list[Candidate]:
    """Return the candidates on file that wait for a batch: nobody has them in an open one, or is done with them.

    What belongs to a category that the taxonomy does not have (any more) waits for nothing: nobody owns it. Neither
    does what a judge's prompt shows today, nor what nothing can fail, which `held` returns.
    """
    return _undecided()[0]


def held() -> str:
    """Return how many candidates on file wait for a check or a judge, and what to do; empty where none does."""
    cases = [one.case for one in _undecided()[1]]
    return sentence(cases, CANDIDATES.path) if cases else ""


def _undecided() -> tuple[list[Candidate], list[Candidate]]:
    """Return the candidates that people may decide on, and those that nothing can fail."""
    judges = prompt.load_all()
    prompts = [judge.source for judge in judges]
    owned = {category.category for category in read_taxonomy()}
    log = words()
    gone = {word.candidate_id for word in log if not word.batch}
    for batch in known().values():
        if batch.state == "close":
            gone |= {name for name, one in standings(batch, log).items() if one.state == "decided"}
        else:
            gone |= set(batch.candidates)
    found = [
        one
        for one in CANDIDATES.read(may_be_absent=True)
        if one.candidate_id not in gone and one.case.category in owned and not stands_in(one.case.turns, prompts)
    ]
    names = {case.case_id for case in unfailing([one.case for one in found], judges)}
    return (
        [one for one in found if one.case.case_id not in names],
        [one for one in found if one.case.case_id in names],
    )


def waiting() -> list[Candidate]:
    """Return the candidates that are not decided: of the open batch, or those on file where none is open."""
    there = opened()
    if there is None:
        return undecided()
    found = standing_of(there)
    return [one for one in frozen(there.name) if found[one.candidate_id].state != "decided"]


def fold(log: Sequence[Decision], happened: Sequence[BatchEvent] | None = None) -> Outcome:
    """Return what the logs come to.

    Args:
        log: The decisions.
        happened: What happened to batches; as it is on file where it is left out.

    Raises:
        DataError: A log, or the frozen candidates of a batch, are not what was signed.
    """
    happened = events() if happened is None else happened
    shown = {name: frozen(name) for name, batch in batches(happened).items() if batch.state == "close"}
    return outcome(log, happened, shown)


def admitted() -> list[Case]:
    """Return the cases that the logs admit, whatever the table made of them so far; none in a new project."""
    return fold(words()).cases if DECISIONS.exists() else []


def check_logs() -> str:
    """Return how much of the logs is intact, in a sentence.

    Raises:
        DataError: A row or a frozen candidate is not what was signed, or the log ends before what the evaluation set or
            a release was made of.
    """
    log = DECISIONS.read()
    found = fold(log)
    chains = {word.chain for word in log}
    anchors = {note["release"]: note.get("log", "") for note in read_notes()}
    if files.exists(MANIFEST):
        anchors[MANIFEST] = files.read_json(MANIFEST, "run `assay repro review`").get("log", "")
    for name, anchor in anchors.items():
        if anchor and anchor not in chains:
            raise DataError(
                f"{LOG}: {name} was made of a row that is not there any more ({anchor[:12]}...), expected every row "
                "since then: restore the log from Git"
            )
    admitted_ = counted(len(found.cases), "case")
    return f"{len(log)} decisions, an unbroken chain to {log[-1].chain[:12]}...; they admit {admitted_}"


def open_batch(candidates: Sequence[Candidate], run: str, now: datetime) -> Batch:
    """Open candidates to people under the rule of params.yaml; return the batch.

    Raises:
        ConfigError: Another batch is open.
    """
    settings = read_params("review", Settings)
    name = batch_name(candidates)
    event = BatchEvent(
        batch=name,
        event="open",
        who=SYSTEM,
        at=now,
        note="",
        deadline=now + timedelta(days=settings.days),
        reviewers=settings.reviewers,
        quorum=settings.quorum,
        run=run,
        candidates={one.candidate_id: one.digest() for one in candidates},
    )
    with hash_chain.held(BATCHES.file()) as log:
        there = opened()
        if there:
            raise ConfigError(f"{there.name} is open to reviewers, expected none: close or abandon it first")
        freeze(candidates)
        hash_chain.append(log, [event])
    return known()[name]


def standing_of(batch: Batch) -> dict[str, Standing]:
    """Return what people have said of each candidate of a batch."""
    return standings(batch, words())


def act(batch: Batch, action: Action, who: str, note: str, now: datetime, *, days: float = 0, gate: str = "") -> Batch:
    """Do what a person asks of an open batch; return it as it stands then.

    Args:
        batch: The batch.
        action: `go on` closes it if its rule is met, and does nothing otherwise.
        who: The person.
        note: Why; nothing may be ended early without.
        now: The moment.
        days: By how much to extend.
        gate: Where in a flow run this was asked for; what was done there is never done twice.

    Raises:
        ConfigError: A note or a number of days is missing.
    """
    if not batch.is_over(now) and action != "go on" and not note.strip():
        raise ConfigError(f"{batch.name}: to {action} needs a note, found none: say why")
    if action == "extend" and not 0 < days <= 365:  # noqa: PLR2004 - a year, as for the rule itself
        raise ConfigError(f"{batch.name}: to extend by {days} days is no extension, expected 0 to 365: say how long")
    # Whoever comes second, at the desk or in Prefect's form, finds the batch as the first one left it.
    with hash_chain.held(BATCHES.file()) as log:
        there = known()[batch.name]
        was_done = gate and any(event.run == gate for event in events())
        if there.state == "open" and not was_done and (action != "go on" or is_done(there, standing_of(there))):
            word: Literal["extend", "abandon", "close"] = "close"
            if action in ("extend", "abandon"):
                word = action
            deadline = max(there.deadline, now) + timedelta(days=days) if action == "extend" else None
            why = note.strip() or "all that its rule asks for is decided"
            event = BatchEvent(batch=there.name, event=word, who=who, at=now, note=why, deadline=deadline, run=gate)
            hash_chain.append(log, [event])
    return known()[batch.name]


def expire(batch: Batch, now: datetime) -> Batch:
    """Close a batch whose deadline has passed, with what is decided; return it as it stands then."""
    with hash_chain.held(BATCHES.file()) as log:
        there = known()[batch.name]
        if there.state == "open" and now >= there.deadline:
            why = "its deadline has passed"
            event = BatchEvent(batch=there.name, event="close", who=SYSTEM, at=now, note=why, deadline=None)
            hash_chain.append(log, [event])
    return known()[batch.name]


def progress(batch: Batch) -> str:
    """Return how far a batch is, in a sentence."""
    states = [one.state for one in standing_of(batch).values()]
    disputed = states.count("disputed")
    return (
        f"{states.count('decided')} of {len(states)} decided by {batch.reviewers} each"
        + (f", {disputed} wait for an adjudicator" if disputed else "")
        + f", open until {batch.deadline:%Y-%m-%d %H:%M} UTC"
    )
