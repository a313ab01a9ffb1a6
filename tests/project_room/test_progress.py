"""Progress: a line says how far, how fast, what it cost and what failed; a log gets ten of them, whatever the size."""

import pytest

from assay.models.engine import Done
from assay.project.progress import Course, progress

KNOWN, ASKED = Done(is_known=True), Done(is_known=False)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_line_says_all_that_is_known() -> None:
    """Done of total, seconds left, calls a second, dollars, and the faults by kind; known answers are no speed."""
    clock = Clock()
    course = Course("execute", 3_000, clock)
    for _ in range(500):
        course.count(KNOWN)
    for number in range(1_000):
        fault = {3: "timeout", 5: "server", 6: "server"}.get(number, "")
        course.count(Done(is_known=False, fault=fault, cost_usd=0.002))
    clock.now += 10
    assert course.line() == "execute: 1,500 of 3,000, 10 s left, 100/s, $2.00, 2 server, 1 timeout"


def test_a_line_leaves_out_what_is_not() -> None:
    """Nothing of speed before the first answer, of money without a price, of faults without one."""
    assert Course("judge", 10, Clock()).line() == "judge: 0 of 10"
    assert Course("judge", 0, Clock()).line() == "judge: 0 of 0"


@pytest.mark.parametrize("total", [1, 3, 10, 997])
def test_a_log_gets_at_most_ten_lines(total: int, capsys: pytest.CaptureFixture[str]) -> None:
    """However many calls there are, the last line says that all are done, and there are ten at most."""
    with progress("judge", total) as step:
        for _ in range(total):
            step(ASKED)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == min(total, 10)
    assert lines[-1].startswith(f"judge: {total:,} of {total:,}")


def test_nothing_to_do_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A stage without calls says nothing and divides by nothing."""
    with progress("judge", 0):
        pass
    assert capsys.readouterr().err == ""
