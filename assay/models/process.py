"""Start a product or a model for the length of a run, as Playwright's `webServer` does, and stop it again."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from assay.errors import EndpointError

PORT = "{port}"
NO_SIGNAL = 0
GRACE_S = 5
"""How long a process may take to end after it was asked to."""
REAPED_S = 1
"""How long the system may take to bury what was killed; a container without an init never does."""
SHOWN = 300
"""Characters of what a command printed that a sentence may hold."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def running(base_url: str, start: Sequence[str], *, folder: str = ".", patience_s: float = 60) -> Iterator[str]:
    """Yield the address of an endpoint that answers.

    Args:
        base_url: Its address; `{port}` in it stands for a free port.
        start: The command that starts it on that port, `{port}` and `python` replaced; empty when it runs already.
        folder: Where it is started.
        patience_s: How long it may take until `/models` answers.

    Raises:
        EndpointError: It does not answer, or another program does already; the text has the end of what it printed.
    """
    if not start:
        yield base_url
        return
    with starting(base_url, start, folder=folder, patience_s=patience_s) as address:
        yield address()


@contextmanager
def starting(
    base_url: str, start: Sequence[str], *, folder: str = ".", patience_s: float = 60
) -> Iterator[Callable[[], str]]:
    """Start an endpoint and yield at once a function that waits until it answers and returns its address.

    Raises:
        EndpointError: As for `running`; the function raises it too.
    """
    port = str(_free_port()) if PORT in base_url else ""
    address = base_url.replace(PORT, port)
    command = [sys.executable if part == "python" else part.replace(PORT, port) for part in start]
    if _answers(address):
        raise EndpointError(
            f"{address} answers already, expected a free port for `{' '.join(command)}`: stop that program"
        )
    with tempfile.TemporaryFile() as output:
        process = _started(command, output, folder)

        def ready() -> str:
            _await(process, address, command, output, patience_s)
            return address

        try:
            yield ready
        finally:
            _stop(process)


def _started(command: list[str], output: IO[bytes], folder: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        raise EndpointError(f"`{' '.join(command)}` cannot be started ({error.strerror}): correct `start`") from error


def _await(
    process: subprocess.Popen[bytes], address: str, command: list[str], output: IO[bytes], patience_s: float
) -> None:
    deadline = time.monotonic() + patience_s
    while not _answers(address):
        if process.poll() is not None or time.monotonic() > deadline:
            output.seek(0)
            said = output.read().decode(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(said) if line.strip()), "it printed nothing")
            why = (
                f"ended with exit code {process.returncode}"
                if process.poll() is not None
                else f"is silent after {patience_s:g} s"
            )
            raise EndpointError(f"`{' '.join(command)}` {why}, expected it to serve {address}: {last[:SHOWN]}")
        time.sleep(0.05)


def _answers(address: str) -> bool:
    """Tell whether anything speaks HTTP there, asked without a proxy; a refused key is an answer too."""
    try:
        with _DIRECT.open(f"{address}/models", timeout=2):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except (ValueError, http.client.InvalidURL) as error:
        found = repr(address[:SHOWN])
        raise EndpointError(f"base_url is {found}, expected one like http://127.0.0.1:{PORT}/v1: correct it") from error
    except (OSError, http.client.HTTPException):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group: first a word, then by force, also what its leader left behind."""
    for sign, patience_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, REAPED_S)):
        deadline = time.monotonic() + patience_s
        _tell(process, sign)
        while _tell(process, NO_SIGNAL) and time.monotonic() < deadline:
            time.sleep(0.01)
    process.wait()


def _tell(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to the group; return whether anybody was left in it. The leader is reaped on the way."""
    process.poll()
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
