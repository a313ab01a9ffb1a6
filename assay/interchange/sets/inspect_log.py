"""inspect_ai: the samples of its logs (`.eval` archives, and JSON of version 2) and of its data sets.

One case a sample, whatever the number of epochs. `.eval` is a zip archive with a JSON file a sample; newer ones are
packed with Zstandard, which Python's zip module cannot read before 3.14, so that pyarrow unpacks them here.
"""

import string
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.errors import DataError
from assay.interchange.sets import metadata
from assay.interchange.sets.builder import Draft, Gathering, Listing, one_line, quoted
from assay.interchange.sets.fields import Fields, as_text
from assay.interchange.sets.messages import asked, messages_of
from assay.interchange.sets.source import Row, Source, json_value, listed
from assay.records.case import Case

NAME = "inspect"
SUFFIXES = (".jsonl", ".json")
MEMBER = 64_000_000
"""Bytes of one unpacked sample at most."""
WHOLE = 512_000_000
"""Bytes of all unpacked samples at most."""
SAMPLES = 100_000
ZSTANDARD = 93
HEAD = 30
"""Bytes of the fixed part of a member's own header."""
ENCRYPTED = 1
OF_RUN = (
    *("messages", "output", "scores", "store", "events", "model_usage", "role_usage", "started_at", "completed_at"),
    *("total_time", "working_time", "uuid", "error", "limit", "attachments", "error_retries", "invalidation"),
    *("timelines", "summary"),
)
LETTERS = string.ascii_uppercase


def recognises(found: Source) -> bool:
    """Say whether a file is a log, or rows as a data set has them."""
    if found.kind == "value":
        return "samples" in found.names() and bool(found.names() & {"eval", "version", "status"})
    return found.kind == "archive" or (found.kind == "rows" and {"input", "target"} <= found.names())


def read(found: Source, gathering: Gathering) -> None:
    """Make each sample a case, once."""
    seen: dict[str, Any] = {}
    for place, sample in samples(found, gathering):
        fields = Fields(sample, place, gathering, is_table=found.is_table)
        epoch, named = fields.take("epoch"), fields.take("id", "case_id")
        key = str(named)
        if epoch is not None and key in seen:
            if sample.get("input") != seen[key]:
                raise gathering.fault(
                    place, f": the sample {quoted(key)} has another input than before, expected one an id: rename it"
                )
            gathering.leave("epoch", "of a sample that was met before", place)
            continue
        seen[key] = sample.get("input")
        draft = Draft(place=place, case_id=named)
        _ask(draft, fields, gathering)
        own = fields.inner("metadata")
        metadata.hear(draft, own, gathering)
        own.leave_rest()
        metadata.hear(draft, fields, gathering)
        fields.drop("part", "of a run, outside any case", *OF_RUN)
        fields.leave_rest()
        gathering.add(draft)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:  # noqa: ARG001 - metadata holds all else
    """Return a data set, as inspect's `json_dataset` reads it; a log is what a run writes."""
    rows = []
    for case in cases:
        told = metadata.tell(case)
        said = case.turns[0] if len(case.turns) == 1 else messages_of(case.turns)
        rows.append({"input": said, "target": case.reference, "id": told.pop("case_id"), "metadata": told})
    return listed(rows, suffix)


def _ask(draft: Draft, fields: Fields, gathering: Gathering) -> None:
    """Take the input with its choices, and the targets; one that is a letter stands for its choice."""
    asked(draft, fields.take("input"), "input", gathering)
    target = fields.take("target")
    targets = [as_text(one, draft.place, gathering) for one in (target if isinstance(target, list) else [target])]
    draft.reference = (targets or [""])[0] or draft.reference
    draft.references = targets[1:]
    choices = [as_text(one, draft.place, gathering) for one in fields.items("choices")]
    if choices and len(choices) <= len(LETTERS) and draft.turns:
        listed = [f"{letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
        draft.turns[-1] = "\n".join([draft.turns[-1], "", *listed])
        draft.reference, *draft.references = [_chosen(one, listed) for one in (draft.reference, *draft.references)]
    elif choices:
        gathering.leave("list of choices", "without letters", draft.place)


def _chosen(target: str, listed: Sequence[str]) -> str:
    """Return the choice that a target stands for by its letter, or the target itself."""
    letter = target.strip()
    return next((one for one in listed if letter and one.startswith(f"{letter})")), target)


def samples(found: Source, gathering: Gathering) -> Iterator[Row]:
    """Yield the samples of a log or of a data set, each within bounds."""
    if found.file is not None:
        yield from _unpacked(found.file, gathering)
        return
    if found.kind == "rows":
        yield from found.rows
        return
    samples = found.value.get("samples")
    for number, one in enumerate(samples if isinstance(samples, list) else []):
        if not isinstance(one, dict):
            raise gathering.fault(f"samples[{number}]", f" is {quoted(one)}, expected an object: export it again")
        yield f"samples[{number}]", one
    gathering.leave("set", "of other parts of the log, such as `eval`, `plan` and `results`", "the log")


def _unpacked(file: Path, gathering: Gathering) -> Iterator[Row]:
    """Yield the samples of an archive, each read within bounds."""
    left = WHOLE
    try:
        with zipfile.ZipFile(file) as archive:
            members = [one for one in archive.infolist() if one.filename.startswith("samples/")]
            named = {one.filename for one in members}
            if len(named) < len(members) or len(members) > SAMPLES:
                raise gathering.fault(
                    "samples/",
                    f" has {len(members)} files of {len(named)} names, expected each once, at most {SAMPLES:,}",
                )
            for member in members:
                data = _data(archive, member, min(MEMBER, left), gathering)
                left -= len(data)
                found = json_value(data.decode(), f"{file.name}, {member.filename[:80]}")
                if not isinstance(found, dict):
                    raise gathering.fault(member.filename[:80], f" is {quoted(found)}, expected a sample")
                yield member.filename[:80], found
    except (zipfile.BadZipFile, zlib.error, OSError, UnicodeDecodeError, EOFError, NotImplementedError) as error:
        raise DataError(
            f"{file.name} cannot be unpacked ({one_line(str(error))}), expected an .eval archive: copy it again"
        ) from error
    gathering.leave("set", "of other parts of the log, such as its header and summaries", "the archive")


def _data(archive: zipfile.ZipFile, member: zipfile.ZipInfo, bound: int, gathering: Gathering) -> bytes:
    """Return a member unpacked; what it declares of its size is not trusted."""
    place = member.filename[:80]
    if member.flag_bits & ENCRYPTED:
        raise gathering.fault(place, " is encrypted, expected plain JSON: unlock it first")
    if member.compress_type == ZSTANDARD:
        data = _zstandard(archive, member, bound, gathering)
    else:
        with archive.open(member) as stream:
            data = stream.read(bound + 1)
    if len(data) > bound:
        raise gathering.fault(place, f" unpacks to more than {bound:,} bytes, expected less: leave out what is large")
    return data


def _zstandard(archive: zipfile.ZipFile, member: zipfile.ZipInfo, bound: int, gathering: Gathering) -> bytes:
    import pyarrow as pa

    if archive.fp is None or member.compress_size > bound:
        raise gathering.fault(member.filename[:80], f" has {member.compress_size:,} bytes, expected at most {bound:,}")
    archive.fp.seek(member.header_offset)
    head = archive.fp.read(HEAD)
    archive.fp.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    packed = archive.fp.read(member.compress_size)
    try:
        with pa.input_stream(pa.BufferReader(packed), compression="zstd") as stream:
            data = bytes(stream.read(bound + 1))
    except (pa.ArrowException, OSError) as error:
        raise gathering.fault(
            member.filename[:80], f" is damaged ({one_line(str(error))}), expected a sample"
        ) from error
    if len(data) <= bound and zlib.crc32(data) != member.CRC:
        raise gathering.fault(member.filename[:80], " does not have the checksum that it declares: copy the file again")
    return data
