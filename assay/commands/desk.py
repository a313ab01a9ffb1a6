"""Desk: the page on which people decide on candidates and label answers, wired to data/.

Reads what is open and what was said, appends what people say to the logs of data/decisions and data/labels. Asks
nobody but people.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from assay.commands import accept, health, labels
from assay.desk.app import create
from assay.desk.candidate_queue import CandidateQueue, Sitting, sitting
from assay.desk.label_queue import LabelQueue, Pile
from assay.desk.log_cache import Live
from assay.desk.pages import Guide
from assay.desk.request import Desk
from assay.desk.reviewers import People
from assay.errors import BusyError, ConfigError
from assay.evalset.health import Proposal
from assay.evalset.unfailing import unfailing
from assay.judges import prompt
from assay.judges.prompt import JUDGES_FOLDER
from assay.project import files
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import labelling
from assay.project.tables.registry import TABLES
from assay.project.taxonomy import read_taxonomy
from assay.records.record import Record
from assay.stages import batches
from assay.storage import hash_chain

HOST = "127.0.0.1"
Act = Callable[[batches.Action, str, str, datetime], str]
"""Does what a person asks of the open batch, and tells whoever waits for its end."""
Version = tuple[tuple[int, int], ...]
LOGS = ("decisions", "batches", "answers")


def people() -> People:
    """Return who may sit at the desk."""
    return People(files.private("desk/people.json").parent)


def desk(now: Callable[[], datetime], act: Act) -> Desk:
    """Return the desk of this project.

    Raises:
        DataError: A log was tampered with, or the open batch is not what was opened.
    """
    settings = read_params("review", batches.Settings)
    url = urlsplit(settings.desk)
    candidates = CandidateQueue(Live(_sitting, _batch_version, _sign("decisions", _batch_version), Sitting.add))
    answers = Live(_pile, _labelling_version, _sign("answers", _labelling_version), Pile.add)
    return Desk(
        people=people(),
        candidates=candidates,
        labels=LabelQueue(answers),
        guide=_Guide(),
        upkeep=_Upkeep(now),
        close=lambda who, note: _close(act, who, note, now()),
        hand_over=lambda: f"{labels.hand_over()} labels handed over: `assay calibrate` counts them.",
        unopened=lambda: len(batches.waiting()),
        now=now,
        hosts=tuple({HOST, "localhost", url.hostname or HOST}),
        is_secure=url.scheme == "https",
    )


def serve(port: int, act: Act) -> None:
    """Show the desk on loopback until the process is stopped.

    Raises:
        BusyError: Something else listens on the port.
        ConfigError: Nobody was invited yet.
    """
    import uvicorn

    if not people().all():
        raise ConfigError("nobody may sit at the desk yet, expected at least one person: `assay desk --invite NAME`")
    mend()
    app = create(desk(lambda: datetime.now(UTC), act))
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="warning", access_log=False, workers=1))
    print(f"assay: the desk is at http://{HOST}:{port}", flush=True)  # noqa: T201 - the command's own voice
    try:
        server.run()
    except SystemExit as error:
        raise BusyError(f"port {port} is taken: choose another with --port") from error


def mend() -> None:
    """Drop what a killed desk left half written at the end of a log: nobody was told that it was kept."""
    for name in LOGS:
        if TABLES[name].exists():
            with hash_chain.held(TABLES[name].file()) as log:
                hash_chain.mend(log)


class _Guide:
    """What reviewers are told; read again when the evaluation set has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[Version, Guide] | None = None

    def __call__(self) -> Guide:
        with self._lock:
            version = _version("cases")
            if self._known is None or self._known[0] != version:
                self._known = (version, _guide())
            return self._known[1]


class _Upkeep:
    """What keeps the evaluation set telling."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def proposals(self) -> list[Proposal]:
        return health.at(self._now()).proposals

    def retire(self, case_id: str, revision: str, who: str, reason: str) -> str:
        accept.retire([case_id], who, reason, self._now(), {case_id: revision})
        return f"{case_id} is retired: the next `assay grow` takes it out."


def _guide() -> Guide:
    cases = {case.case_id: case for case in CASES.read(may_be_absent=True)}
    judges = prompt.load_all()
    return Guide(
        taxonomy={one.category: one for one in read_taxonomy()},
        admitted=Counter(case.category for case in cases.values()),
        case=cases.get,
        can_fail=lambda case: not unfailing([case], judges),
    )


def _sitting() -> tuple[Sitting, Version]:
    version = _batch_version()
    there = batches.opened()
    candidates = batches.frozen(there.name) if there else []
    return sitting(there, candidates, batches.words() if there else []), version


def _pile() -> tuple[Pile, Version]:
    version = _labelling_version()
    return labels.waiting(labelling()), version


def _sign(name: str, version: Callable[[], Version]) -> Callable[[Any, Any], tuple[Any, Any] | None]:
    """Return what appends a row to a log, if its files are still as they were read."""

    def sign(row: Record, seen: Version) -> tuple[Record, Version] | None:
        with hash_chain.held(TABLES[name].file()) as log:
            if version() != seen:
                return None
            (signed,) = hash_chain.append(log, [row])
            return signed, version()

    return sign


def _batch_version() -> Version:
    return _version("decisions", "batches")


def _labelling_version() -> Version:
    """Return what the tables of labels are like now, and the judges, whose rubrics and scales people are shown."""
    judges = sorted((files.root() / JUDGES_FOLDER).glob("*/*"))
    marks = tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in judges if file.is_file())
    return _version("answers", "items", "labels", "draws") + marks


def _version(*names: str) -> Version:
    """Return what files are like now: which they are, and how long; an empty one is like none."""
    paths = [TABLES[name].file() for name in names]
    stats = [file.stat() if file.is_file() else None for file in paths]
    return tuple((one.st_ino, one.st_size) if one and one.st_size else (0, 0) for one in stats)


def _close(act: Act, who: str, note: str, now: datetime) -> str:
    try:
        return act("go on", who, note, now)
    except ConfigError as error:
        return f"{error}."
