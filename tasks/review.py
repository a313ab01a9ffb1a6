"""Review: which cases have people admitted to the evaluation set?

Reads the decision log and the taxonomy, writes the evaluation set and its manifest. Asks nobody: people decided, a
decision carries the case that was decided on, and the set is the fold of the log.
"""

from collections import Counter
from collections.abc import Sequence

from prefect import task

from assay.errors import DataError
from assay.records import Case, Category, Decision, digest
from tasks import door, store

LOG = "data/decisions/decisions.jsonl"


def admit(decisions: Sequence[Decision]) -> list[Case]:
    """Return the admitted cases: of several decisions on one candidate the last one holds.

    Raises:
        DataError: An admitted case is not what was shown, a decision and its case do not fit, or two candidates claim
            one case id.
    """
    last = {decision.candidate_id: decision for decision in decisions}
    for number, decision in enumerate(decisions, 1):
        where = f"{LOG}, row {number} ({decision.candidate_id})"
        if (decision.case is None) != (decision.decision == "reject"):
            raise DataError(
                f"{where}: {decision.decision} and case do not fit, expected a case unless rejected: mend it"
            )
        if decision.decision == "admit" and decision.case.digest() != decision.digest:  # type: ignore[union-attr]
            raise DataError(f"{where}: the case is not the one that was shown as {decision.digest}: decide again")
    cases = [decision.case for decision in last.values() if decision.case is not None]
    twice = [case_id for case_id, count in Counter(case.case_id for case in cases).items() if count > 1]
    if twice:
        named = ", ".join(twice[:5])
        raise DataError(f"{LOG}: {named} admitted more than once: rename or reject one")
    return sorted(cases, key=lambda case: case.case_id)


def manifest(cases: Sequence[Case], taxonomy: Sequence[Category]) -> dict[str, object]:
    """Return the card of the evaluation set: its content hash, coverage by category, one revision a case."""
    admitted = Counter(case.category for case in cases)
    layers = Counter(case.layer for case in cases)
    coverage = {
        category.category: {"admitted": admitted[category.category], "quota": category.quota, "owner": category.owner}
        for category in taxonomy
    }
    revisions = {case.case_id: case.revision() for case in cases}
    return {
        "content": digest(revisions),
        "cases": len(cases),
        "layers": dict(sorted(layers.items())),
        "coverage": coverage,
        "revisions": revisions,
    }


@task
def review() -> int:
    """Fold the decisions into the evaluation set; return its size."""
    cases = admit(store.read("decisions", Decision))
    store.write("cases", cases)
    store.write_json("data/evalset/manifest.json", manifest(cases, store.taxonomy()))
    return len(cases)


if __name__ == "__main__":
    door.run(review.fn)
