"""Continuation: is a run a new one, or the rest of one that was interrupted?

A run that asked the product and has no end was interrupted. It is continued under its own id, so that what it had
answered counts; unless that is too long ago, everything is to be asked anew, or a later run has begun since. A run that
is dated later than now, because a clock was ahead, is none of these: it neither is continued nor has begun since.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from assay.calibration.certificate import Certificate
from assay.models.journal import Journal, JournaledRun
from assay.project import run_id
from assay.project.certificates import read_certificates
from assay.project.journal import has_journal, open_journal
from assay.project.run_id import Run

SAME_NIGHT = timedelta(hours=20)
"""After its last answer; a day later the next night begins, whether this one has ended or not."""
KEPT_RUNS = 3
"""Runs that have to end without a use of an answer before the journal forgets it."""


def resumed(run: Run) -> Run:
    """Return the run that was interrupted, where it is to be continued; else the run that was about to begin."""
    if run.is_fresh or not has_journal():
        return run
    with open_journal() as journal:
        last = _last(run.began, journal)
        if last and last.run == run.id:
            return run.going_on(run.id, run.began, is_fresh=last.is_fresh)
        if last is None or last.ended:
            return run
        alive = max(last.began, journal.last_sign(last.run))
    if run.began - datetime.fromtimestamp(alive, UTC) > SAME_NIGHT:
        return run
    return run.going_on(last.run, run_id.began(last.run), is_fresh=last.is_fresh)


def as_begun(run: Run) -> Run:
    """Return a run that another process began as that one did: fresh, where everything is to be asked anew."""
    if not has_journal():
        return run
    with open_journal() as journal:
        is_fresh = any(noted.run == run.id and noted.is_fresh for noted in journal.runs())
    return run.going_on(run.id, run.began, is_fresh=run.is_fresh or is_fresh)


def interrupted(now: datetime) -> str:
    """Return the run that asked the product last, where it has no end; empty where it has one.

    Args:
        now: The moment; a run that is dated later counts for nothing here.
    """
    if not has_journal():
        return ""
    with open_journal() as journal:
        last = _last(now, journal)
    return last.run if last and not last.ended else ""


def ended(run: Run) -> None:
    """Note that a run has ended well."""
    if has_journal():
        with open_journal() as journal:
            journal.end(run.id)


def prune(now: datetime) -> None:
    """Forget answers that nobody needs any more.

    An answer stays while one of the last runs has used it, and what a run asked in which a present certificate was
    issued stays as long as that.

    Args:
        now: A moment; runs that are dated later count for nothing here.
    """
    with open_journal() as journal:
        began = [noted.began for noted in _until(now, journal.runs()) if noted.ended]
        if len(began) >= KEPT_RUNS:
            journal.prune(began[-KEPT_RUNS], _runs(read_certificates().values()))


def _last(now: datetime, journal: Journal) -> JournaledRun | None:
    return max(_until(now, journal.runs()), key=attrgetter("run"), default=None)


def _until(now: datetime, runs: Iterable[JournaledRun]) -> Iterator[JournaledRun]:
    """Yield the runs that are not dated later than a moment."""
    return (noted for noted in runs if noted.began <= now.timestamp())


def _runs(certificates: Iterable[Certificate]) -> list[str]:
    return sorted({certificate.run for certificate in certificates} - {""})
