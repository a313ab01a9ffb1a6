"""Review: which cases have people admitted to the evaluation set?

Reads the two logs of what people decided and the taxonomy, writes the evaluation set, its manifest, and what is never
to be proposed again. Asks nobody: people decided, a decision carries the case that was decided on, and the set is the
fold of the logs.
"""

from collections import Counter
from collections.abc import Sequence

from assay.errors import DataError
from assay.project import files
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES, MANIFEST
from assay.project.tables.excluded import PAST
from assay.project.taxonomy import TAXONOMY, read_taxonomy
from assay.records.case import Case
from assay.records.category import Category
from assay.records.record import digest
from assay.stages import batches
from assay.stages.declaration import Output, Stage

STAGE = Stage(
    name="review",
    doc=__doc__ or "",
    settings=batches.Settings,
    reads=(TAXONOMY, "data/decisions"),
    writes=(Output(path=CASES.path), Output(path=PAST.path), Output(path=MANIFEST, in_git=True)),
)


SHOWN = 3


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


def require_categories(cases: Sequence[Case], taxonomy: Sequence[Category]) -> None:
    """Refuse cases of a category that the taxonomy does not have (any more).

    Raises:
        DataError: The text names them, and both ways out.
    """
    known = {category.category for category in taxonomy}
    lost = [case.case_id for case in cases if case.category not in known]
    if lost:
        named, some = sorted({case.category for case in cases} - known), " ".join(lost[:SHOWN])
        raise DataError(
            f"{DECISIONS.path} admits {len(lost)} cases of {', '.join(named)}, which {TAXONOMY} does not have, "
            f"expected a file for each category: write it, or take the cases out with `assay retire {some}"
            f"{' ...' if len(lost) > SHOWN else ''} --reviewer YOU --reason WHY`"
        )


def run() -> int:
    """Fold the logs into the evaluation set; return its size."""
    log, taxonomy = DECISIONS.read(), read_taxonomy()
    found = batches.fold(log)
    require_categories(found.cases, taxonomy)
    CASES.write(found.cases)
    PAST.write(found.past)
    files.write_json(MANIFEST, manifest(found.cases, taxonomy, log[-1].chain, found.ended))
    return len(found.cases)
