"""Accept: what a person decides outside the desk, written down: a new baseline, decisions on candidates.

Reads and writes the tables that people own. A spreadsheet is the simplest desk there is; what it must not do is run a
model's text as a formula, so such cells are written with a leading apostrophe.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import yaml
from pydantic import ValidationError

from assay.checks import registry
from assay.errors import ConfigError, DataError
from assay.formats.sheet import safe
from assay.records import Candidate, Case, Decision, Response
from tasks import batches, store

COLUMNS = ["candidate_id", "digest", "category", "turns", "reference", "expectations", "nearest", "similarity"]
ANSWERS = ["decision", "reviewer", "reason"]


def accept() -> int:
    """Freeze the last run's answers as the baseline; return how many."""
    answered = [response for response in store.read("responses", Response) if response.status == "ok"]
    store.write("baseline", [response for response in answered if response.trial == 0])
    return len(answered)


def waiting() -> list[Candidate]:
    """Return the candidates that a person may decide on: of the open batch, or those on file where none is open."""
    there = batches.opened()
    if there is None:
        return batches.undecided()
    found = batches.standing_of(there)
    return [one for one in batches.frozen(there.name) if found[one.candidate_id].state == "open"]


def export_candidates(file: Path) -> int:
    """Write the undecided candidates as CSV; return how many."""
    open_ones = waiting()
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS + ANSWERS)
    for one in open_ones:
        expectations = "\n".join(expectation.model_dump_json() for expectation in one.case.expectations)
        texts = [one.candidate_id, one.digest(), one.case.category, "\n".join(one.case.turns), one.case.reference]
        row = [*texts, expectations, one.nearest, str(one.similarity), "", "", ""]
        writer.writerow(map(safe, row))
    file.write_text(sheet.getvalue(), encoding="utf-8-sig")
    return len(open_ones)


def decisions(
    rows: Sequence[dict[str, str]], proposed: Sequence[Candidate], now: datetime, where: str, batch: str = ""
) -> list[Decision]:
    """Return the decisions that a filled sheet holds; a row without a decision is left for later.

    Raises:
        DataError: A row names an unknown candidate, other content than the one on file, no reviewer, or no known word.
    """
    known = {candidate.candidate_id: candidate for candidate in proposed}
    found = []
    for number, row in enumerate(rows, 2):
        word = (row.get("decision") or "").strip().lower()
        if not word:
            continue
        candidate = known.get(row.get("candidate_id") or "")
        if candidate is None or row.get("digest") != candidate.digest():
            raise DataError(
                f"{where}, row {number}: the candidate is not the one on file: export again and decide again"
            )
        if word not in ("admit", "reject"):
            raise DataError(f"{where}, row {number}: decision is {word[:40]!r}, expected admit or reject: correct it")
        if not (row.get("reviewer") or "").strip():
            raise DataError(f"{where}, row {number}: reviewer is empty, expected a name: sign the decision")
        decision = Decision(
            candidate_id=candidate.candidate_id,
            digest=candidate.digest(),
            decision="admit" if word == "admit" else "reject",
            reviewer=(row.get("reviewer") or "").strip(),
            reason=(row.get("reason") or "").strip(),
            decided_at=now,
            case=candidate.case if word == "admit" else None,
            batch=batch,
        )
        found.append(decision)
    return found


def admit_written(file: Path, reviewer: str, now: datetime) -> int:
    """Append cases that a person wrote as YAML to the log, admitted by the reviewer; return how many."""
    try:
        written = yaml.safe_load(file.read_text(encoding="utf8"))
        cases = [Case.model_validate(fields) for fields in written]
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ConfigError(
            f"{file} is no YAML list of cases ({' '.join(str(error).split())[:200]}): correct it"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"{file}: {place} is {first['input']!r:.80}, expected: {first['msg']}; correct it") from error
    for case in cases:
        for expectation in case.expectations:
            registry.validate(expectation)
    return admit(cases, reviewer, "written by hand", now)


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
    return len(store.append("decisions", signed))


def retire(case_ids: Sequence[str], reviewer: str, reason: str, now: datetime) -> int:
    """Take cases out of the evaluation set, each with the same reason; return how many.

    Raises:
        ConfigError: One of them is not in the set, or the reason is empty.
    """
    found = batches.fold()
    cases = {case.case_id: case for case in found.cases}
    unknown = [name for name in case_ids if name not in cases]
    if unknown or not reason.strip():
        what = f"{unknown[0][:80]} is not in the evaluation set" if unknown else "the reason is empty"
        raise ConfigError(f"{what}, expected admitted cases and why they go: say it again; nothing was retired")
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
    return len(store.append("decisions", signed))


def import_decisions(file: Path, now: datetime) -> int:
    """Append the decisions of a filled sheet to the log; return how many."""
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{file} cannot be read as CSV in UTF-8 ({error}): save it so again") from error
    missing = {"candidate_id", "digest", *ANSWERS} - set(rows[0] if rows else [])
    if missing:
        raise ConfigError(f"{file} lacks the columns {sorted(missing)}, expected an exported sheet: export it again")
    there = batches.opened()
    found = decisions(rows, waiting(), now, str(file), there.name if there else "")
    store.append("decisions", found)
    return len(found)
