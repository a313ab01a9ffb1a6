"""Accept: what one person decides by themselves, written down: a new baseline, cases by hand, retirements.

Reads and writes the tables that people own.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from assay.errors import BusyError, ConfigError
from assay.evalset.unfailing import require_failable
from assay.judges import prompt
from assay.project import continuation, results, run_lock, whose
from assay.project.answers import SHORT
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.history import HISTORY
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.taxonomy import read_taxonomy
from assay.records.case import Case
from assay.records.decision import Decision
from assay.records.history import CaseNight
from assay.records.response import Response
from assay.report import nights
from assay.stages import batches
from assay.storage import hash_chain


class Accepted(NamedTuple):
    """The new baseline."""

    answers: int
    """How many it has."""
    run: str
    """Id of the run that they are of; empty where they are of before runs had ids."""
    target: str
    """Fingerprint of the product that gave them."""
    worse_in: str = ""
    """Where its verdict says that it is worse than the baseline before it."""
    best_of: int = 0
    """Runs of which this one passed most; 0 where it was not picked for that."""

    def sentence(self) -> str:
        """Return whose answers were accepted, and what to do."""
        run = f"run {self.run[:SHORT]}" if self.run else "a run without an id"
        said = f"{self.answers} responses of {run}, by {self.target}, are the baseline now; commit data/baseline."
        if self.worse_in:
            said += (
                f" Its verdict was REGRESSION in {self.worse_in}: later runs are held against that; if it is not "
                "meant, `git checkout -- data/baseline` brings the committed one back."
            )
        if not self.best_of:
            return said
        return (
            f"{said} Of {self.best_of} runs it passed most, so a part of its rate is luck and the next one may look "
            "worse: `assay nightly --fresh`, then accept that run whatever it says."
        )


def accept(now: datetime) -> Accepted:
    """Freeze the last run's answers, of every trial, as the baseline.

    Args:
        now: The moment; a run that is dated later is not the last one.

    Raises:
        BusyError: A night is on.
        ConfigError: The last run did not end, or its responses are not those that the verdict is of.
        DataError: There are no responses, or they are damaged.
    """
    responses = RESPONSES.read()
    runs = {response.run for response in responses}
    _require_last(max(runs), now)
    answered = [response for response in responses if response.status == "ok"]
    before = _versions(BASELINE.stream(may_be_absent=True))
    history = HISTORY.read(may_be_absent=True)
    best_of = nights.picked(history, max(runs), before)
    BASELINE.write(answered)
    return Accepted(len(answered), max(runs), _versions(responses), _worse_in(history, max(runs)), best_of)


def _worse_in(history: Iterable[CaseNight], run: str) -> str:
    """Return where the verdict on a run found it worse; empty where it did not, or is of another run."""
    row = next((row for row in history if run and row.run == run), None)
    return ", ".join(row.worse) if row else ""


def _versions(responses: Iterable[Response]) -> str:
    """Return the fingerprints of the product that gave answers."""
    return "+".join(sorted({response.target for response in responses}))


def _require_last(run: str, now: datetime) -> None:
    """Refuse to accept answers of a run that nobody has seen the end of, or the verdict."""
    then = "nothing was accepted"
    if run_lock.is_night_on():
        raise BusyError(f"a night is on, expected its end: wait, look at its report, then accept; {then}")
    if results.is_unfinished():
        gate = results.read_gate()
        raise ConfigError(f"{gate.reason}, expected a run with a verdict: {gate.next}; {then}")
    interrupted = continuation.interrupted(now)
    if interrupted and interrupted != run:
        raise ConfigError(
            f"run {interrupted[:SHORT]} asked the product and did not end, and the responses on file are of run "
            f"{run[:SHORT] or 'without an id'} before it, expected those of the last run: run {results.CONTINUED}; "
            f"{then}"
        )
    if two := whose.two_runs():
        raise ConfigError(f"{two.sentence()}; {then}")


def admit(cases: Sequence[Case], reviewer: str, reason: str, now: datetime) -> int:
    """Append cases to the log, admitted by the reviewer alone; return how many.

    Raises:
        DataError: Nothing can fail some of them; nothing is appended.
    """
    require_failable(cases, prompt.load_all(), "nothing is admitted")
    signed = [
        Decision(
            candidate_id=case.case_id,
            digest=case.digest(),
            decision="admit",
            reviewer=reviewer,
            reason=reason,
            decided_at=now,
            case=case,
        )
        for case in cases
    ]
    return len(DECISIONS.append(signed))


def below_quota(case_ids: Collection[str]) -> list[str]:
    """Return which categories of cases that are not in the set any more lack cases by now, a line each.

    Args:
        case_ids: Cases that people have retired.
    """
    categories = {case.category for case in CASES.read(may_be_absent=True) if case.case_id in case_ids}
    left = Counter(case.category for case in batches.admitted())
    return [
        f"{one.category} is below its quota then, {left[one.category]} of {one.quota} cases: add some, or lower the "
        "quota, before the next release"
        for one in read_taxonomy()
        if one.category in categories and left[one.category] < one.quota
    ]


def retire(
    case_ids: Sequence[str], reviewer: str, reason: str, now: datetime, shown: Mapping[str, str] | None = None
) -> int:
    """Take cases out of the evaluation set, each with the same reason; return how many.

    Args:
        case_ids: The cases.
        reviewer: Who decides.
        reason: Why.
        now: The moment.
        shown: The hash of each case as the reviewer saw it, where they did.

    Raises:
        ConfigError: One of them is not in the set, or not as it was shown, or the reason is empty.
    """
    with hash_chain.held(DECISIONS.file()) as log:
        found = batches.fold(DECISIONS.read())
        cases = {case.case_id: case for case in found.cases}
        unknown = [name for name in case_ids if name not in cases]
        if unknown or not reason.strip():
            what = f"{unknown[0][:80]} is not in the evaluation set" if unknown else "the reason is empty"
            raise ConfigError(f"{what}, expected admitted cases and why they go: say it again; nothing was retired")
        moved = [name for name, digest in (shown or {}).items() if cases[name].digest() != digest]
        if moved:
            raise ConfigError(f"{moved[0]} was changed since it was shown, expected it as it is: look at it again")
        signed = [
            Decision(
                candidate_id=found.candidates[name],
                digest=cases[name].digest(),
                decision="retire",
                reviewer=reviewer,
                reason=reason.strip(),
                decided_at=now,
                case=None,
            )
            for name in dict.fromkeys(case_ids)
        ]
        return len(hash_chain.append(log, signed))
