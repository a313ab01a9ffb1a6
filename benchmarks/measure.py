"""One job in a process of its own, with everything that it cost: seconds, CPU seconds, memory."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
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
def project(url: str, count: int, concurrency: int) -> Iterator[Path]:
    """Make a project meanwhile, in a process of its own: what this one has imported would count as the job's memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.project", folder, url, str(count), str(concurrency)]
        subprocess.run(command, check=True, env=environment())
        yield Path(folder)


def run(way: str, url: str, count: int, concurrency: int, folder: Path = ROOT) -> Cost:
    """Run one way of the job.

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, "-m", "benchmarks.jobs", way, url, str(count), str(concurrency)]
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=said, stderr=said)
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
