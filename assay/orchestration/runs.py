"""Runs: what holds around the stages of a flow: one run at a time, a fresh code lock, a project that is valid.

Everything that a later stage would refuse is refused here, before the first paid call.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime

from assay.commands.budget import check_budget
from assay.commands.validate import validate
from assay.orchestration.steps import Step, recorded
from assay.project import code_lock, continuation, failures, files, params, results, run_id, whose
from assay.project.dvc import recording_together
from assay.project.model_session import embedded_throughout
from assay.project.run_id import Run
from assay.project.run_lock import exclusive
from assay.project.tables.evalset import CASES
from assay.records.optional import Guard
from assay.records.parts import PARTS

NIGHT = ("execute", "judge", "calibrate", "monitor", "publish")
"""The stages of a night, in their order."""


def night_name() -> str:
    """Return the name of a nightly run: its date."""
    return f"nightly-{datetime.now(UTC):%Y-%m-%d}"


@contextmanager
def running(
    name: str,
    stages: Sequence[str],
    env: str = "",
    overrides: Sequence[str] = (),
    *,
    patience_s: float = 0,
) -> Iterator[datetime]:
    """Hold the project for one run of these stages; yield the moment it began.

    Where the product is asked, it is the rest of the run before, if that was interrupted.

    Args:
        name: What runs, for others who find the project locked.
        stages: What will run, in order.
        env: Environment whose params.<env>.yaml holds over params.yaml; empty for none.
        overrides: Single values over both, each `section.key=value`.
        patience_s: How long to wait for another run to end.

    Raises:
        ConfigError: Parameters, judges or files that one of the stages needs are missing or at fault.
        DataError: A table that one of them reads breaks its contract.
        BusyError: Another run holds the project.
    """
    run = run_id.current() or run_id.starting()
    now = run.clock()
    within = nullcontext() if run_id.current() else run_id.being(run)
    with within, params.overriding(env, overrides), exclusive(name, now, patience_s):
        validate(stages)
        code_lock.refresh()
        if "execute" in stages:
            run = continuation.resumed(run)
            run_id.go_on_as(run)
        with recording_together():
            yield now
        if not results.is_interrupted(run.id):  # that one ends once it is published
            continuation.ended(run)
        if tuple(stages) == ("publish",):
            whose.conclude()


@contextmanager
def night(
    review: Step[[datetime], int],
    max_cost_usd: float | None,
    env: str = "",
    overrides: Sequence[str] = (),
    *,
    fresh: bool = False,
    run: Run | None = None,
) -> Iterator[datetime]:
    """Hold the project for a nightly run, its models at hand; yield the moment it began.

    Args:
        review: Makes the evaluation set in a fresh clone, which has none.
        max_cost_usd: What the run may cost; None for no bound.
        env: As for `running`.
        overrides: As for `running`.
        fresh: Ask everything anew, and continue no run that was interrupted.
        run: Which run it is; a new one where nobody says.

    Raises:
        BudgetError: The run would cost more than `max_cost_usd`.
        ConfigError: As for `running`, or the bound on the cost is none.
    """
    stages = NIGHT if files.exists(CASES.path) else ("review", *NIGHT)
    with (
        results.finishing(run or run_id.starting(is_fresh=fresh)) as take_mark,
        running("nightly", stages, env, overrides) as now,
        embedded_throughout(),
    ):
        take_mark()
        if "review" in stages:
            recorded(review, now)
        if max_cost_usd is not None:
            check_budget(run_id.begun(now).id, max_cost_usd)
        yield now
        forget(now)


def forget(now: datetime) -> None:
    """Prune the journal at the end of the night that began now; where that fails it costs the night nothing."""
    guard = Guard()
    guard.optional(PARTS["journal"], lambda: continuation.prune(now), None)
    failures.keep("night", guard)
