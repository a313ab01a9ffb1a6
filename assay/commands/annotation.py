"""Elsewhere: candidates for people who do not review at the desk, and their decisions back.

Reads the open batch, writes files of the user; what comes back is appended to the log of decisions under the same rule
as at the desk: on exactly what was opened, once a person, and by no more people than the batch asks for.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from assay.errors import ConfigError, DataError
from assay.evalset.admission import Batch
from assay.interchange import decisions
from assay.interchange.annotation.form import LeftOut
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.records.candidate import Candidate
from assay.records.decision import Decision
from assay.stages import batches
from assay.storage import hash_chain


def export(file: Path) -> int:
    """Write the candidates that are still open, for people to decide on; return how many.

    Raises:
        ConfigError: No batch is open, the file's name tells no format, or it cannot be written.
    """
    batches.require_open()
    cases = {case.case_id: case for case in CASES.read(may_be_absent=True)}
    open_ones = batches.waiting()
    decisions.write(open_ones, cases.get, file)
    return len(open_ones)


def take(file: Path, reviewer: str, now: datetime) -> tuple[int, list[str]]:
    """Append the decisions of a file to the log; return how many, and what was left out.

    Args:
        file: As people's tool wrote it.
        reviewer: Who decided, where the file does not say.
        now: When the decisions are signed.

    Raises:
        ConfigError: No batch is open, or its deadline has passed.
        DataError: A decision is malformed, or about something else than was opened; the text names the place.
    """
    there = batches.opened()
    if there is None:
        raise ConfigError(
            f"no batch of candidates is open, expected one that {file.name} decides on: `assay grow` opens what waits; "
            "cases of another tool or a table of them come in with --format auto"
        )
    if there.is_over(now):
        raise ConfigError(f"the deadline of {there.name} has passed, expected an open batch: `assay grow` goes on")
    reading = decisions.read(file, reviewer)
    candidates = {one.candidate_id: one for one in batches.frozen(there.name)}
    for word in reading.words:
        if word.candidate_id not in candidates:
            raise DataError(
                f"{word.place}: {word.candidate_id[:80]!r} is not in {there.name}, expected a candidate that is open: "
                "export again and decide again"
            )
        word.require_unchanged(candidates[word.candidate_id])
    left = LeftOut()
    with hash_chain.held(DECISIONS.file()) as log:
        fresh = _admissible(reading.words, there, left)
        hash_chain.append(log, [_signed(word, candidates[word.candidate_id], there, now) for word in fresh])
    return len(fresh), [*reading.left_out, *left.told()]


def _admissible(words: Sequence[decisions.Word], batch: Batch, left: LeftOut) -> list[decisions.Word]:
    """Return the words that the batch's rule has room for, each on a candidate and by a person who had none."""
    by = {
        name: {word.reviewer for word in standing.words if word.role == "reviewer"}
        for name, standing in batches.standing_of(batch).items()
    }
    fresh = []
    for word in words:
        reviewers = by[word.candidate_id]
        if word.reviewer in reviewers:
            left.leave("decisions of people who had decided on the candidate before", word.place)
        elif len(reviewers) >= batch.reviewers:
            left.leave("decisions on candidates that have all their reviewers", word.place)
        else:
            reviewers.add(word.reviewer)
            fresh.append(word)
    return fresh


def _signed(word: decisions.Word, candidate: Candidate, batch: Batch, now: datetime) -> Decision:
    return Decision(
        candidate_id=word.candidate_id,
        digest=word.digest,
        decision=word.decision,
        reviewer=word.reviewer,
        reason=word.reason,
        decided_at=now,
        case=candidate.case if word.decision == "admit" else None,
        batch=batch.name,
    )
