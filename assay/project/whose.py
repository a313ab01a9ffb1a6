"""Whose: of which run are the tables and the report that lie here, beside the verdict of which?

Git brings the verdict of another machine's run, DVC its tables and its report: until both have, they are of two runs.
"""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from assay.errors import DataError
from assay.project import archive, files, results
from assay.project.answers import SHORT
from assay.project.programs import md5
from assay.project.results import REPORT
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS


class TwoRuns(NamedTuple):
    """The run of the responses on file is not the run of the verdict."""

    filed: str
    """Id of the run that filed the responses."""
    decided: str
    """Id of the run that the verdict is of."""

    def sentence(self) -> str:
        """Return that, and what to do."""
        is_behind = self.filed < self.decided
        cure = (
            "`dvc pull` brings its tables and its report, or `assay nightly` makes new ones"
            if is_behind
            else "`assay repro` publishes them, or `assay nightly` begins anew"
        )
        of = "its tables are not here yet" if is_behind else "nobody has published the later one"
        return (
            f"the responses on file are of run {self.filed[:SHORT]}, and the verdict is of run {self.decided[:SHORT]} "
            f"({of}): {cure}"
        )


def filed_by() -> str:
    """Return the run that filed the responses on file; empty where there are none, or nobody can tell."""
    with suppress(DataError):
        return next((row.run for row in RESPONSES.stream(may_be_absent=True)), "")
    return ""


def two_runs() -> TwoRuns | None:
    """Return of which runs responses and verdict are, where these are two.

    None too where nobody can tell, and while a night is on or did not end: then the verdict is no run's.
    """
    if results.is_unfinished():
        return None
    with suppress(DataError):
        filed, decided = filed_by(), results.published().run
        return TwoRuns(filed, decided) if filed and decided and filed != decided else None
    return None


class ReportOnFile(NamedTuple):
    """The report that lies here."""

    file: Path
    run: str
    """Id of its run; empty where it has none."""

    def whose(self, run: str) -> str:
        """Return whose report it is, as an addition to the word; `run` is the one that was asked about."""
        which = "a later run" if run and self.run > run else "the run before"
        return f" of {which} ({self.run[:SHORT] or 'without an id'})"


def report_on_file() -> ReportOnFile | None:
    """Return the report that lies here, with its run; None where there is none, or nobody can tell.

    It was published with the verdict on file, unless Git has brought that one from elsewhere.
    """
    of_verdict = results.reported()
    if of_verdict is None:
        return None
    file, run, filed = files.root() / REPORT, of_verdict.run, filed_by()
    record = archive.known(run)
    published = record.files.get(file.name, "") if record else ""
    # Where nothing is archived of it: a report is published after the responses, so it is of none that are later.
    is_own = md5(file) == published if published else (not run or filed in ("", run) or filed > run)
    return ReportOnFile(file, run if is_own else filed)


def conclude() -> None:
    """Let a night that was killed have ended, once other commands have judged and published the rest of its run."""
    with suppress(DataError):
        run = results.published().run
        if any(row.run == run for row in VERDICTS.stream(may_be_absent=True)):
            results.end_interrupted(run)
