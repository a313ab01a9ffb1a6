"""Earlier answers: what the product answered before runs had ids, filed so that a run of today finds it.

Version 0.2.0 filed an answer under the date on which it was asked. Here each date of each target becomes a run, and
what was answered then to a case as it is today is filed under it. Reads the evaluation set and the parameters; asks
nobody.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import ValidationError

from assay.errors import ConfigError
from assay.models.journal import Journal, JournaledRun, Refiled
from assay.project import files, params
from assay.project.run_id import ENTROPY, run_id
from assay.project.tables.evalset import CASES
from assay.records.record import digest
from assay.records.response import Response
from assay.stages.execute import Settings, call_key
from assay.targets.filed_fingerprint import tells_version
from assay.targets.settings import TargetSettings

BEGINNING = '{"case_id":'
"""How a response begins, as the journal keeps it."""


class FiledAnswers(NamedTuple):
    """What was filed anew."""

    answers: int
    nights: int
    of_known_version: int
    """Answers of targets whose version is known, so that a later run may keep them."""


def file_earlier_answers(journal: Journal) -> FiledAnswers:
    """File the product's answers that have no run under the run of their target and date; all of them, or none.

    A row is an answer of the product where its key is the one that version 0.2.0 gave it, whatever its text says. One
    to a case that was changed or taken out since stays as it is: nobody will ask that question again.
    """
    runs: dict[tuple[str, str], JournaledRun] = {}
    refiled: list[Refiled] = []
    requests = _requests()
    for key, response in _responses(journal) if requests else ():
        if asked := requests.get((response.case_id, response.revision)):
            run = runs.setdefault((response.epoch, response.target), _run(response))
            new = call_key(response.case_id, asked, response.target, response.trial, run.run)
            refiled.append(Refiled(key, new, run.run, run.began))
    targets = _targets() if refiled else []
    told = {target: any(tells_version(target, settings) for settings in targets) for _, target in runs}
    noted = [run._replace(is_version_known=told[run.target]) for run in runs.values()]
    if refiled:
        journal.refile(noted, refiled)
    known = {run.run for run in noted if run.is_version_known}
    return FiledAnswers(len(refiled), len({night for night, _ in runs}), sum(new.run in known for new in refiled))


def _requests() -> dict[tuple[str, str], str]:
    """Return the hash of what is asked today, by case and revision."""
    return {(case.case_id, case.revision()): case.request() for case in CASES.stream(may_be_absent=True)}


def _responses(journal: Journal) -> Iterator[tuple[str, Response]]:
    """Yield the product's answers that version 0.2.0 filed, by their keys."""
    for key, answer in journal.without_run(BEGINNING):
        with suppress(ValidationError):  # a model's text that begins so; the key would say it too
            response = Response.model_validate_json(answer)
            asked = [response.case_id, response.revision, response.target, response.trial, response.epoch]
            if key == digest(["execute", *asked]):
                yield key, response


def _run(response: Response) -> JournaledRun:
    """Return the run of a target on a date, of no known version as yet; it began and ended as the date did."""
    began = datetime.fromisoformat(response.epoch).replace(tzinfo=UTC)
    chance = bytes.fromhex(digest(response.target)).ljust(ENTROPY, b"\0")
    moment = int(began.timestamp())
    return JournaledRun(run_id(began, chance), moment, moment, response.target, is_version_known=False, has_asked=True)


def _targets() -> list[TargetSettings]:
    """Return the target of params.yaml, and that of each environment beside it."""
    targets = []
    for name in ("", *(file.name[7:-5] for file in sorted(files.root().glob("params.*.yaml")))):
        with suppress(ConfigError), params.overriding(name):  # no run is made with what is at fault
            targets.append(params.read_params("execute", Settings).target)
    return targets
