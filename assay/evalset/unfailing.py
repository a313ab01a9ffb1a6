"""Cases that nothing can fail: whatever a product answers, they pass, and so they raise every rate.

A check can fail a case, unless it asks for what every answer has (`length-min: 0`, `regex: .*`), and so can a judge
that blocks, fits the case and is given all that it requires. A reference fails nothing by itself: somebody has to read
it.
"""

from collections.abc import Iterable, Sequence
from textwrap import shorten

from assay.checks import registry
from assay.errors import DataError
from assay.judges.applicability import may_expect
from assay.judges.prompt import JudgePrompt
from assay.records.case import Case

SHOWN, WORDS = 5, 40
"""Cases that a message names, and letters of the question of each."""
WHAT_TO_DO = (
    "give each an expectation, or what a judge that blocks requires (a reference for `correctness`, a `rubric` for a "
    "judge that takes one), or make a judge for them: `assay judges new NAME`"
)


def unfailing(cases: Iterable[Case], judges: Iterable[JudgePrompt]) -> list[Case]:
    """Return the cases that nothing can fail.

    Args:
        cases: Of any category.
        judges: All of the project.
    """
    blocking = [judge for judge in judges if judge.declared.blocks]
    return [case for case in cases if not _is_checked(case) and not any(may_expect(one, case) for one in blocking)]


def _is_checked(case: Case) -> bool:
    """Tell whether a check can fail it; one that cannot be scored is refused elsewhere, in its own words."""
    try:
        return any(map(registry.can_fail, case.expectations))
    except DataError:
        return True


def sentence(cases: Sequence[Case], where: str) -> str:
    """Return how many cases nothing can fail, which they are, and what to do."""
    more = " ..." if len(cases) > SHOWN else ""
    names = ", ".join(f"{case.case_id} {shorten(case.turns[0], WORDS)!r}" for case in cases[:SHOWN])
    unread = ", and no judge reads their references" if any(case.right_answers() for case in cases) else ""
    what = "1 case that nothing can fail" if len(cases) == 1 else f"{len(cases)} cases that nothing can fail"
    return f"{where}: {what} ({names}{more}){unread}, expected a check or a judge that decides on each: {WHAT_TO_DO}"


def require_failable(cases: Sequence[Case], judges: Iterable[JudgePrompt], where: str) -> None:
    """Refuse cases that nothing can fail.

    Raises:
        DataError: There are any; the text has their number, names and what to do.
    """
    if found := unfailing(cases, judges):
        raise DataError(sentence(found, where))
