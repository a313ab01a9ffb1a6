"""Accept: what one person decides by themselves, written down: a new baseline, cases by hand, retirements.

Reads and writes the tables that people own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from assay.errors import ConfigError
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.records.case import Case
from assay.records.decision import Decision
from assay.stages import batches
from assay.storage import hash_chain


def accept() -> int:
    """Freeze the last run's answers, of several trials the first, as the baseline; return how many."""
    answered = [response for response in RESPONSES.read() if response.status == "ok" and response.trial == 0]
    BASELINE.write(answered)
    return len(answered)


def admit(cases: Sequence[Case], reviewer: str, reason: str, now: datetime) -> int:
    """Append cases to the log, admitted by the reviewer alone; return how many."""
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
