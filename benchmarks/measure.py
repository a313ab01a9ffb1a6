"""One job in a process of its own, with everything that it cost: seconds, CPU seconds, memory."""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Cost(NamedTuple):
    """What a process cost: wall and CPU seconds (user and system), peak memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


class Served(NamedTuple):
    """A loopback endpoint."""

    url: str
    process: subprocess.Popen[str]

    def first_request(self) -> float:
        """Return when the first request came, by `time.monotonic`."""
        assert self.process.stdout  # noqa: S101 - asked for when it was started
        return float(self.process.stdout.readline())


@contextmanager
def serving(latency_s: float) -> Iterator[Served]:
    """Serve benchmarks.endpoint meanwhile."""
    command = [sys.executable, "-m", "benchmarks.endpoint", str(latency_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout  # noqa: S101 - asked for above
        try:
            yield Served(f"http://127.0.0.1:{process.stdout.readline().strip()}/v1", process)
        finally:
            process.terminate()


def environment() -> dict[str, str]:
    """Return what every job is started with: this checkout's modules, compiled once, and a key that is none."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiled = str(Path(tempfile.gettempdir()) / "assay-benchmarks-compiled")
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": compiled, "OPENAI_API_KEY": "none"}


@contextmanager
def project(url: str, count: int, concurrency: int, *more: str) -> Iterator[Path]:
    """Make a project meanwhile, in a process of its own: what this one has imported would count as the job's memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.project", folder, url, str(count), str(concurrency), *more]
        subprocess.run(command, check=True, env=environment())
        yield Path(folder)


@contextmanager
def prefect() -> Iterator[str]:
    """Run a Prefect server meanwhile; yield the address of its API."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as said:
        quiet = environment() | {"PREFECT_HOME": home, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        with subprocess.Popen(command, env=quiet, stdout=said, stderr=said) as process:
            try:
                _await(f"http://127.0.0.1:{port}/api/health")
                yield f"http://127.0.0.1:{port}/api"
            finally:
                process.terminate()


def _await(address: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=2).close()  # noqa: S310 - our own loopback address
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"{address} does not answer")


def run(way: str, url: str, count: int, concurrency: int, folder: Path = ROOT, **variables: str) -> Cost:
    """Run one way of the job, with some more variables of the environment.

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, "-m", "benchmarks.jobs", way, url, str(count), str(concurrency)]
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment() | variables, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{way} failed: {said.read().decode(errors='replace')[-2000:]}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(*(round(statistics.median(figures), 3) for figures in zip(*costs, strict=True)))
