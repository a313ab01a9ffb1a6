"""Which cases a judge is for: whether a case fits it, and gives what it requires."""

from collections.abc import Mapping, Sequence
from typing import Any

from assay.judges.declaration import METADATA, lacking
from assay.judges.prompt import JudgePrompt
from assay.records.case import Case


def may_expect(judge: JudgePrompt, case: Case) -> bool:
    """Tell whether a judge of single answers may be asked about the answers to a case, whatever they will be."""
    return is_for_answers_to(judge, case) and not lacks(judge, case)


def is_for_answers_to(judge: JudgePrompt, case: Case) -> bool:
    """Tell whether a judge is one of single answers of cases, and a case fits it."""
    declared = judge.declared
    return not declared.is_pair and declared.scope == "cases" and declared.applies_to.fits(case)


def lacks(judge: JudgePrompt, case: Case) -> bool:
    """Tell whether a case itself lacks what a judge requires."""
    texts = texts_of_case(judge, case.turns, case.reference, case.rubric, case.metadata)
    return bool(lacking(judge.declared, texts))


def texts_of_case(
    judge: JudgePrompt, turns: Sequence[str], reference: str, rubric: Mapping[str, str], metadata: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a judge is shown of a case, by the names that its prompt has."""
    known = {"question": turns, "reference": reference, "rubric": rubric.get(judge.name, "")}
    return {
        text: known[name] if name in known else metadata.get(name.removeprefix(METADATA), "")
        for name, text in judge.case_texts.items()
    }
