"""Runs: what holds around the stages of a flow: one run at a time, a fresh code lock, a project that is valid.

Everything that a later stage would refuse is refused here, before the first paid call.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from assay.commands.budget import check_budget
from assay.commands.validate import validate
from assay.orchestration.steps import Step, recorded
from assay.project import code_lock, files, params
from assay.project.dvc import recording_together
from assay.project.model_session import embedded_throughout
from assay.project.results import finishing
from assay.project.run_id import Run, new_run
from assay.project.run_lock import exclusive
from assay.project.tables.evalset import CASES

NIGHT = ("execute", "judge", "calibrate", "monitor", "publish")
"""The stages of a night, in their order."""


def started() -> Run:
    """Return a run that begins now, with an id of its own."""
    return new_run(lambda: datetime.now(UTC), secrets.token_bytes)


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
    now = datetime.now(UTC)
    with params.overriding(env, overrides), exclusive(name, now, patience_s):
        validate(stages)
        code_lock.refresh()
        with recording_together():
            yield now


@contextmanager
def night(
    review: Step[[datetime], int],
    max_cost_usd: float | None,
    env: str = "",
    overrides: Sequence[str] = (),
    *,
    run: Run | None = None,
) -> Iterator[datetime]:
    """Hold the project for a nightly run, its models at hand; yield the moment it began.

    Args:
        review: Makes the evaluation set in a fresh clone, which has none.
        max_cost_usd: What the run may cost; None for no bound.
        env: As for `running`.
        overrides: As for `running`.
        run: Which run it is; a new one where nobody says.

    Raises:
        BudgetError: The run would cost more than `max_cost_usd`.
        ConfigError: As for `running`, or the bound on the cost is none.
    """
    stages = NIGHT if files.exists(CASES.path) else ("review", *NIGHT)
    with (
        finishing(run or started()) as take_mark,
        running("nightly", stages, env, overrides) as now,
        embedded_throughout(),
    ):
        take_mark()
        if "review" in stages:
            recorded(review, now)
        if max_cost_usd is not None:
            check_budget(f"{now:%Y-%m-%d}", max_cost_usd)
        yield now
