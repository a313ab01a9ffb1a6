"""Imported judges: which folders does a file of another tool bring, and under which names?

Reads the judges' folders; writes those that are not there. A judge that was imported before stays as it is, whatever
people made of it since.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from assay.errors import ConfigError, DataError
from assay.interchange.sets.builder import RUBRIC_JUDGE
from assay.judges.draft import IMPORTED, JudgeDraft
from assay.judges.prompt import DECLARATION, JUDGES_FOLDER, JudgePrompt
from assay.project import files

DIGITS = (4, 8, 16)
"""Of its hash, that a judge's name may end in."""
LONGEST = 100
"""Characters of a judge's name."""


class Planned(NamedTuple):
    """A judge under the name that it has, or gets."""

    draft: JudgeDraft
    judge: JudgePrompt
    is_there: bool
    """It was imported before."""


def planned(drafts: Iterable[JudgeDraft]) -> list[Planned]:
    """Return the judges of a file, each under a name that no other judge has.

    Raises:
        DataError: The parts of one do not go together.
    """
    found: list[Planned] = []
    taken = {RUBRIC_JUDGE}
    for draft in drafts:
        name, is_there = _name(draft, taken)
        taken.add(name)
        try:
            found.append(Planned(draft, draft.named(name), is_there))
        except ConfigError as error:
            raise DataError(f"{draft.origin}: {error}") from error
    return found


def write(plan: Sequence[Planned]) -> list[str]:
    """Write the folders that are not there; return what was written, in sentences."""
    for one in plan:
        if not one.is_there:
            for name, data in one.draft.files().items():
                files.write_bytes(f"{JUDGES_FOLDER}/{one.judge.name}/{name}", data)
    return sentences(plan, "is written")


def sentences(plan: Sequence[Planned], is_written: str) -> list[str]:
    """Return what becomes of the judges of a file, one sentence each, and what to do with them.

    Args:
        plan: The judges.
        is_written: What is said of a folder that was not there.
    """
    told = []
    for one in plan:
        folder = f"{JUDGES_FOLDER}/{one.judge.name}"
        if one.is_there:
            told.append(f"{folder} is there already, from an import of {one.draft.origin}: it stays as it is")
            continue
        told.append(
            "; ".join([f"{folder} {is_written}: {_asked(one.judge)}, from {one.draft.origin}", *one.draft.remarks])
        )
    if fresh := [one.judge.name for one in plan if not one.is_there]:
        told.append(
            "imported judges ask a hosted model (OPENAI_API_KEY, or `model` of judge.yaml): a night without a key is "
            "INCOMPLETE, and verdicts are UNCALIBRATED until people have labelled; read `assay judges show "
            f"{fresh[0]}`, then `assay labels draw --judge {fresh[0]}` after a night"
        )
    return told


def _asked(judge: JudgePrompt) -> str:
    """Return what a judge says, and what of it passes."""
    declared = judge.declared
    if declared.is_pair:
        return "a judge of pairs, which blocks nothing"
    if declared.question == "score":
        low, high = declared.range or (0, 0)
        return f"a score from {low} to {high}, {declared.pass_threshold} or more passes"
    return f"one of {', '.join(declared.verdicts)}, passing is {', '.join(declared.passing)}"


def _name(draft: JudgeDraft, taken: set[str]) -> tuple[str, bool]:
    """Return the name of a judge, and whether it was imported under it before."""
    tails = ["", *(f"-{draft.mark[:digits]}" for digits in DIGITS)]
    candidates = [f"{draft.name[: LONGEST - len(tail)]}{tail}" for tail in tails]
    candidates = [name for name in candidates if name not in taken]
    if there := next((name for name in candidates if _is_of(name, draft.mark)), ""):
        return there, True
    if free := next((name for name in candidates if not (files.root() / JUDGES_FOLDER / name).exists()), ""):
        return free, False
    raise DataError(
        f"{draft.origin}: {JUDGES_FOLDER} has other judges under each name for it ({', '.join(candidates)}), expected "
        "one to be free: rename the grader in the file"
    )


def _is_of(name: str, mark: str) -> bool:
    """Tell whether the folder of a judge was made of what has this mark."""
    file = files.root() / JUDGES_FOLDER / name / DECLARATION
    return file.is_file() and f"{IMPORTED}{mark}" in file.read_text(encoding="utf8", errors="replace").splitlines()
