"""`assay serve` and `assay desk` as processes of their own, which a test may kill and start again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from tests.flows.sample import Sample

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
SHOTS = os.environ.get("ASSAY_SCREENSHOTS", "")
"""A folder that keeps what the browser saw; empty for none."""
DEPLOYMENTS = 7
QUICK = {"PREFECT_RUNNER_POLL_FREQUENCY": "2"}
"""A runner that looks for work every two seconds."""


class Api:
    """Prefect's API as a program of ours may use it: with the token against cross-site writes."""

    def __init__(self, address: str) -> None:
        """Ask for a token."""
        self.address, client = address, str(uuid.uuid4())
        token = httpx.get(f"{address}/api/csrf-token", params={"client": client}).json()["token"]
        self._headers = {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client}

    def post(self, path: str, **body: Any) -> Any:
        """Return the answer to a POST; asked again, as Prefect's own client does, while the database is locked."""
        for _ in range(20):
            answer = httpx.post(f"{self.address}/api/{path}", json=body, headers=self._headers, timeout=30)
            if answer.status_code != 503:
                break
            time.sleep(0.5)
        answer.raise_for_status()
        return answer.json()

    def run(self, flow: str) -> dict[str, Any]:
        """Return the newest run of a flow that is not waiting for its schedule."""
        runs = self.post("flow_runs/filter", flows={"name": {"any_": [flow]}}, sort="EXPECTED_START_TIME_DESC")
        return next((run for run in runs if run["state_type"] != "SCHEDULED" or not run["auto_scheduled"]), {})

    def start(self, flow: str) -> str:
        """Start the deployment of a flow; return the run's id."""
        (of,) = self.post("deployments/filter", flows={"name": {"any_": [flow]}})
        return str(self.post(f"deployments/{of['id']}/create_flow_run")["id"])

    def state(self, run: str) -> str:
        """Return the name of a run's state."""
        return str(self.found(run)["state_name"])

    def found(self, run: str) -> dict[str, Any]:
        """Return a run by its id."""
        (found,) = self.post("flow_runs/filter", flow_runs={"id": {"any_": [run]}})
        return dict(found)

    def ended(self, run: str, seconds: float = 240) -> tuple[str, str]:
        """Wait until a run has ended; return type and name of its state."""
        deadline = time.monotonic() + seconds
        while (found := self.found(run))["state_type"] not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            assert time.monotonic() < deadline, f"still {found['state_name']} after {seconds} s"
            time.sleep(0.3)
        return str(found["state_type"]), str(found["state_name"])


def wait_for(what: Callable[[], Any], seconds: float) -> Any:
    """Return the first true answer, or fail."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.3)
    return pytest.fail(f"nothing came within {seconds} s")


def submit(page: Page, press: Callable[[], None]) -> str:
    """Press what starts a run until the server takes it; return the run's id.

    The page asks once: where the database is locked at that moment it shows an error, and a person presses again.
    """
    for _ in range(20):
        with page.expect_response(lambda answer: answer.url.endswith("/create_flow_run")) as asked:
            press()
        if asked.value.status != 503:
            assert asked.value.ok, asked.value.text()
            return str(asked.value.json()["id"])
        page.wait_for_timeout(500)
    return pytest.fail("the server took no run")


def shoot(page: Page, name: str) -> None:
    """Keep what the browser shows, where somebody wants to see it."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Running:
    """A command of ours on a port, until it is stopped."""

    def __init__(self, sample: Sample, log: Path, command: str) -> None:
        """Choose a port."""
        self.sample, self.port, self._log, self._command = sample, free_port(), log, command
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, ready: str) -> None:
        """Start it, and wait until a page answers."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "PREFECT_"))}
        environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
        words = [sys.executable, "-m", "assay.cli.main", self._command, "--port", str(self.port)]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                words, cwd=self.sample.folder, env=environ | QUICK, stdout=log, stderr=log, start_new_session=True
            )

        def is_up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self._log.read_text()
            try:
                return httpx.get(f"{self.address}{ready}").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(is_up, 120)

    def kill(self) -> None:
        """Kill it at once, and wait until nobody answers in its place: its server ends a moment later, by itself."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not self._answers(), 60)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class Served(Running):
    """`assay serve` on a project."""

    def __init__(self, sample: Sample, log: Path) -> None:
        """Choose a port."""
        super().__init__(sample, log, "serve")

    def start(self) -> None:
        """Start the server, and wait until all deployments are there."""
        self.launch("/api/health")
        wait_for(lambda: len(self.api().post("deployments/filter")) == DEPLOYMENTS, 60)

    def api(self) -> Api:
        """Return the server's API."""
        return Api(self.address)


class Seated(Running):
    """`assay desk` on a project, with people who were invited."""

    def __init__(self, sample: Sample, log: Path) -> None:
        """Choose a port."""
        super().__init__(sample, log, "desk")

    def invite(self, name: str, *words: str) -> str:
        """Return somebody's token."""
        return self.sample.run("assay.cli.main", "desk", "--invite", name, *words).stdout.split()[-1]

    def start(self) -> None:
        """Start the desk."""
        self.launch("/sign-in")
