"""What a run starts ends with the run, whatever ends that one: real processes, killed at random moments."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from assay.errors import EndpointError
from assay.models import process, supervisor
from tests.layout import ROOT

KILLS = int(os.environ.get("ASSAY_KILLS", "3"))
"""How often a run is killed; 20 takes a minute."""
SEED = 20261130
GONE_S = 20
"""How long a busy machine may take to end all; an idle one takes less than two, half of it to bury the dead. What was
killed while it loaded ends once it has loaded."""
SERVER = """
import http.server, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
PRODUCT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

def answer(messages):
    time.sleep(600)
"""
RUN = """
import asyncio, signal, sys
from pathlib import Path
from assay.models import process
from assay.project.entrypoint import run
from assay.targets.product_code import ProductSource
from assay.targets.workers import Workers

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background
process.GRACE_S = 0.3
port, folder = sys.argv[1:]

async def ask():
    workers = Workers(ProductSource("sold:answer", folder), processes=2, deadline_s=600, max_bytes=1000)
    try:
        await workers.open()
        asked = [asyncio.ensure_future(workers.call([], {})) for _ in range(2)]
        print("up", flush=True)
        await asyncio.gather(*asked)
    finally:
        Path(folder, "ended").touch()
        await workers.close()

def main():
    start = ["python", f"{folder}/server.py", port]
    with process.running(f"http://127.0.0.1:{port}/v1", start, folder=folder):
        asyncio.run(ask())

run(main)
"""


class Runs:
    """Runs of one project on one fixed port; every process that they leave carries their tag."""

    def __init__(self, folder: Path) -> None:
        """Write the server and the product, and choose a port."""
        (folder / "server.py").write_text(SERVER)
        (folder / "sold.py").write_text(PRODUCT)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.folder, self._tag = folder, uuid.uuid4().hex

    @property
    def start(self) -> list[str]:
        """Return the command of the model server."""
        return ["python", str(self.folder / "server.py"), str(self.port)]

    @property
    def address(self) -> str:
        """Return where the model server answers."""
        return f"http://127.0.0.1:{self.port}/v1"

    def begin(self, *, until: str = "") -> "subprocess.Popen[str]":
        """Start a run; wait until it says so."""
        words = [sys.executable, "-c", RUN, str(self.port), str(self.folder)]
        run = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True, env=os.environ | {"TAG": self._tag})
        if until:
            assert run.stdout
            assert run.stdout.readline().strip() == until
        return run

    def left(self) -> list[psutil.Process]:
        """Return what still runs of all runs, what nobody has buried yet left out."""
        return [one for one in psutil.process_iter() if self._is_ours(one)]

    def _is_ours(self, one: psutil.Process) -> bool:
        try:
            return one.environ().get("TAG") == self._tag and one.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def named(self, words: str) -> list[psutil.Process]:
        """Return those whose command line has these words."""
        return [one for one in self.left() if words in " ".join(one.cmdline())]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """Runs of a project; whatever a broken promise leaves behind is ended."""
    made = Runs(tmp_path)
    yield made
    for one in made.left():
        one.kill()


def within(seconds: float, what: Callable[[], object]) -> bool:
    """Tell whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(what())


def ended(run: "subprocess.Popen[str]", number: signal.Signals) -> int:
    """Send a signal to a run; return its exit code."""
    run.send_signal(number)
    with run:
        return run.wait(30)


def test_a_killed_run_leaves_nobody(runs: Runs) -> None:
    """Killed outright at any moment, a run leaves neither server nor product, and the next one gets the fixed port."""
    rng = random.Random(SEED)
    for _ in range(KILLS):
        run = runs.begin()
        time.sleep(rng.uniform(0.3, 1.7))
        assert ended(run, signal.SIGKILL) == -signal.SIGKILL
        assert within(GONE_S, lambda: not runs.left()), runs.left()
    run = runs.begin(until="up")
    assert len(runs.named(runs.start[1])) == 2  # and its supervisor
    assert ended(run, signal.SIGKILL) == -signal.SIGKILL
    assert within(GONE_S, lambda: not runs.left()), runs.left()


def test_a_terminated_run_leaves_nobody(runs: Runs) -> None:
    """Terminated at any moment, a run ends with what it has started."""
    rng = random.Random(SEED)
    for _ in range(max(KILLS // 4, 1)):
        run = runs.begin()
        time.sleep(rng.uniform(0.5, 1.5))
        assert ended(run, signal.SIGTERM) in (143, -signal.SIGTERM)  # the second, before it was begun
        assert within(GONE_S, lambda: not runs.left()), runs.left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_cleans_up(runs: Runs, number: signal.Signals) -> None:
    """SIGTERM ends every block of a run as Ctrl-C does, with the signal's own exit code."""
    assert ended(runs.begin(until="up"), number) == {signal.SIGTERM: 143, signal.SIGINT: -signal.SIGINT}[number]
    assert (runs.folder / "ended").exists()
    assert not runs.left()


def test_a_supervisor_whose_parent_is_gone_before_it_speaks_ends_its_command(tmp_path: Path) -> None:
    """A run that was killed while its supervisor was still loading leaves nothing of what that starts."""
    command = [sys.executable, "-c", f"import time; open({str(tmp_path / 'up')!r}, 'w'); time.sleep(600)"]
    ours, theirs = socket.socketpair()
    words = [sys.executable, "-I", "-S", supervisor.__file__, "0.3", *command]
    ours.close()
    with theirs, subprocess.Popen(words, stdin=theirs) as alone:
        alone.wait(30)
    left = [one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(one.info["cmdline"] or ())]
    for one in left:
        one.kill()
    assert (left, alone.returncode) == ([], 128 + signal.SIGTERM)


@pytest.fixture
def orphan(runs: Runs) -> psutil.Process:
    """A model server whose supervisor was killed together with its run."""
    run = runs.begin(until="up")
    os.kill(run.pid, signal.SIGSTOP)
    (supervisor,) = runs.named("supervisor.py")
    supervisor.kill()
    ended(run, signal.SIGKILL)
    assert within(GONE_S, lambda: len(runs.named(runs.start[1])) == 1)  # what was killed is listed until it is dead
    (server,) = runs.named(runs.start[1])
    assert within(GONE_S, lambda: len(runs.left()) == 2)  # it and its child
    return server


def test_an_orphan_gives_the_port_back(runs: Runs, orphan: psutil.Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of ours that nobody could end is ended by the next run of the project, and served anew."""
    monkeypatch.setattr("assay.models.process.GRACE_S", 0.3)
    with process.running(runs.address, runs.start, folder=str(runs.folder)) as address:
        assert address == runs.address
        assert not runs.left()
        socket.create_connection(("127.0.0.1", runs.port)).close()
    with pytest.raises(psutil.NoSuchProcess):
        orphan.status()


def test_another_project_s_orphan_is_named(runs: Runs, orphan: psutil.Process, tmp_path: Path) -> None:
    """What another project has left on the port is left alone; the refusal says which process it is."""
    (tmp_path / "other").mkdir()
    with (
        pytest.raises(EndpointError, match=rf"answers already \(process {orphan.pid}, python"),
        process.running(runs.address, runs.start, folder=str(tmp_path / "other")),
    ):
        pass
    assert orphan.is_running()


def test_a_run_that_lives_keeps_its_server(runs: Runs) -> None:
    """A second run of the same project on the same fixed port is refused, and the first one goes on."""
    run = runs.begin(until="up")
    before = runs.named(runs.start[1])
    with (
        pytest.raises(EndpointError, match="answers already"),
        process.running(runs.address, runs.start, folder=str(runs.folder)),
    ):
        pass
    assert len(before) == 2
    assert runs.named(runs.start[1]) == before
    ended(run, signal.SIGKILL)


def test_a_killed_supervisor_costs_its_group(runs: Runs) -> None:
    """Where the supervisor alone is killed, the end of the block ends what it had started."""
    tag = {"TAG": runs._tag}
    with process.supervised(["sleep", "600"], environ=tag) as supervisor:
        assert within(GONE_S, lambda: len(runs.named("sleep 600")) == 2)  # the supervisor names its command too
        supervisor.kill()
        supervisor.wait()
        assert len(runs.named("sleep 600")) == 1
    assert within(GONE_S, lambda: not runs.left())


TRAP = "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"


@pytest.mark.parametrize(
    ("command", "number", "code"),
    [
        (["sh", "-c", "exit 7"], None, 7),
        (["cat"], None, 0),
        (["sh", "-c", "kill -9 $$"], None, 137),
        (["sh", "-c", TRAP], signal.SIGTERM, 3),
        (["sleep", "600"], signal.SIGINT, 130),
    ],
)
def test_a_supervisor_is_as_good_as_its_command(
    command: Sequence[str], number: signal.Signals | None, code: int, tmp_path: Path
) -> None:
    """Its input is empty, its exit code is handed on, and so are signals."""
    with (tmp_path / "said").open("w+b") as said, process.supervised(command, output=said) as supervisor:
        if number:
            assert command[0] != "sh" or within(5, lambda: (tmp_path / "said").read_text() == "up\n")
            supervisor.send_signal(number)
        assert supervisor.wait(10) == code
