"""Scorers against the example answers of their cases, functions of the project among them: what is to be told."""

from collections.abc import Iterable, Sequence

from assay.checks import examples, registry
from assay.checks.examples import ExampleAnswer
from assay.checks.finding import Finding
from assay.errors import AssayError
from assay.records.case import Case
from assay.stages import own_checks
from assay.stages.own_checks import Asked


def disagreements(cases: Iterable[Case], modules: Sequence[str]) -> list[str]:
    """Return a sentence for each example answer of which a scorer says the opposite.

    Args:
        cases: With examples or without.
        modules: Those that `judge.check_modules` names. What is wrong with them, or with a case, is told as well.
    """
    told: list[str] = []
    sound: list[Case] = []
    for case in (case for case in cases if examples.answers(case)):
        try:
            for expectation in case.expectations:
                registry.validate(expectation)
            own_checks.require([case], modules)
        except AssayError as error:
            told.append(str(error))
        else:
            sound.append(case)
    return [*told, *(_scored(sound) if sound else [])]


def _scored(cases: Sequence[Case]) -> list[str]:
    own = own_checks.findings((case, [("target", one.response) for one in examples.answers(case)]) for case in cases)

    def scored(case: Case, number: int, example: ExampleAnswer) -> Finding:
        called = own.get(Asked("target", case.case_id, example.response.trial, number))
        return called or registry.score(case.expectations[number - 1], example.response)

    return [
        sentence
        for case in cases
        for sentence in examples.disagreements(case, lambda number, one, case=case: scored(case, number, one))  # type: ignore[misc]
    ]
