"""Which cases a judge is for: whether a case fits it, and gives what it requires."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from assay.errors import DataError
from assay.judges import inputs
from assay.judges.declaration import INPUTS, METADATA, lacking
from assay.judges.prompt import JudgePrompt, Text
from assay.records import named
from assay.records.attachment import described
from assay.records.case import Case
from assay.records.label import Item

ANY_RIGHT = "Any one of these is right:"
"""What a judge is told before several good answers."""


def may_expect(judge: JudgePrompt, case: Case) -> bool:
    """Tell whether a judge of single answers may be asked about the answers to a case, whatever they will be."""
    return is_for_answers_to(judge, case) and not lacks(judge, case)


def is_for_answers_to(judge: JudgePrompt, case: Case) -> bool:
    """Tell whether a judge is one of single answers of cases, and a case fits it."""
    declared = judge.declared
    return not declared.is_pair and declared.scope == "cases" and declared.applies_to.fits(case)


def lacks(judge: JudgePrompt, case: Case) -> bool:
    """Tell whether a case itself lacks what a judge requires."""
    return bool(lacking(judge.declared, texts_of_case(judge, case)))


def require_inputs(judges: Sequence[JudgePrompt], cases: Iterable[Case]) -> None:
    """Refuse cases that do not give a value which the rubric of a judge takes, before anybody is paid.

    Args:
        judges: Any of the project.
        cases: The evaluation set.

    Raises:
        DataError: The text names the first case, the judge and the value.
    """
    of_cases = [judge for judge in judges if judge.declared.scope == "cases"]
    for case in cases:
        for judge in of_cases:
            own = case.rubric.get(judge.name, "")
            if not judge.declared.applies_to.fits(case) or not (own or inputs.names(judge.rubric)):
                continue
            for name in inputs.lacking(judge.rubric, judge.declared, case.values(), own):
                raise DataError(
                    f"case {case.case_id} has no input {name!r}, expected a value, since the rubric of the judge "
                    f"{judge.name} takes {{{{inputs.{name}}}}}: give it one in `inputs`, take it out of the rubric, or "
                    f"let {judge.name} require inputs.{name}, so that it is not asked about such cases"
                )


def reference(given: Case | Item) -> Text:
    """Return the good answer that a judge is shown; of several each as a part, after what they are."""
    answers = given.right_answers()
    return [ANY_RIGHT, *answers] if len(answers) > 1 else given.reference or "".join(answers)


def threshold(judge: JudgePrompt, given: Case | Item) -> int | None:
    """Return from which score on an answer to a case passes, where the case says so itself."""
    return given.thresholds.get(judge.name) if judge.declared.question == "score" else None


def require_thresholds(judges: Sequence[JudgePrompt], cases: Iterable[Case]) -> None:
    """Refuse cases with a threshold that their judge cannot be held to.

    Raises:
        DataError: The text names the first case, the judge and its scale.
    """
    scales = {judge.name: judge.declared.range for judge in judges}
    for case in cases:
        for name, number in case.thresholds.items():
            scale = scales.get(name)
            if scale is None or not scale[0] < number <= scale[1]:
                legal = f"a number above {scale[0]}, up to {scale[1]}" if scale else "the name of a judge of scores"
                raise DataError(
                    f"case {case.case_id}: thresholds has {name[:40]}: {number}, expected {legal}: correct it, or take "
                    "it out"
                )


def require_known(names: Collection[str], cases: Iterable[Case]) -> None:
    """Refuse cases with a rubric for a judge that is not there: nobody would ever read it.

    Args:
        names: Of all judges.
        cases: The cases.

    Raises:
        DataError: The text names the first case and the judge.
    """
    for case in cases:
        if strange := next((name for name in case.rubric if name not in names), None):
            raise DataError(
                f"case {case.case_id}: rubric has {strange[:40]!r}, expected one of {', '.join(sorted(names))}: "
                f"correct the name, or make that judge, `assay judges new {strange[:40]}`"
            )


def texts_of_case(judge: JudgePrompt, given: Case | Item) -> dict[str, Any]:
    """Return what a judge is shown of a case, or of the case that an item has frozen, by the names of its prompt."""
    values = given.values()
    known = {
        "question": given.turns,
        "reference": reference(given),
        "rubric": inputs.filled(given.rubric.get(judge.name, ""), values),
        "inputs": given.inputs,
        "attachments": described(given.attachments),
        **{f"{INPUTS}{name}": named.shown(value) for name, value in values.items()},
        **{f"{METADATA}{name}": text for name, text in given.metadata.items()},
    }
    return {text: known.get(name, "") for name, text in judge.case_texts.items()}
