"""Git and DVC as programs: whatever ends one, the sentence has its reason."""

from subprocess import CompletedProcess

import pytest

from assay.project import programs

TRANSFER = "ERROR: failed to transfer 'abc' - Cannot connect to host"
PUSH = "ERROR: failed to push data to the cloud - 1 files failed to upload"


@pytest.mark.parametrize(
    ("out", "err", "reason"),
    [
        ("", "fatal: not on a Friday\nhint: wait\n", "fatal: not on a Friday"),
        ("", f"{TRANSFER}\n{PUSH}\n\nHaving any troubles? Hit us up\n", f"{TRANSFER}; {PUSH}"),
        ("", "Collecting\nit is too late\n\n", "it is too late"),
        (f"1 file\n{PUSH}\n", "  \n", PUSH),
        ("nothing to push\n", "", "nothing to push"),
        ("", "", "it said nothing, exit code -9"),
        ("", "error: a\x1b[2J\u202eb\n", "error: a\\x1b[2J\\u202eb"),
        ("", "error: " + "x" * 9000, "error: " + "x" * 293),
    ],
)
def test_the_reason_is_what_the_program_said(out: str, err: str, reason: str) -> None:
    """Its errors, or else its last line, from wherever it printed; of one that was killed its exit code."""
    assert programs._reason(CompletedProcess(["dvc"], -9, out, err)) == reason
