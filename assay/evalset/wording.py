"""Cases as a person reads them."""

from collections.abc import Iterator

from assay.checks import examples
from assay.records import named
from assay.records.attachment import described
from assay.records.case import Case, Expectation


def expectations(case: Case) -> list[str]:
    """Return what a case expects, one line each."""
    rows = []
    for one in case.expectations:
        values = ", ".join(f"“{value}”" for value in one.values)
        calls = ", ".join(f"{call.name}({call.arguments})" for call in one.calls)
        exactly = ", exact" if one.exact else ""
        rows.append(f"{one.check}{exactly}: {'; '.join(filter(None, (values, calls))) or 'nothing more'}")
    rows += [f"{judge}: {number} or more passes" for judge, number in case.thresholds.items()]
    rows += ["an empty answer is allowed"] if case.empty == "allowed" else []
    return [*rows, *(f"checks and examples disagree: {sentence}" for sentence in examples.sentences(case))]


def given(case: Case) -> list[str]:
    """Return the named values that are given with the turns, one line each."""
    return [f"{name}: {named.shown(value)}" for name, value in case.values().items()]


def good_answers(case: Case) -> str:
    """Return the good answers, of several one a paragraph."""
    return "\n\n".join(case.right_answers())


def conversation(case: Case) -> str:
    """Return what the user says, turn by turn, what is given with it, and what a simulated user wants afterwards."""
    user = case.user
    after = [
        *(f"With {line}" for line in given(case)),
        *(f"Given document: {one}" for one in case.contexts),
        *(f"Attached: {one}" for one in described(case.attachments)),
    ]
    if user:
        who = f" ({user.persona})" if user.persona else ""
        after += [f"Then a simulated user{who} who wants: {user.goal} Stops when: {user.stop}"]
    return "\n".join([*case.turns, *after])


def texts(case: Case) -> Iterator[str]:
    """Yield everything that a person wrote into a case."""
    yield from case.turns
    yield from case.right_answers()
    yield from (one.name for one in case.attachments)
    yield from case.contexts
    yield from map(named.shown, case.values().values())
    for expectation in case.expectations:
        yield from expectation.values
        yield from (call.arguments for call in expectation.calls)
    holders: list[Case | Expectation] = [case, *case.expectations]
    for example in (one for holder in holders for one in (*holder.good, *holder.bad)):
        yield from filter(None, (example.text, example.final_state, *example.contexts))
        yield from (call.arguments for call in example.calls)
    if case.user:
        yield from (case.user.goal, case.user.persona, case.user.stop)
