"""Supervisor of a command that somebody else wrote: `python supervisor.py GRACE_S COMMAND...`, ended with its parent.

Its standard input is one end of a socket whose other end the parent holds. First it says there which process group the
command got, or why it could not be started. When the other end closes, because the parent let go or because it is gone,
killed outright too, the command's whole group is ended: first a word, then by force. Signals are passed on to the
group, and the exit code is the command's own. It imports nothing of this package, so that it is there at once and needs
no path.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

STARTED_BY = "ASSAY_STARTED_BY"
"""Variable of a command's environment: the process and the purpose that it was started by, and the supervisor's id."""
NO_SIGNAL = 0
REAPED_S = 1
"""How long the system may take to bury what was killed; a container without an init never does."""
PASSED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""Python ignores them, and a command would inherit that."""
CANNOT_START = 127
KILLED = 128
"""As shells have it: added to the signal that ended a command."""
LIFELINE = 0


class Group:
    """A command in a process group of its own; its leader is reaped on the way."""

    def __init__(self, leader: int) -> None:
        """Describe it."""
        self._leader = leader
        self.code: int | None = None
        """Its leader's exit code, once it has ended."""

    def tell(self, number: int) -> bool:
        """Send a signal to the group; return whether anybody was left in it."""
        self.reap()
        try:
            os.killpg(self._leader, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def reap(self) -> None:
        """Note the exit code of a leader that has ended."""
        if self.code is None:
            ended, status = os.waitpid(self._leader, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else KILLED - code

    def end(self, grace_s: float) -> None:
        """End the group, also what its leader left behind."""
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, REAPED_S)):
            deadline = time.monotonic() + patience_s
            self.tell(number)
            while self.tell(NO_SIGNAL) and time.monotonic() < deadline:
                time.sleep(0.01)


def main(grace_s: float, command: Sequence[str]) -> int:
    """Run the command until it ends or the parent is gone; return its exit code.

    Args:
        grace_s: How long it may take to end after it was asked to.
        command: The program, found as a shell finds it, and its arguments.
    """
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    for number in (signal.SIGCHLD, *PASSED_ON):
        signal.signal(number, lambda *_: None)  # each is read from the pipe, in its turn
    try:
        leader = _spawned(command)
    except OSError as error:
        _say(-(error.errno or 1))
        return CANNOT_START
    group = Group(leader)
    _say(leader)
    _watch(group, woken)
    group.end(grace_s)
    return KILLED + signal.SIGKILL if group.code is None else group.code


def _say(number: int) -> None:
    """Tell the parent a number; where it is gone already, there is nobody to tell, and the watch sees that too."""
    with suppress(ConnectionError):
        os.write(LIFELINE, f"{number}\n".encode())


def _spawned(command: Sequence[str]) -> int:
    """Start the command in a group of its own, with no input; return its process id."""
    environ = dict(os.environ)
    if STARTED_BY in environ:
        environ[STARTED_BY] += f" {os.getpid()}"
    nothing = [(os.POSIX_SPAWN_OPEN, LIFELINE, os.devnull, os.O_RDONLY, 0)]
    return os.posix_spawnp(command[0], list(command), environ, file_actions=nothing, setpgroup=0, setsigdef=RESTORED)


def _watch(group: Group, woken: int) -> None:
    """Pass signals on until the leader has ended or the parent is gone."""
    while group.code is None:
        ready = select.select([LIFELINE, woken], [], [])[0]
        if LIFELINE in ready and not os.read(LIFELINE, 1):
            return
        if woken in ready:
            for number in os.read(woken, 64):
                group.tell(number if number in PASSED_ON else NO_SIGNAL)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
