"""Labels and rubrics: labels that were given by another rubric do not certify today's in silence."""

import pytest

from assay.calibration.rubrics import is_other, note
from tests.cast import label


@pytest.mark.parametrize(
    ("version", "today", "answer"),
    [
        ("3f2a", "3f2a", False),
        ("3f2a", "91bc", True),
        ("1", "3f2a", None),
        ("", "3f2a", None),
        ("3f2a", "2", None),
        ("1", "2", True),
        ("1", "1", False),
    ],
)
def test_which_rubric_is_another_one(version: str, today: str, *, answer: bool | None) -> None:
    """Two hashes, or two declared versions, are the same or not; of any other two nobody knows."""
    assert is_other(version, today) is answer


def test_every_kind_is_counted() -> None:
    """The note has how many labels are of another version and of how many nobody knows; without either it is empty."""
    versions = ("aaaa", "bbbb", "bbbb", "1", "cccc", "cccc")
    labels = [label(f"i.{number}", "pass", rubric_version=version) for number, version in enumerate(versions)]
    assert note(labels, "cccc").startswith("3 of 6 labels were given by another version of the rubric, of 1 of 6 ")
    assert note(labels[-2:], "cccc") == note([], "cccc") == ""
