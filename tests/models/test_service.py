"""The service: a product is started for the length of a run, and nothing of it is left behind."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.errors import EndpointError
from assay.models.process import running
from tests.endpoint import completion, serving

SERVER = """
import http.server, pathlib, subprocess, sys, os, signal
port, folder, how = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
ignore = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", ignore], stdout=subprocess.PIPE)
child.stdout.readline()
(folder / "pids").write_text(f"{os.getpid()} {child.pid}")
if how == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.HTTPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def command(folder: Path, how: str = "plain") -> list[str]:
    """Return a command that serves on the port, with a child that does not listen to SIGTERM."""
    return ["python", "-c", SERVER, "{port}", str(folder), how]


def alive(folder: Path) -> list[int]:
    """Return which of the server and its child still run, zombies left out."""
    found = []
    for pid in map(int, (folder / "pids").read_text().split()):
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
            found.append(pid)
    return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second of grace instead of five."""
    monkeypatch.setattr("assay.models.process.GRACE_S", 0.5)


@pytest.mark.parametrize("how", ["plain", "stubborn"])
def test_the_whole_group_is_stopped(tmp_path: Path, quick: None, how: str) -> None:
    """While the block runs the server answers; afterwards neither it nor a deaf child is left."""
    with running("http://127.0.0.1:{port}/v1", command(tmp_path, how)) as address:
        port = int(re.fullmatch(r"http://127.0.0.1:(\d+)/v1", address)[1])  # type: ignore[index]
        socket.create_connection(("127.0.0.1", port)).close()
        assert len(alive(tmp_path)) == 2
    assert alive(tmp_path) == []


def test_it_is_stopped_when_the_block_raises(tmp_path: Path, quick: None) -> None:
    """An error inside the block passes through, and nothing is left running."""
    with pytest.raises(ZeroDivisionError), running("http://127.0.0.1:{port}/v1", command(tmp_path)):
        _ = 1 // 0
    assert alive(tmp_path) == []


def test_a_leader_that_died_leaves_nobody(tmp_path: Path, quick: None) -> None:
    """When the server itself is killed during the run, its children are ended all the same."""
    with running("http://127.0.0.1:{port}/v1", command(tmp_path)):
        leader = int((tmp_path / "pids").read_text().split()[0])
        os.kill(leader, 9)
        time.sleep(0.1)
    assert alive(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("print('a'); raise SystemExit('no module named pantry')", "exit code 1, .*: no module named pantry$"),
        ("print('last\\n\\n  \\n')", "exit code 0, .*: last$"),
        ("pass", "exit code 0, .*: it printed nothing$"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe' * 100_000)", "exit code 0, .{,600}$"),
    ],
)
def test_a_command_that_dies_is_quoted(code: str, found: str) -> None:
    """The text names the exit code and the last line that was printed, however long or odd."""
    with pytest.raises(EndpointError, match=found), running("http://127.0.0.1:{port}/v1", ["python", "-c", code]):
        pass


def test_a_silent_command_is_given_up(tmp_path: Path) -> None:
    """A server that never answers is ended after its patience, and says so."""
    code = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
    start = ["python", "-c", code, str(tmp_path / "pids")]
    before = time.monotonic()
    with (
        pytest.raises(EndpointError, match="is silent after 0.5 s"),
        running("http://127.0.0.1:{port}/v1", start, patience_s=0.5),
    ):
        pass
    assert time.monotonic() - before < 10
    assert alive(tmp_path) == []


def test_a_missing_program_is_one_sentence() -> None:
    """A command that does not exist is named."""
    with (
        pytest.raises(EndpointError, match=r"`no-such-program` cannot be started \(No such file.*correct `start`"),
        running("http://127.0.0.1:{port}/v1", ["no-such-program"]),
    ):
        pass


def test_a_taken_port_is_refused() -> None:
    """Where another program answers already nothing is started: it would be evaluated in the product's place."""
    with (
        serving(lambda _: completion("I am somebody else")) as served,
        pytest.raises(EndpointError, match="answers already"),
        running(served.url, ["python", "-c", "pass"]),
    ):
        pass


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:port/v1"])
def test_an_address_that_is_none(url: str) -> None:
    """What is no address is refused in one sentence."""
    with pytest.raises(EndpointError, match="base_url is .*expected one like"), running(url, ["python", "-c", "pass"]):
        pass


def test_what_speaks_no_http_is_not_taken_for_it() -> None:
    """A server that greets with something else is given up, not taken for ready, and no raw error comes out."""
    code = (
        "import socket, sys; server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "while True: connection = server.accept()[0]; connection.sendall(b'SSH-2.0\\r\\n\\r\\n'); connection.close()"
    )
    with (
        pytest.raises(EndpointError, match="is silent after 1 s"),
        running("http://127.0.0.1:{port}/v1", ["python", "-c", code, "{port}"], patience_s=1),
    ):
        pass


def test_a_running_product_is_left_alone() -> None:
    """Without a command nothing is started, contacted or changed."""
    with running("http://somewhere.example/v1", []) as address:
        assert address == "http://somewhere.example/v1"


def test_an_interrupted_run_leaves_nobody(tmp_path: Path) -> None:
    """Ctrl-C during the run ends what it had started."""
    code = (
        "import signal, sys, time; from assay.models import process; process.GRACE_S = 0.5\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in a shell's background\n"
        "with process.running('http://127.0.0.1:{port}/v1', sys.argv[1:]):\n"
        "    print('up', flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", code, *command(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout
        assert run.stdout.readline() == b"up\n"
        run.send_signal(2)
        run.wait(30)
    assert alive(tmp_path) == []
