"""Cases as a person reads them."""

from collections.abc import Iterator

from assay.checks import examples
from assay.records.case import Case, Expectation


def expectations(case: Case) -> list[str]:
    """Return what a case expects, one line each."""
    rows = []
    for one in case.expectations:
        values = ", ".join(f"“{value}”" for value in one.values)
        calls = ", ".join(f"{call.name}({call.arguments})" for call in one.calls)
        exactly = ", exact" if one.exact else ""
        rows.append(f"{one.check}{exactly}: {'; '.join(filter(None, (values, calls))) or 'nothing more'}")
    rows += ["an empty answer is allowed"] if case.empty == "allowed" else []
    return [*rows, *(f"checks and examples disagree: {sentence}" for sentence in examples.sentences(case))]


def conversation(case: Case) -> str:
    """Return what the user says, turn by turn, and what a simulated user wants afterwards."""
    user, after = case.user, []
    if user:
        who = f" ({user.persona})" if user.persona else ""
        after = [f"Then a simulated user{who} who wants: {user.goal} Stops when: {user.stop}"]
    return "\n".join([*case.turns, *after])


def texts(case: Case) -> Iterator[str]:
    """Yield everything that a person wrote into a case."""
    yield from case.turns
    yield case.reference
    for expectation in case.expectations:
        yield from expectation.values
        yield from (call.arguments for call in expectation.calls)
    holders: list[Case | Expectation] = [case, *case.expectations]
    for example in (one for holder in holders for one in (*holder.good, *holder.bad)):
        yield from filter(None, (example.text, example.final_state, *example.contexts))
        yield from (call.arguments for call in example.calls)
    if case.user:
        yield from (case.user.goal, case.user.persona, case.user.stop)
