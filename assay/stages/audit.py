"""Audit: does the judge say the same when it is asked twice, and what moves it that should not?

Asks the judges of params.yaml, section judge, about held-out items. The journal keeps the answers.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from assay.calibration import audits
from assay.calibration.certificate import Figure
from assay.calibration.ratings import Rated
from assay.judges import questions
from assay.judges.prompt import JudgePrompt
from assay.judges.questions import Question
from assay.models.engine import Work, answer_all
from assay.models.journal import Journal
from assay.project import model_session
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.run_id import Run, begun
from assay.records.label import Item
from assay.records.optional import Guard
from assay.records.parts import PARTS
from assay.records.verdict import Outcome
from assay.stages.judge_clients import Settings, seated

CHILDREN = ("assay.models.embedded.judges", "assay.models.embedded.tuning")
"""Started with `python -m`: of the embedded models, what can move a result of this stage."""
LOG = logging.getLogger(__name__)


def audit(judge: JudgePrompt, found: Rated, size: int, now: datetime, guard: Guard) -> list[Figure]:
    """Return the figures of both audits, on up to `size` items each; none where none was wanted.

    Raises:
        EndpointError: The judge cannot be asked.
    """
    if not size:
        return []
    run = begun(now)
    again = guard.optional(PARTS["flips"], lambda: audits.repeated(found, size), [])
    forged = guard.optional(PARTS["injected"], lambda: audits.forgeries(found, size), [])
    asked = [questions.of_item(judge, item, f"{run.epoch} again") for item, _ in again]
    asked += [_of_forged(judge, forgery.item, forgery.injection, run.epoch) for forgery in forged]
    said = guard.optional(PARTS["audits"], lambda: _ask(judge, asked, run), [None] * len(asked))
    twice = [(before, outcome) for (_, before), outcome in zip(again, said[: len(again)], strict=True)]
    tried = list(zip(forged, said[len(again) :], strict=True))
    return [
        figure(guard, "flips", lambda: audits.flips(twice)),
        figure(guard, "injected", lambda: audits.injected(tried)),
    ]


def figure(guard: Guard, name: str, compute: Callable[[], Figure]) -> Figure:
    """Return the figure of one audit; where anything of it failed, one without an estimate that says why."""
    found = guard.optional(PARTS[name], compute, audits.missing(name))
    parts = {PARTS[name], PARTS["audits"]}
    notes = [failure.note for failure in guard.failures if failure.part in parts]
    return audits.missing(name, notes[0]) if notes else found


def _of_forged(judge: JudgePrompt, item: Item, injection: str, epoch: str) -> Question:
    return questions.of_item(judge, item, f"{epoch} {injection}")


def _ask(judge: JudgePrompt, asked: Sequence[Question], run: Run) -> list[Outcome | None]:
    """Return what the judge says to each question; None where it gives no verdict."""
    settings = read_params("judge", Settings)

    async def put(journal: Journal) -> list[Outcome | None]:
        work = Work(run.id, "calibrate", settings.conversations, journal.purse(run.id, None))
        async with seated(settings, [judge], endpoint, journal, work, run.epoch) as bench:
            calls = [call for question in asked for call in bench.calls(question)]
            with progress("calibrate", len(calls)) as step:
                await answer_all(calls, journal, work, progress=step)
            verdicts = [bench.verdict(question, journal) for question in asked]
        return [verdict.outcome if verdict.status == "ok" else None for verdict in verdicts]

    with model_session.consulting(settings.model) as (endpoint, journal):
        return asyncio.run(put(journal))
