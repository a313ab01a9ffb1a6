"""Answers that were collected before: a file in place of a product."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, ValidationError

from assay.errors import DataError
from assay.records.case import Case
from assay.records.record import Name, Record
from assay.records.response import MadeCall, Message, Response
from assay.targets import json_text
from assay.targets.reply import MOST_TOKENS

BATCH_ROWS = 1000


class Recorded(Record, extra="ignore"):
    """What a row of the file may say; the columns of Response that a run decides by itself are not read."""

    case_id: Name
    text: str
    trial: int = Field(default=0, ge=0)
    revision: str = ""
    """Of the case that was answered; empty when the file does not say."""
    request: str = ""
    """Hash of what was asked, which decides where it is known; empty when the file does not say."""
    status: str = Field(default="ok", pattern="^(ok|error)$")
    error_kind: str = ""
    error: str = ""
    messages: list[Message] = Field(default=[])
    tool_calls: list[MadeCall] = Field(default=[])
    contexts: list[str] = Field(default=[])
    final_state: str = "{}"
    prompt_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)
    completion_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)
    latency_s: float = Field(default=0.0, ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    finish_reason: str = ""

    def answers(self, case: Case) -> bool:
        """Tell whether this is an answer to what a case asks today, as far as the file says."""
        return self.request == case.request() if self.request else self.revision in {"", case.revision()}


class RecordedTarget:
    """A target that asks nobody; its fingerprint is its name and the hash of the file."""

    is_version_known = True

    def __init__(self, name: str, path: Path) -> None:
        """Read the whole file, so that a damaged row is found before anything is done with the others.

        Raises:
            DataError: The file cannot be read, or a row is damaged or there twice; the text has its number.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(
                f"{path}: {error.strerror}, expected recorded answers: correct execute.target.path"
            ) from error
        self.version = f"recorded-{hashlib.sha256(content).hexdigest()[:8]}"
        self.fingerprint = f"{name}@{self.version}"
        self.reported: set[str] = set()
        self._path = path
        self._found: dict[tuple[str, int], Recorded] = {}
        for number, row in _rows(path, content):
            found = _read(path, number, row)
            if (found.case_id, found.trial) in self._found:
                raise DataError(
                    f"{path}, row {number}: {found.case_id} has an answer for trial {found.trial} already, "
                    "expected one for each: number them with the column trial"
                )
            self._found[found.case_id, found.trial] = found

    @property
    def undeclared(self) -> list[str]:
        """Return no file: the answers are all that there is."""
        return []

    async def respond(self, case: Case, trial: int, epoch: str) -> Response:
        """Return the recorded answer; where there is none for this case as it reads now, an `empty` one.

        `empty`, for nothing was asked that could fail on the way: the product has said nothing to this case.
        """
        found = self._found.get((case.case_id, trial))
        if found is None:
            found = self._missing(case, trial, f"holds no answer for trial {trial}")
        elif not found.answers(case):
            found = self._missing(case, trial, "holds an answer to an earlier wording of the case")
        given = found.model_dump(exclude={"revision", "request"})
        return Response(revision=case.revision(), target=self.fingerprint, epoch=epoch, **given)

    def _missing(self, case: Case, trial: int, why: str) -> Recorded:
        error = f"{self._path.name} {why}"
        return Recorded(case_id=case.case_id, trial=trial, text="", status="error", error_kind="empty", error=error)


def _read(path: Path, number: int, row: Any) -> Recorded:  # noqa: ANN401 - whatever the file holds
    try:
        known = {name: value for name, value in row.items() if value is not None} if isinstance(row, dict) else row
        found = Recorded.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the row"
        raise DataError(
            f"{path}, row {number}: {place} is {first['input']!r:.200} ({first['msg']}), expected the columns of "
            "Response, or case_id and text: correct the row"
        ) from error
    if (found.status == "error") != bool(found.error_kind):
        raise DataError(
            f"{path}, row {number}: status is {found.status!r} and error_kind {found.error_kind[:80]!r}, expected both "
            "to tell of an error or neither: correct the row"
        )
    return found


def _rows(path: Path, content: bytes) -> Iterator[tuple[int, Any]]:
    """Yield every row with its number, from 1."""
    if path.suffix == ".parquet":
        yield from _parquet(path, content)
        return
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json_text.load(line)
        except ValueError as error:
            raise DataError(
                f"{path}, row {number}: {str(error)[:200]}, expected one JSON object a line: correct the row"
            ) from error


def _parquet(path: Path, content: bytes) -> Iterator[tuple[int, Any]]:
    number = 0
    try:
        for batch in pq.ParquetFile(pa.BufferReader(content)).iter_batches(BATCH_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        found = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path}, after row {number}: {found}, expected a whole Parquet file: write it again"
        ) from error
