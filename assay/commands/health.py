"""Health: which cases should somebody retire, or make harder?

Reads the evaluation set, its log and the history of nights; writes nothing. Who agrees with a proposal retires the
case, at the desk or with `assay retire`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from assay.evalset.health import Proposal, admitted_since, proposals
from assay.project.params import read_params
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.history import HISTORY
from assay.project.taxonomy import read_taxonomy
from assay.records.history import last_runs
from assay.records.record import Record
from assay.report.texts import visible
from assay.stages import batches
from assay.stages.publish_settings import Settings


class Health(Record):
    """What there is to look at, and how much is known."""

    nights: int
    """On record."""
    needed: int
    """Before anything but the age of a case can be told."""
    proposals: list[Proposal]


def health() -> Health:
    """Return what there is to look at today."""
    return at(datetime.now(UTC))


def at(now: datetime) -> Health:
    """Return what there is to look at."""
    rules = read_params("publish", Settings).health
    history = HISTORY.read(may_be_absent=True)
    log = DECISIONS.read()
    words = ((word.case, word.decided_at) for word in log if word.case)
    there = batches.fold(log).candidates
    cases = [case for case in CASES.read() if case.case_id in there]
    found = proposals(cases, read_taxonomy(), history, admitted_since(words), rules, now)
    return Health(nights=len(last_runs(history)), needed=rules.nights, proposals=found)


def lines(found: Health) -> Iterator[str]:
    """Yield the proposals as a person reads them."""
    for one in found.proposals:
        owner = " ".join(str(visible(one.owner)).split())[:80]
        yield f"{one.case_id}: {one.kind}: {one.reason}; owner {owner}; {one.category} would have {one.after}"
    count = len(found.proposals) or "no"
    yield f"{count} proposals from {found.nights} nights on record, {found.needed} needed: people decide."
