"""Optional parts: what fails is a note, and what has to end a run ends it."""

import pytest

from assay.errors import BudgetError, BusyError, DataError, EndpointError
from assay.records.optional import Guard


def fail(error: BaseException) -> None:
    """Raise this error."""
    raise error


@pytest.mark.parametrize("error", [BudgetError("b"), EndpointError("e"), BusyError("l"), KeyboardInterrupt()])
def test_what_ends_a_run_is_not_hidden(error: BaseException) -> None:
    """A budget that is spent, an endpoint that cannot be asked and an interruption end the run from inside a part."""
    guard = Guard()
    with pytest.raises(type(error)):
        guard.optional("the part", lambda: fail(error), None)
    assert guard.failures == []


@pytest.mark.parametrize("error", [DataError("d"), ZeroDivisionError("z"), RecursionError("r"), OSError(28, "full")])
def test_any_other_error_costs_the_part_alone(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Errors of ours, bugs and the machine's are noted with kind and text, logged, and kept with their traceback."""
    guard = Guard()
    assert guard.optional("the part", lambda: fail(error), 7) == 7
    assert guard.optional("another", lambda: 8, 7) == 8
    (failure,) = guard.failures
    assert str(failure) == f"the part could not be computed: {type(error).__name__}: {error}"
    assert str(failure) in caplog.text
    assert "in fail\n    raise error\n" in guard.tracebacks[0]


def test_a_note_is_one_line_that_no_terminal_obeys() -> None:
    """The text of an error may be anybody's: control characters are spelled out, and it is cut."""
    guard = Guard()
    guard.optional("the part", lambda: fail(ValueError("a\x1b[2J\u202e\nb" + "c" * 1000)), None)
    note = guard.failures[0].note
    assert note.startswith("could not be computed: ValueError: a\\x1b[2J\\u202e b")
    assert (note.isprintable(), len(note) < 300) == (True, True)
