"""Start a product or a model for the length of a run, as Playwright's `webServer` does, and stop it again.

It ends with the process that started it, whatever ends that one: a supervisor (assay/models/supervisor.py) sees to it.
"""

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from assay.errors import EndpointError
from assay.models import orphans, supervisor

PORT = "{port}"
GRACE_S = 5
"""How long a process may take to end after it was asked to."""
BURIAL_S = 5
"""How much longer its supervisor may take than that."""
SHOWN = 300
"""Characters of what a command printed that a sentence may hold."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class CannotStartError(Exception):
    """A command cannot be started; the text says why, in the system's words."""


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
    purpose = orphans.purpose(address, folder)
    if not port:
        orphans.end(purpose, GRACE_S)
    if _answers(address):
        raise EndpointError(
            f"{address} answers already{orphans.holder(address)}, expected a free port for `{' '.join(command)}`: "
            "stop that program"
        )
    with tempfile.TemporaryFile() as output:
        try:
            with supervised(command, folder=folder, environ=orphans.mark(purpose), output=output) as process:

                def ready() -> str:
                    _await(process, address, command, output, patience_s)
                    return address

                yield ready
        except CannotStartError as error:
            raise EndpointError(f"`{' '.join(command)}` cannot be started ({error}): correct `start`") from error


@contextmanager
def supervised(
    command: Sequence[str],
    *,
    folder: str = ".",
    environ: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
    grace_s: float | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command for the length of the block, and end it with all that it started, or with this process.

    Yield its supervisor, which ends as the command does.

    Args:
        command: The program and its arguments.
        folder: Where it is started.
        environ: Variables beside those of this process.
        output: Where it prints; this process's own standard output and error where left out.
        grace_s: How long it may take to end after it was asked to.

    Raises:
        CannotStartError: It cannot be started.
    """
    patience_s = GRACE_S if grace_s is None else grace_s
    words = [sys.executable, "-I", "-S", supervisor.__file__, str(patience_s), *command]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=os.environ | (environ or {}),
                stdin=theirs.fileno(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotStartError(error.strerror) from error
        group = 0
        try:
            theirs.close()
            group = _group(ours)
            yield process
        finally:
            ours.close()
            _bury(process, group, patience_s)


def _group(lifeline: socket.socket) -> int:
    """Return the process group that a supervisor has started."""
    with lifeline.makefile("rb", buffering=0) as said:
        number = int(said.readline() or 0)
    if number <= 0:
        raise CannotStartError(os.strerror(-number) if number else "its supervisor was killed")
    return number


def _bury(process: subprocess.Popen[bytes], group: int, patience_s: float) -> None:
    """Wait until a supervisor has ended what it started; where it was killed, that is ended by force."""
    try:
        process.wait(patience_s + supervisor.REAPED_S + BURIAL_S)
    except subprocess.TimeoutExpired:
        process.kill()
    if process.wait() < 0 and group:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


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
