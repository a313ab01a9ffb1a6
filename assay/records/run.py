"""The record of a run: what `assay runs` lists of it, for as long as the project is there."""

import json
import re
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from assay.records.record import Record

RUN_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
"""The pattern of a run's id: nothing else becomes part of a path."""
RunId = Annotated[str, StringConstraints(pattern=f"^{RUN_ID}$")]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
MAX_BYTES = 1600
"""Of a record in Git: a night a day is half a megabyte a year."""
LENGTHS = (240, 160, 80, 40)
"""Bytes that a text of a record may have; the first length at which the record is small enough."""
BYTES_A_SOURCE = 80


class Times(Record):
    """Which run a result is of, and when that was."""

    run: str = ""
    """Id of the run; empty where nobody gave it one."""
    began: datetime | None = None
    ended: datetime | None = None
    """None for a run that did not end, or where nobody knows."""


class Answers(Record):
    """Where the answers of a run come from: asked by itself, or kept from before."""

    asked: int = Field(ge=0)
    """By the run itself, whether before or after an interruption."""
    continued: int = Field(default=0, ge=0)
    """Of these, before the run was interrupted."""
    kept: int = Field(default=0, ge=0)
    """Asked by an earlier run of the same version."""
    since: datetime | None = None
    """When the oldest of those that were not asked just now was given."""
    sources: list[str] = Field(default=[])
    """Ids of the earlier runs."""
    is_version_known: bool = False
    """Does the product say, or its declaration, which version it is? Only then may answers be kept."""
    undeclared: list[str] = Field(default=[])
    """Files that the product reads and does not declare, so that its version is not known."""


class LastRun(Times):
    """The run whose responses are on file."""

    answers: Answers | None = None
    """Whence they come; None for a run of before this was kept."""


class RunRecord(Record):
    """What Git keeps of a run for ever: its verdict, what it was of, what it used, and the hashes of its files."""

    run: RunId
    began: datetime | None = None
    ended: datetime | None = None
    night: str
    """The date of the run."""
    word: str
    """The gate's verdict."""
    sentence: str
    """The first sentence of the report."""
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

    def encoded(self) -> bytes:
        """Return the record as JSON of at most 1.6 kB; what is longer has its texts cut, and names fewer sources."""
        for length in LENGTHS:
            data = (
                json.dumps(_cut(self.model_dump(mode="json"), length), indent=1, ensure_ascii=False) + "\n"
            ).encode()
            if len(data) <= MAX_BYTES:
                return data
        raise ValueError(f"the record of run {self.run} has {len(data)} bytes, expected {MAX_BYTES} at most")


def is_run_id(text: str) -> bool:
    """Tell whether a text is the id of a run, which may be part of a path."""
    return re.fullmatch(RUN_ID, text) is not None


def _cut(fields: dict[str, object], length: int) -> dict[str, object]:
    """Return the fields of a record with every text cut, and with as many sources as fit."""
    shortened = {name: _shortened(value, length) if isinstance(value, str) else value for name, value in fields.items()}
    calls = fields["calls"]
    if isinstance(calls, dict):
        shortened["calls"] = calls | {"sources": calls["sources"][: length // BYTES_A_SOURCE]}
    return shortened


def _shortened(text: str, length: int) -> str:
    """Return the beginning of a text that has so many bytes at most as JSON."""
    if len(json.dumps(text, ensure_ascii=False).encode()) - 2 <= length:
        return text
    kept = text[:length]
    while len(json.dumps(f"{kept}…", ensure_ascii=False).encode()) - 2 > length:
        kept = kept[:-1]
    return f"{kept}…"
