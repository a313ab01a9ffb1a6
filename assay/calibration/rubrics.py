"""Labels and the rubric by which they were given: a judge may go by a newer one than the people it is held against."""

import re
from collections.abc import Collection

from assay.records.label import Label

_HASH = re.compile(r"[0-9a-f]{4}")
"""Of the text of a rubric. Another version was declared in the rubric's head, as before 0.3, and tells no text."""


def is_other(version: str, today: str) -> bool | None:
    """Tell whether a label was given by another rubric than today's; None where nobody knows.

    Args:
        version: The rubric's, as the label has it.
        today: Of the judge's rubric.
    """
    if version == today:
        return False
    is_comparable = bool(version) and bool(_HASH.fullmatch(version)) == bool(_HASH.fullmatch(today))
    return True if is_comparable else None


def note(labels: Collection[Label], today: str) -> str:
    """Return how many labels were given by another version of the rubric, or by one that is not known; empty if none.

    Args:
        labels: Those that a certificate rests on.
        today: The version of the judge's rubric.
    """
    found = [is_other(row.rubric_version, today) for row in labels]
    others, unknown = found.count(True), found.count(None)
    parts = [f"{others} of {len(found)} labels were given by another version of the rubric"] * bool(others)
    parts += [f"of {unknown} of {len(found)} it is not known by which version"] * bool(unknown)
    return ", ".join(parts)
