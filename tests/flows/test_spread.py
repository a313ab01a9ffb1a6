"""Several processes answer: real workers of each runner, a real Prefect server, workers killed, and one sentence."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from assay.errors import AssayError, ConfigError
from assay.orchestration import distribute, server
from assay.project.params import read_params
from assay.project.run_id import begun
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.stages import execute
from tests.cast import Project, case
from tests.endpoint import Body, Reply, Served, completion, failure, serving
from tests.flows.sample import clone
from tests.layout import ROOT

pytestmark = pytest.mark.slow
COUNT = 60
SPREAD = """
import dataclasses, json
from datetime import UTC, datetime
from assay.orchestration.distribute import spread
from assay.project.entrypoint import run
from assay.project.params import read_params
from assay.project.run_id import begun
from assay.stages.execute import Settings
now = datetime(2026, 11, 2, 3, tzinfo=UTC)
found = lambda: dataclasses.asdict(spread(read_params("execute", Settings), begun(now), None))
run(lambda: print(json.dumps(found())))
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Prefect server for all that is spread here."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    home, here = tmp_path_factory.mktemp("prefect"), Path.cwd()
    os.chdir(ROOT)  # the server's module looks for a project
    try:
        with server.running(port, home) as address:
            os.chdir(here)
            yield f"{address}/api"
    finally:
        os.chdir(here)


def answer(body: Body) -> Reply:
    """Answer every question with itself, slowly enough that several are in flight."""
    return Reply(body=completion(f"Within 14 days. You asked: {body['messages'][-1]['content']}").body, delay_s=0.05)


def point(project: Project, served: Served, runner: str, **changes: Any) -> None:
    """Let two workers of some kind answer sixty cases, ten at a time, one request each."""
    CASES.write([case(number) for number in range(COUNT)])
    target = {"name": "support", "model": "support-2", "base_url": served.url}
    common = {"target": target, "runner": runner, "shard_cases": 10, "max_retries": 0, "concurrency": 2}
    project.params("execute", **common | changes)


def environ(api: str) -> dict[str, str]:
    """Return the environment of a run, with the server that it reports to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DASK_", "RAY_"))}
    return kept | {"PYTHONPATH": str(ROOT)} | ({"PREFECT_API_URL": api} if api else {})


def started(api: str, script: str = SPREAD) -> subprocess.Popen[str]:
    """Start a run in the current folder."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", script], env=environ(api), **pipes)


def ended(run: subprocess.Popen[str], code: int = 0) -> tuple[dict[str, Any], list[str]]:
    """Wait for a run; return what its calls came to, and what it said beside its progress."""
    said, complained = run.communicate(timeout=110)
    assert run.returncode == code, complained
    assert "Traceback" not in complained
    rest = [line for line in complained.splitlines() if not line.startswith("execute: ")]
    return (json.loads(said) if said else {}), rest


def spawned(run: subprocess.Popen[str]) -> list[int]:
    """Return the processes that a run has started as workers."""

    def parent(number: str) -> int:
        try:
            return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def words(number: str) -> bytes:
        try:
            return Path(f"/proc/{number}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return b""

    numbers = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(one) for one in numbers if parent(one) == run.pid and b"spawn_main" in words(one)]


def wait_for(what: Callable[[], Any], run: subprocess.Popen[str] | None = None, seconds: float = 60) -> Any:
    """Return the first true answer, or fail."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (run is None or run.poll() is None):
        if found := what():
            return found
        time.sleep(0.01)
    return pytest.fail(f"nothing came within {seconds} s")


def table() -> bytes:
    """Return the table of responses as it lies on the disk."""
    return RESPONSES.file().read_bytes()


def test_two_workers_of_ray_answer_as_one_process(project: Project, now: datetime, api: str) -> None:
    """Two workers at the same time, each case asked once; the table is the one that `threads` writes, byte for byte."""
    pytest.importorskip("prefect_ray")
    with serving(answer) as served:
        point(project, served, "ray")
        tally, said = ended(started(api))
        assert (tally["asked"], tally["requests"], len(served.asked), served.peak) == (COUNT, COUNT, COUNT, 2)
        assert said == []
        apart = table()
        assert execute.run(now).known == COUNT
    assert table() == apart


def test_dask_goes_on_without_a_killed_worker(project: Project, now: datetime, api: str) -> None:
    """One of Dask's two workers is killed: the run ends all the same, and only what was in flight is asked again."""
    pytest.importorskip("prefect_dask")
    with serving(answer) as served:
        point(project, served, "dask")
        run = started(api)
        wait_for(lambda: len(served.asked) >= COUNT // 3, run)
        os.kill(spawned(run)[0], signal.SIGKILL)
        tally, said = ended(run)
        assert said == []
        assert tally["asked"] + tally["known"] == COUNT
        assert COUNT <= len(served.asked) <= COUNT + 2
        assert served.peak == 2
        apart = table()
        assert execute.run(now).known == COUNT
    assert table() == apart


def test_a_killed_process_costs_what_was_in_flight(project: Project, now: datetime, api: str) -> None:
    """A worker process is killed: one sentence, exit code 2; run again, only what is missing is asked."""
    with serving(answer) as served:
        point(project, served, "processes")
        run = started(api)
        wait_for(lambda: len(served.asked) >= COUNT // 3, run)
        os.kill(spawned(run)[0], signal.SIGKILL)
        _, said = ended(run, code=2)
        (sentence,) = [line for line in said if line.startswith("assay: ")]
        assert "a worker died (BrokenProcessPool)" in sentence
        assert not RESPONSES.exists()
        before = len(served.asked)
        assert before < COUNT
        assert execute.run(now).known >= before - 2
        assert COUNT <= len(served.asked) <= COUNT + 2
        assert served.peak == 2


def test_a_terminated_run_ends_with_its_workers(project: Project, api: str) -> None:
    """SIGTERM ends a run of several processes with the signal's exit code, and its workers with it."""
    with serving(answer) as served:
        point(project, served, "processes")
        run = started(api)
        wait_for(lambda: len(served.asked) >= COUNT // 3, run)
        workers = spawned(run)
        assert len(workers) == 2
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
        assert run.returncode == 143
        wait_for(lambda: not any(map(is_there, workers)), seconds=10)


def is_there(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def elsewhere(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], tuple[str, list[Path]]]]:
    """A Dask cluster that runs already: its two workers stand in copies of the project, as on machines of their own."""
    pytest.importorskip("prefect_dask")
    there = tmp_path_factory.mktemp("cluster")
    with ExitStack() as running:

        def start(folder: Path, *words: str) -> None:
            command = [
                sys.executable,
                "-m",
                *words,
                "--scheduler-file",
                str(there / "scheduler.json"),
                "--no-dashboard",
            ]
            log = running.enter_context((there / "log").open("a"))
            process = subprocess.Popen(command, cwd=folder, env=environ(""), stdout=log, stderr=log)
            running.callback(process.wait)
            running.callback(process.terminate)

        def cluster() -> tuple[str, list[Path]]:
            start(there, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0")
            folders = [shutil.copytree(project.folder, there / name) for name in ("one", "two")]
            for folder in folders:
                start(folder, "distributed.cli.dask_worker", "--nthreads", "1", "--host", "127.0.0.1", "--no-nanny")
            file = there / "scheduler.json"
            wait_for(lambda: file.is_file() and file.read_text().endswith("\n}"))  # Dask writes it in place
            return json.loads(file.read_text())["address"], folders

        yield cluster


def test_workers_of_a_cluster_that_runs_already(
    project: Project, now: datetime, api: str, elsewhere: Callable[[], tuple[str, list[Path]]], tmp_path: Path
) -> None:
    """Workers elsewhere, each with its own journal, file where all can read; afterwards this journal knows it all."""
    with serving(answer) as served:
        parts = f"file://{tmp_path}-parts"
        point(project, served, "dask", runner_address="tcp://127.0.0.1:1", parts=parts)
        read_params("execute", execute.Settings)
        address, folders = elsewhere()
        for folder in (project.folder, *folders):
            Project(folder).params("execute", runner_address=address)
        tally, said = ended(started(api))
        assert (tally["asked"], said, served.peak) == (COUNT, [], 2)
        assert all((folder / ".assay/journal.sqlite").is_file() for folder in folders)
        apart = table()
        assert execute.run(now).known == COUNT
        assert table() == apart


def test_a_wrong_key_ends_it_once(project: Project, api: str) -> None:
    """What no call can mend is one sentence and exit code 2, and the shards that wait are not begun."""
    with serving(lambda _: failure(401, "no such key")) as served:
        point(project, served, "processes")
        _, (sentence,) = ended(started(api), code=2)
        assert "refused the key" in sentence
        assert len(served.asked) <= 2 * 2
    assert not RESPONSES.exists()


@pytest.mark.parametrize(
    ("address", "found"),
    [(None, "PREFECT_API_URL names none: start one with `assay serve`"), ("http://127.0.0.1:9/api", "does not answer")],
)
def test_without_a_server_it_is_refused(project: Project, now: datetime, address: str | None, found: str) -> None:
    """Neither three temporary servers nor a traceback: the sentence says how to start one, and nothing is asked."""
    with serving(answer) as served, temporary_settings({PREFECT_API_URL: address}):
        point(project, served, "processes")
        with pytest.raises(AssayError, match=found):
            distribute.spread(read_params("execute", execute.Settings), begun(datetime(2026, 11, 2, tzinfo=UTC)), None)
        assert served.asked == []


@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_a_missing_package_is_named(project: Project, monkeypatch: pytest.MonkeyPatch, runner: str) -> None:
    """Where the runner's package is not installed, the sentence says what to install."""
    monkeypatch.setitem(sys.modules, f"prefect_{runner}", None)
    project.params("execute", runner=runner)
    with pytest.raises(
        ConfigError, match=rf'prefect_{runner} is not installed: `pip install "assay-pipeline\[{runner}\]"`'
    ):
        distribute.spread(read_params("execute", execute.Settings), begun(datetime(2026, 11, 2, tzinfo=UTC)), None)


STAGE = "from flows.stage import stage; from assay.project.entrypoint import run; run(lambda: stage.fn('execute'))"


def test_the_sample_product_is_recorded(tmp_path: Path, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, each with a sample product of its own, answer as one process does, and DVC has it on record."""
    sample = clone(tmp_path)
    monkeypatch.chdir(sample.folder)
    CASES.write([case(number, "escalation") for number in range(COUNT)])
    Project(sample.folder).params("execute", runner="processes", shard_cases=20)
    _, said = ended(started(api, STAGE))
    assert said == []
    found = RESPONSES.read()
    assert ([one.case_id for one in found], {one.status for one in found}) == (
        [case(number, "escalation").case_id for number in range(COUNT)],
        {"ok"},
    )
    assert "up to date" in sample.run("dvc", "status", "execute").stdout
    later = datetime.fromisoformat(found[0].epoch).replace(tzinfo=UTC)
    assert execute.run(later).known == COUNT
    assert RESPONSES.read() == [one.model_copy(update={"run": begun(later).id}) for one in found]
