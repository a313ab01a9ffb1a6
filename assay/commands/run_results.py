"""The results of runs, of the accepted baseline, and of a Git revision, from the tables that they left."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from assay.errors import ConfigError, DataError
from assay.evalset.families import families
from assay.judges import prompt
from assay.project import files, results
from assay.project.archive import RUNS
from assay.project.certificates import read_certificates
from assay.project.programs import content, git, md5, outputs
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.project.whose import filed_by
from assay.records.case import Case
from assay.records.response import Response
from assay.records.result import TrialResult, VersionResults
from assay.records.run import RunRecord, is_run_id
from assay.records.verdict import CHECK, Subject, Verdict
from assay.report.findings import blocking_of, deciding, outcome_of, scorers_of, spoken
from assay.stages import night
from assay.storage import parquet
from assay.text import first_fault, printable

UNCALIBRATED, UNKNOWN = "uncalibrated", "not on record"
TABLES = (RESPONSES.path, VERDICTS.path)


class ProjectSet:
    """What today's project knows of cases and scorers: categories, families, expectations, which judges decide."""

    @cached_property
    def cases(self) -> dict[str, Case]:
        """Return the cases of today's set by id."""
        return {case.case_id: case for case in CASES.read(may_be_absent=True)}

    @cached_property
    def revisions(self) -> dict[str, str]:
        """Return the revision of each of them."""
        return {case_id: case.revision() for case_id, case in self.cases.items()}

    @cached_property
    def families(self) -> dict[str, str]:
        """Return the family of each that has others in it."""
        return families(self.cases.values())

    @cached_property
    def blocking(self) -> list[prompt.JudgePrompt]:
        """Return the judges without whose pass no case passes."""
        return blocking_of(prompt.load_all())

    @cached_property
    def excepted(self) -> dict[str, list[str]]:
        """Return by judge the categories that its certificate leaves out."""
        return {name: held.excepted for name, held in read_certificates().items()}

    def results(
        self, subject: Subject, responses: Iterable[Response], verdicts: Iterable[Verdict], *, checks_only: bool
    ) -> list[TrialResult]:
        """Return one result a case and trial, as the report folds verdicts into outcomes.

        A case that today's set has otherwise than the responses are of is scored by the verdicts that are on file.
        """
        answered, said = defaultdict[str, list[Response]](list), defaultdict[str, list[Verdict]](list)
        for response in responses:
            answered[response.case_id].append(response)
        for verdict in verdicts:
            if verdict.subject == subject:
                said[verdict.item_id].append(verdict)
        return [
            row
            for case_id, rows in answered.items()
            if not checks_only or any(one.scorer.startswith(CHECK) for one in said[case_id])
            for row in self._of_case(case_id, rows, said[case_id], checks_only=checks_only)
        ]

    def _of_case(
        self, case_id: str, rows: Sequence[Response], said: Sequence[Verdict], *, checks_only: bool
    ) -> Iterator[TrialResult]:
        case = self.cases.get(case_id)
        blocking = [] if checks_only else self.blocking
        here = deciding(blocking, case, self.excepted) if case else blocking
        words = spoken(said, here)
        if case and all(row.revision == self.revisions[case_id] for row in rows):
            expected = scorers_of(case, rows, here)
        else:
            most = max(Counter(one.trial for one in words).values(), default=0)
            expected = {row.trial: most for row in rows}
        outcome = outcome_of(rows, words, expected, Counter())
        fell = {one.trial for one in words if one.outcome != "pass"}
        for row in rows:
            yield TrialResult(
                case_id,
                row.trial not in fell if outcome in ("pass", "fail") else None,
                category=case.category if case else "",
                family=self.families.get(case_id, ""),
                layer=case.layer if case else "",
                scorers=_by_name(one for one in said if one.trial == row.trial),
                cost_usd=row.cost_usd,
                latency_s=row.latency_s if row.status == "ok" else None,
                revision=row.revision,
            )


def of_run(record: RunRecord, name: str) -> VersionResults:
    """Return the results of a run from its archived tables, or from those in the workspace where they are its own.

    Raises:
        ConfigError: They are not here.
        DataError: They are damaged.
    """
    archived = [files.root() / RUNS / record.run / Path(table).name for table in TABLES]
    if not all(_is(file, record.files.get(file.name, "")) for file in archived):
        if filed_by() != record.run:
            raise ConfigError(_elsewhere(record))
        archived = [files.root() / table for table in TABLES]
    source = f"run {record.run} of {record.night}, target {record.target}"
    return _of_tables(archived, name, source, record.run, record.basis)


def of_baseline(name: str) -> VersionResults:
    """Return the results of the accepted answers, as the last run scored them.

    Raises:
        ConfigError: Nothing was accepted yet.
    """
    found = night.gather()
    if not found.baseline:
        raise ConfigError("there is no baseline yet, expected accepted answers: `assay accept` after a good run")
    # The run scored the accepted answers by its own cases, whatever these were when the answers were given.
    scored_by = {row.case_id: row.revision for row in found.responses}
    rows = [row.model_copy(update={"revision": scored_by.get(row.case_id, row.revision)}) for row in found.baseline]
    known, basis = ProjectSet(), results.published_basis()
    return VersionResults(
        name=name,
        source=f"the accepted baseline, target {found.provenance.baseline}",
        identity="baseline",
        basis=basis or UNKNOWN,
        results=known.results("baseline", rows, found.verdicts, checks_only=False),
        is_certified=_is_certified(basis),
        by_checks=known.results("baseline", rows, found.verdicts, checks_only=True),
    )


def of_revision(commit: str, name: str) -> VersionResults:
    """Return the results that a commit holds: of the run whose verdict it has, or else of the tables in its dvc.lock.

    Args:
        commit: Hash of a commit.
        name: What sentences call it.

    Raises:
        ConfigError: It holds none, or only DVC has them.
    """
    if record := _recorded(commit, name):
        return of_run(record, name)._replace(identity=record.run)
    lock = content(commit, "dvc.lock")
    wanted = outputs(lock, "execute") | outputs(lock, "judge") if lock else {}
    if not all(table in wanted for table in TABLES):
        raise ConfigError(
            f"{name} has neither a run in {RUNS} nor verdicts in dvc.lock, expected results: name a commit that was "
            "made after a night (`git log -- data/reports/gate.json`)"
        )
    here = [files.root() / table for table in TABLES]
    if not all(_is(file, wanted[table]) for file, table in zip(here, TABLES, strict=True)):
        raise ConfigError(
            f"the results of {name} are not here, only DVC's cache or remote has them, expected both tables: `dvc "
            f"pull` them in a clone at that commit (`git worktree add FOLDER {commit[:12]}`), and compare there"
        )
    basis = json.loads(content(commit, results.METRICS) or b"{}").get("basis", "")
    return _of_tables(here, name, f"the tables of commit {commit[:12]}", f"{commit}", str(basis))


def commit_of(revision: str) -> str:
    """Return the hash of the commit that a revision of Git names; empty where it names none."""
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except ConfigError:
        return ""


def _recorded(commit: str, name: str) -> RunRecord | None:
    """Return the record of the run whose verdict a commit has, or of its newest run; None where it has none."""
    listed = git("ls-tree", "--name-only", commit, f"{RUNS}/").splitlines()
    runs = sorted(run for file in listed if file.endswith(".json") and is_run_id(run := Path(file).stem))
    if not runs:
        return None
    try:
        decided = json.loads(content(commit, results.GATE) or b"{}").get("run", "")
        run = decided if decided in runs else runs[-1]
        return RunRecord.model_validate_json(content(commit, f"{RUNS}/{run}.json") or b"")
    except (ValidationError, ValueError, AttributeError) as error:
        raise DataError(
            f"{name} has a damaged record or verdict of its run ({printable(error)[:120]}), expected both whole: name "
            "another commit"
        ) from error


def _of_tables(tables: Sequence[Path], name: str, source: str, identity: str, basis: str) -> VersionResults:
    known = ProjectSet()
    responses = list(parquet.rows(tables[0], Response, RESPONSES.order, tables[0].name, first_fault))
    verdicts = list(parquet.rows(tables[1], Verdict, VERDICTS.order, tables[1].name, first_fault))
    return VersionResults(
        name=name,
        source=source,
        identity=identity,
        basis=basis or UNKNOWN,
        results=known.results("target", responses, verdicts, checks_only=False),
        is_certified=_is_certified(basis),
        by_checks=known.results("target", responses, verdicts, checks_only=True),
    )


def _is_certified(basis: str) -> bool:
    return bool(basis) and UNCALIBRATED not in basis


def _by_name(verdicts: Iterable[Verdict]) -> dict[str, bool | None]:
    """Return what each scorer said; checks of one kind, of which a case may have several, pass when all of them do."""
    said: dict[str, bool | None] = {}
    for one in verdicts:
        name = f"{CHECK}{one.scorer.split('-', 1)[-1]}" if one.scorer.startswith(CHECK) else one.scorer
        passed = None if one.outcome == "unscored" else one.outcome == "pass"
        before = said.get(name, True)
        said[name] = None if passed is None or before is None else passed and before
    return said


def _elsewhere(record: RunRecord) -> str:
    tracking = f"{RUNS}/{record.run}.dvc"
    if not record.files:
        return (
            f"the tables of run {record.run} were not archived ({record.lost or 'publish.keep was 0'}), expected them: "
            "compare another run (`assay runs` lists them)"
        )
    back = "" if files.exists(tracking) else f"its archive is pruned, `git log --all -- {tracking}` finds it; then "
    return (
        f"the tables of run {record.run} are not here, only DVC's cache or remote has them, expected both: {back}run "
        f"`dvc pull {tracking}`, then this again"
    )


def _is(file: Path, wanted: str) -> bool:
    return bool(wanted) and file.is_file() and md5(file) == wanted
