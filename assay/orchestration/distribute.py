"""`execute` from several processes: through Prefect's own task runners, one task a shard.

`threads` needs none of this and no server. The others report their shards to the Prefect server of PREFECT_API_URL.
"""

import importlib
import logging
import os
import secrets
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed
from prefect.logging.handlers import PrefectConsoleHandler
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from assay.errors import AssayError, ConfigError, EndpointError
from assay.models.engine import Progress, Tally
from assay.orchestration.steps import Step, recorded, reporting
from assay.project import entrypoint, run_id
from assay.project.distribution import DISTRIBUTION
from assay.project.dvc import recording
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.run_id import Run
from assay.stages import shards
from assay.stages.execute import Settings
from assay.stages.shards import Course, Part, Shard, run_shard

HOST = "127.0.0.1"
QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # its lines are on the server; the terminal has our own
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "RAY_USAGE_STATS_ENABLED": "0",
}
ALONE = {
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else Ray listens on every interface, whatever address it is told
    "RAY_AUTH_MODE": "token",
}
"""A cluster that lives in this machine only, for this run only: no other user and no other machine can speak to it."""
DEAD = ("BrokenProcessPool", "KilledWorker", "WorkerCrashedError", "NodeDiedError", "OutOfMemoryError")
"""How the three say that a worker died, once for processes, once too often for the others."""


def execute(step: Step[..., Tally], now: datetime, max_cost_usd: float | None = None) -> Tally:
    """Ask the target for every case with the runner that params.yaml names, and let DVC record it.

    Raises:
        ConfigError: The parameters do not go together, a package is missing, or no Prefect server is named.
        EndpointError: The product or Prefect's server cannot be asked, or a worker died.
    """
    settings = read_params("execute", Settings)
    shards.require(settings)
    if settings.runner == "threads":
        return recorded(step, now, max_cost_usd)
    with recording(step.name):
        return spread(settings, run_id.begun(now), max_cost_usd)


def spread(settings: Settings, run: Run, max_cost_usd: float | None) -> Tally:
    """Ask the target from several processes, as a flow of its own that the Prefect server shows.

    Raises:
        ConfigError: As for `execute`.
        EndpointError: Likewise.
    """
    runner = task_runner(settings)
    _require_server(settings.runner)
    _keep_quiet(is_local=not settings.runner_address)
    state = answered.with_options(task_runner=runner)(run.id, max_cost_usd, is_fresh=run.is_fresh, return_state=True)
    return cast("Tally", state.result())


@task(name="shard", task_run_name="cases {work[first]} to {work[last]}", cache_policy=NO_CACHE, persist_result=False)
def shard(work: dict[str, Any]) -> dict[str, Any] | State[Any]:
    """Answer one shard in whatever process this is; it is never tried again here, for every call in it was."""
    entrypoint.be_quiet()
    sys.path.insert(0, str(Path.cwd()))  # the project's own modules, as `python -m` would find them
    try:
        return run_shard(Shard.model_validate(work)).model_dump(mode="json")
    except AssayError as error:
        # Anew, for its traceback holds what cannot cross to another process.
        return Failed(message=str(error), data=type(error)(str(error)))


@flow(name="execute", flow_run_name="execute-{run}", persist_result=False)
def answered(run: str, max_cost_usd: float | None, *, is_fresh: bool = False) -> State[Any]:
    """Hand out the shards, one to each worker at a time, and write the table when all are back."""
    try:
        course = Course(run_id.of_id(run, is_fresh=is_fresh), max_cost_usd)
        with reporting(), progress("execute", course.calls) as step:
            hand_out(course, step)
        return Completed(data=course.gather())
    except AssayError as error:
        return Failed(message=str(error), data=error)


def hand_out(course: Course, step: Progress) -> None:
    """Give every free worker a shard until none is left; the first error stops it when all workers have ended.

    Raises:
        AssayError: What a shard found that no call can mend, or a worker died.
    """
    out: dict[PrefectFuture[Any], Shard] = {}
    broke: list[AssayError] = []
    while True:
        while not broke and (work := course.take()):
            out[shard.submit(work.model_dump(mode="json"))] = work
        if not out:
            break
        future = next(as_completed(list(out)))
        work = out.pop(future)
        try:
            course.back(work, Part.model_validate(_result(future)), step)
        except AssayError as error:
            broke.append(error)
    if broke:
        raise broke[0]


def task_runner(settings: Settings) -> TaskRunner[Any]:
    """Return Prefect's task runner of that name: on the cluster that is named, or on processes of this machine.

    Raises:
        ConfigError: Its package is not installed.
    """
    match settings.runner:
        case "dask":
            return _dask(settings.workers, settings.runner_address)
        case "ray":
            return _ray(settings.workers, settings.runner_address)
        case _:
            return ProcessPoolTaskRunner(max_workers=settings.workers)


def _dask(workers: int, address: str) -> TaskRunner[Any]:
    package = _package("prefect_dask", "dask")
    local = {"host": HOST, "dashboard_address": f"{HOST}:0", "security": True}
    where = (
        {"address": address} if address else {"cluster_kwargs": local | {"n_workers": workers, "threads_per_worker": 1}}
    )
    runner: TaskRunner[Any] = package.DaskTaskRunner(**where)
    return runner


def _ray(workers: int, address: str) -> TaskRunner[Any]:
    package = _package("prefect_ray", "ray")
    settings = {"log_to_driver": False, "logging_level": "critical"}
    local = {} if address else {"num_cpus": workers, "include_dashboard": False}
    runner: TaskRunner[Any] = package.RayTaskRunner(address=address or None, init_kwargs=settings | local)
    return runner


def _keep_quiet(*, is_local: bool) -> None:
    """Set what Prefect, Dask and Ray, and the workers that inherit it, read when they start."""
    os.environ.update(QUIET | (ALONE if is_local else {}))
    if is_local:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, PrefectConsoleHandler):
            handler.setLevel(logging.CRITICAL)


def _result(future: PrefectFuture[Any]) -> object:
    """Return what a worker handed back.

    Raises:
        AssayError: What the worker raised, or that it died.
    """
    try:
        return future.result()
    except Exception as error:
        if type(error).__name__ not in DEAD:
            raise
        raise EndpointError(
            f"a worker died ({type(error).__name__}), expected it to answer its cases: run again, it goes on from the "
            "calls that are answered; if it dies again, look for want of memory"
        ) from error


def _package(name: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            f'execute.runner is {extra!r}, but {name} is not installed: `pip install "{DISTRIBUTION}[{extra}]"`'
        ) from error


def _require_server(runner: str) -> None:
    address = PREFECT_API_URL.value()
    if not address:
        raise ConfigError(
            f"execute.runner {runner!r} reports to a Prefect server, and PREFECT_API_URL names none: start one "
            f"with `assay serve` and set PREFECT_API_URL=http://{HOST}:4200/api, or choose threads"
        )
    with get_client(sync_client=True) as client:
        if error := client.api_healthcheck():
            raise EndpointError(
                f"Prefect's server at {address} does not answer ({type(error).__name__}), expected it to be healthy: "
                "start it with `assay serve`, or correct PREFECT_API_URL"
            )
