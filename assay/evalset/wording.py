"""Cases as a person reads them."""

from assay.records import Case


def expectations(case: Case) -> list[str]:
    """Return what a case expects, one line each."""
    rows = []
    for one in case.expectations:
        values = ", ".join(f"“{value}”" for value in one.values)
        calls = ", ".join(f"{call.name}({call.arguments})" for call in one.calls)
        rows.append(f"{one.check}: {'; '.join(filter(None, (values, calls))) or 'nothing more'}")
    return rows


def conversation(case: Case) -> str:
    """Return what the user says, turn by turn, and what a simulated user wants afterwards."""
    user = case.user
    after = [f"Then a simulated user ({user.persona}) who wants: {user.goal} Stops when: {user.stop}"] if user else []
    return "\n".join([*case.turns, *after])
