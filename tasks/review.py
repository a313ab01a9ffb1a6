"""Review: which cases have people admitted to the evaluation set?

Reads the two logs of what people decided and the taxonomy, writes the evaluation set, its manifest, and what is never
to be proposed again. Asks nobody: people decided, a decision carries the case that was decided on, and the set is the
fold of the logs.
"""

from collections import Counter
from collections.abc import Sequence

from prefect import task

from assay.records import Case, Category, Decision, digest
from tasks import batches, door, store


def manifest(cases: Sequence[Case], taxonomy: Sequence[Category], log: str, ended: int) -> dict[str, object]:
    """Return the card of the evaluation set.

    Args:
        cases: The set.
        taxonomy: Its categories, each with its quota.
        log: Hash of the last decision that the set is made of: the log cannot lose a row unnoticed.
        ended: How many batches of candidates have ended.
    """
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
        "batches": ended,
        "log": log,
        "revisions": revisions,
    }


@task
def review() -> int:
    """Fold the logs into the evaluation set; return its size."""
    log = store.read("decisions", Decision)
    found = batches.fold(log)
    store.write("cases", found.cases)
    store.write("past", found.past)
    store.write_json(store.MANIFEST, manifest(found.cases, store.taxonomy(), log[-1].chain, found.ended))
    return len(found.cases)


if __name__ == "__main__":
    door.run(review.fn)
