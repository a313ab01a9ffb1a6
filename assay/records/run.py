"""The record of a run: what `assay runs` lists of it, for as long as the project is there."""

import json
import re
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from assay.records.record import Record
from assay.text import plain_json

RUN_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
"""The pattern of a run's id: nothing else becomes part of a path."""
RunId = Annotated[str, StringConstraints(pattern=f"^{RUN_ID}$")]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
MAX_BYTES = 1600
"""Of a record in Git: a night a day is half a megabyte a year."""
LENGTHS = (240, 160, 80, 40)
"""Bytes that a text of a record may have; the first length at which the record is small enough."""
BYTES_AN_ENTRY = 80
"""Of one of several sources or files."""


class Times(Record):
    """Which run a result is of, and when that was."""

    run: str = ""
    """Id of the run; empty where nobody gave it one."""
    began: AwareDatetime | None = None
    ended: AwareDatetime | None = None
    """None for a run that did not end, or where nobody knows."""


class Answers(Record):
    """Where the answers of a run come from: asked by itself, or kept from before."""

    asked: int = Field(ge=0)
    """By the run itself, whether before or after an interruption."""
    continued: int = Field(default=0, ge=0)
    """Of these, before the run was interrupted."""
    kept: int = Field(default=0, ge=0)
    """Asked by an earlier run of the same version."""
    since: AwareDatetime | None = None
    """When the oldest of those that were not asked just now was given."""
    sources: list[str] = Field(default=[])
    """Ids of the earlier runs."""
    is_version_known: bool = False
    """Does the product say, or its declaration, which version it is? Only then may answers be kept."""
    version: str = ""
    """That version, as declared or as the product told it, or the hash that stands for it; empty where it is not known
    or for a run of before this was kept."""
    is_version_told: bool = False
    """Does the product say so itself when it is asked? Nobody can raise it in params.yaml then."""
    undeclared: list[str] = Field(default=[])
    """Files that the product reads and does not declare, so that its version is not known."""


class LastRun(Times):
    """The run whose responses are on file."""

    answers: Answers | None = None
    """Whence they come; None for a run of before this was kept."""


class RunRecord(Record):
    """What Git keeps of a run for ever: its verdict, what it was of, what it used, and the hashes of its files."""

    run: RunId
    began: AwareDatetime | None = None
    ended: AwareDatetime | None = None
    night: str
    """The date of the run."""
    word: str
    """The gate's verdict."""
    sentence: str
    """The first sentence of the report."""
    basis: str = ""
    """What its outcomes rest on: checks, judges, and what these are worth; empty for a run of before this was kept."""
    target: str
    """Fingerprint of the target."""
    baseline: str
    """Fingerprint of the baseline's target; empty before the first."""
    evaluation_set: str
    """Hash of the set's revisions."""
    released: str
    """The release that has this content; empty where there is none."""
    cases: int = Field(ge=0)
    calls: Answers
    """Where the answers of the product come from."""
    cost_usd: float | None = Field(default=None, ge=0)
    """None where no price is declared."""
    overrides: str = ""
    """What differed from params.yaml, as it is said on the command line."""
    assay: str
    """Version of the tool."""
    failures: int = Field(default=0, ge=0)
    """Parts of the run that are missing or not whole."""
    files: dict[str, Md5] = Field(default={})
    """MD5 of each archived file, by name."""
    lost: str = ""
    """Why its files are not archived, where that failed."""

    def encoded(self) -> bytes:
        """Return the record as JSON of at most 1.6 kB; of what is longer texts are cut, and sources left out."""
        for length in LENGTHS:
            data = _json(_cut(self.model_dump(mode="json"), length)) + b"\n"
            if len(data) <= MAX_BYTES:
                return data
        raise ValueError(f"the record of run {self.run} has {len(data)} bytes, expected {MAX_BYTES} at most")


def is_run_id(text: str) -> bool:
    """Tell whether a text is the id of a run, which may be part of a path."""
    return re.fullmatch(RUN_ID, text) is not None


def _cut(fields: dict[str, object], length: int) -> dict[str, object]:
    """Return the fields of a record with every text cut, and with as many sources and undeclared files as fit."""
    shortened = {name: _shortened(value, length) if isinstance(value, str) else value for name, value in fields.items()}
    calls = fields["calls"]
    if isinstance(calls, dict):
        texts = {name: _shortened(value, length) for name, value in calls.items() if isinstance(value, str)}
        lists = {name: value[: length // BYTES_AN_ENTRY] for name, value in calls.items() if isinstance(value, list)}
        lists["undeclared"] = [_shortened(name, BYTES_AN_ENTRY) for name in lists["undeclared"]]
        shortened["calls"] = calls | texts | lists
    return shortened


def _shortened(text: str, length: int) -> str:
    """Return the beginning of a text that has so many bytes at most as JSON."""
    if len(_json(text)) - 2 <= length:
        return text
    kept = text[:length]
    while len(_json(f"{kept}…")) - 2 > length:
        kept = kept[:-1]
    return f"{kept}…"


def _json(value: object) -> bytes:
    return plain_json(json.dumps(value, indent=1, ensure_ascii=False)).encode()
