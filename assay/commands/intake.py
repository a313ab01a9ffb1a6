"""Intake: which cases of a file may enter the set, and what would a release refuse of them?

Reads the evaluation set, the judges and the labelled items; writes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.errors import DataError
from assay.evalset import contract, unfailing
from assay.generation import contradictions
from assay.generation.duplicates.finding import Match
from assay.generation.near_duplicates import likely
from assay.judges.prompt import JudgePrompt
from assay.project import params
from assay.records.case import Case
from assay.stages import example_answers, judge_clients, own_checks
from assay.stages.release import prompts
from assay.text import counted

ONE_REPLACED = "case takes the place of the one with its id"
SEVERAL_REPLACED = "cases take the place of those with their ids"
SHOWN = 3
"""Pairs of cases that a message names."""


class Sifted(NamedTuple):
    """The cases of a file that may enter, and what is to be told of them."""

    cases: list[Case]
    left_out: list[Case]
    """Those that nothing can fail."""


def sift(cases: Sequence[Case], judges: Sequence[JudgePrompt], where: str, to_come: str = "") -> Sifted:
    """Return the cases of a file that something can fail, and the others.

    Args:
        cases: Of the file.
        judges: All of the project.
        where: What a message calls the file.
        to_come: A judge that is made with these cases: it is asked about each that has a rubric for it.

    Raises:
        DataError: Nothing can fail any of them.
    """
    vacuous = [case for case in unfailing.unfailing(cases, judges) if to_come not in case.rubric]
    if vacuous and len(vacuous) == len(cases):
        raise DataError(f"{unfailing.sentence(vacuous, where)}; nothing was taken in")
    names = {case.case_id for case in vacuous}
    return Sifted([case for case in cases if case.case_id not in names], vacuous)


def refusals(fresh: Sequence[Case], there: Mapping[str, Case]) -> list[contract.Refusal]:
    """Return what a release would refuse of new cases.

    Args:
        fresh: The new cases.
        there: The set by case id; a new case under an id of it takes that one's place.
    """
    names = {case.case_id for case in fresh}
    stay = [case for case in there.values() if case.case_id not in names]
    return contract.refusals(fresh, stay, prompts()) if fresh else []


def foreseen(
    fresh: Sequence[Case],
    there: Mapping[str, Case],
    like: Mapping[str, Match],
    refused: Sequence[contract.Refusal],
) -> list[str]:
    """Return what a release would refuse of new cases, and what they may repeat, one sentence a kind, with the names.

    Args:
        fresh: The new cases.
        there: The set by case id.
        like: What each new case resembles most.
        refused: What a release would refuse of them.
    """
    replaced = [case.case_id for case in fresh if case.case_id in there]
    told = []
    if replaced:
        told.append(f"{counted(len(replaced), ONE_REPLACED, SEVERAL_REPLACED)} in the set ({_listed(replaced)})")
    told += contract.foreseen(refused)
    pairs = [f"{one} and {likely(match)}" for one, match in like.items() if likely(match)]
    if pairs:
        told.append(
            f"{counted(len(pairs), 'case')} may repeat another one ({_listed(pairs)}): keep one of each pair, or say "
            "what differs"
        )
    told += contradicting(list(contradictions.contradictions(like, {**there, **{one.case_id: one for one in fresh}})))
    modules = params.read_params("judge", judge_clients.Settings).check_modules
    if lacking := own_checks.lacking(fresh, modules):
        told.append(
            f"{counted(len(lacking), 'function that checks call is', 'functions that checks call are')} not there "
            f"({_listed(lacking)}): write each as "
            "`def NAME(answer, case):` in its module, and name the module in judge.check_modules, before the next night"
        )
    wrong = example_answers.disagreements(fresh, modules)
    if wrong:
        more = f" (and {len(wrong) - SHOWN} more)" if len(wrong) > SHOWN else ""
        told.append(f"checks and examples disagree: {'; '.join(wrong[:SHOWN])}{more}: correct the check or the example")
    return told


def contradicting(pairs: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return which near twins have right answers that contradict each other, as a sentence; none where none do.

    Args:
        pairs: Two cases, and in what.
    """
    if not pairs:
        return []
    named = _listed([f"{one} and {other}: {why}" for one, other, why in pairs])
    what = counted(len(pairs), "pair of cases asks the same and has", "pairs of cases ask the same and have")
    return [f"{what} right answers that contradict each other ({named}): correct one of them, or say what differs"]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
