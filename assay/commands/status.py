"""Status: how far is the evaluation set covered, what waits, what is each judge worth, what did it cost?

Reads every result that is there; writes nothing.
"""

from collections.abc import Sequence
from typing import Any

from assay.calibration.certificate import Certificate
from assay.project import files, last_run
from assay.project.certificates import read_certificates, read_refusals
from assay.project.journal import has_journal, open_journal
from assay.project.results import GATE, basis, read_gate
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import labelling
from assay.project.taxonomy import read_taxonomy
from assay.project.whose import two_runs
from assay.records.case import Case
from assay.records.label import Labelling
from assay.records.record import digest
from assay.report import wording
from assay.report.costs import Spending, spending
from assay.stages import batches
from assay.stats.paired import smallest_drop


def status() -> dict[str, Any]:
    """Return coverage by category, what waits, the certificates, and the last run's word and ledger, as JSON values."""
    cases = CASES.read(may_be_absent=True)
    waiting = [one.case.category for one in batches.waiting()]
    admitted = [case.category for case in cases]
    coverage = [
        {
            "category": category.category,
            "severity": category.severity,
            "quota": category.quota,
            "admitted": admitted.count(category.category),
            "waiting": waiting.count(category.category),
            "detectable_drop": smallest_drop(admitted.count(category.category)),
            "owner": category.owner,
        }
        for category in read_taxonomy()
    ]
    refused = {name: f"no certificate ({why})" for name, why in read_refusals().items()}
    labels = labelling()
    judges = refused | {name: _judge(certificate, labels) for name, certificate in read_certificates().items()}
    there = batches.opened()
    last = read_gate().model_dump(mode="json") | {"basis": basis()} if files.exists(GATE) else None
    two = two_runs()
    return {
        "cases": len(cases),
        "waiting": len(waiting),
        "decided": decided(cases),
        "batch": f"{there.name}: {batches.progress(there)}" if there else "",
        "coverage": coverage,
        "certificates": judges,
        "used": [row.model_dump() for row in _used()],
        "last": last,
        "two_runs": two.sentence() if two else "",
    }


def lines(found: dict[str, Any]) -> list[str]:
    """Return the status as a person reads it."""
    rows = [f"{'category':24}{'quota':>6}{'admitted':>10}{'waiting':>9}   smallest drop found with 80 % power"]
    for row in found["coverage"]:
        drop = f"{row['detectable_drop']:.0%}" if row["detectable_drop"] else "none"
        rows.append(f"{row['category']:24}{row['quota']:>6}{row['admitted']:>10}{row['waiting']:>9}   {drop}")
    rows.append(f"{found['cases']} cases admitted, {found['waiting']} candidates waiting")
    rows += [found["batch"]] if found["batch"] else []
    rows += taken_in(found["decided"])
    rows += [f"judge {name}: {word}" for name, word in found["certificates"].items()] or ["no judge is certified"]
    rows += wording.used([Spending.model_validate(row) for row in found["used"]])
    rows += _last(found["last"])
    return [*rows, f"Not of one run: {found['two_runs']}."] if found["two_runs"] else rows


def _last(last: dict[str, Any] | None) -> list[str]:
    """Return what the last night says, and what its figures rest on."""
    if last is None:
        return ["no run yet: `assay nightly`"]
    return [f"basis of the pass rate by all scorers: {last['basis']}"] * bool(last["basis"]) + [last["sentence"]]


def _used() -> list[Spending]:
    """Return the ledger of the last run; nothing where no journal was kept."""
    last = last_run.read()
    if last is None or not has_journal():
        return []
    with open_journal() as journal:
        return spending(journal.ledger(last.run))


def decided(cases: Sequence[Case]) -> dict[str, int]:
    """Return how many cases people have decided on since the set was made, by what becomes of them.

    Args:
        cases: The set.
    """
    before, after = ({case.case_id: case for case in some} for some in (cases, batches.admitted()))
    return {
        "new": len(after.keys() - before.keys()),
        "changed": sum(before[name] != after[name] for name in before.keys() & after.keys()),
        "retired": len(before.keys() - after.keys()),
    }


def taken_in(counts: dict[str, int]) -> list[str]:
    """Return how what people have decided comes into the set, as a line; none where the set has all of it.

    Args:
        counts: As from `decided`.
    """
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    if not said:
        return []
    noun = "case" if sum(counts.values()) == 1 else "cases"
    return [f"decided, and not in the set yet: {said} {noun}; `assay grow` or `assay repro review` takes them in"]


def _judge(certificate: Certificate, labels: Labelling) -> str:
    word = "met its policy" if certificate.is_met else "refused"
    about = labels.of(certificate.judge)
    # One of before there were judges of one's own rests on all labels.
    counted = {digest([*rows.items, *rows.labels]) for rows in (about, labels)}
    moved = (
        "" if certificate.labels in counted else "; labels were added or changed since, `assay calibrate` counts them"
    )
    return f"{word} on {certificate.items} held-out items, expires {certificate.expires:%Y-%m-%d}{moved}"
