"""Families: cases that were made from one another share what makes a product pass or fail them."""

from collections.abc import Iterable

from assay.records.case import Case


def families(cases: Iterable[Case]) -> dict[str, str]:
    """Return by case what it and its like were first made from, a case or a trace; cases of their own are left out."""
    parents = {case.case_id: case.parent for case in cases}
    roots = {case_id: _root(case_id, parents) for case_id in parents}
    shared = {root for case_id, root in roots.items() if root != case_id}
    return {case_id: root for case_id, root in roots.items() if root in shared}


def _root(name: str, parents: dict[str, str]) -> str:
    seen = [name]
    while (above := parents.get(seen[-1], "")) and above not in seen:
        seen.append(above)
    return min(seen[seen.index(above) :]) if above else seen[-1]
