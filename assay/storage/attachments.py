"""The contents of attachments: files under their hashes, read whole or refused, and as models are sent them."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assay.errors import DataError
from assay.records.attachment import Attachment, MediaType
from assay.storage import atomic

FOLDER = "data/attachments"
"""Folder of the project: `<sha256>.<suffix>` a file, written once and never changed."""
MOST_BYTES = 10 * 1024 * 1024
"""Of one attachment: endpoints take little more, and a request holds it as text, a third longer."""
_BEGINNINGS: dict[MediaType, bytes] = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "application/pdf": b"%PDF-",
}
_RIFF: dict[bytes, MediaType] = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_AUDIO = {"audio/wav": "wav", "audio/mpeg": "mp3"}
"""By type: the format as OpenAI's API names it."""


def media_type(content: bytes) -> MediaType | None:
    """Return what a content is, by its first bytes; None for anything that may not be attached."""
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12])
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if content[:3] == b"ID3" or (content[:1] == b"\xff" and content[1:2] in (b"\xfb", b"\xf3", b"\xf2", b"\xfa")):
        return "audio/mpeg"
    return next((kind for kind, beginning in _BEGINNINGS.items() if content.startswith(beginning)), None)


def identify(file: Path, where: str) -> Attachment:
    """Return the attachment that a file would be.

    Args:
        file: Anywhere.
        where: What a message calls the place that names it.

    Raises:
        DataError: It is not there, too large, or of no type that may be attached.
    """
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise DataError(
            f"{where}: the attachment {file.name[:80]!r} cannot be read ({error.strerror}), expected a file beside the "
            "cases: correct its path"
        ) from error
    if size > MOST_BYTES:
        raise DataError(
            f"{where}: the attachment {file.name[:80]!r} has {size:,} bytes, expected at most {MOST_BYTES:,}: make it "
            "smaller"
        )
    kind = media_type(content)
    if kind is None:
        raise DataError(
            f"{where}: the attachment {file.name[:80]!r} begins {content[:8]!r}, expected PNG, JPEG, GIF, WebP, PDF, "
            "WAV or MP3: convert it"
        )
    return Attachment(sha256=hashlib.sha256(content).hexdigest(), media_type=kind, name=file.name[:200])


def place(attachment: Attachment) -> Path:
    """Return where the content of an attachment lies in the project."""
    return Path(FOLDER, attachment.file_name)


def keep(files: Mapping[Attachment, Path]) -> None:
    """Copy contents into the project, where they are not there yet.

    Raises:
        DataError: One has changed since it was identified.
    """
    for attachment, file in files.items():
        target, content = place(attachment), file.read_bytes()
        if hashlib.sha256(content).hexdigest() != attachment.sha256:
            raise DataError(f"{file.name} has changed while it was taken in, expected it as it was: import it again")
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic.replacing(target) as whole:
                whole.write(content)


def is_kept(attachment: Attachment) -> bool:
    """Tell whether the project has a content, without reading it."""
    return place(attachment).is_file()


def require_kept(files: Iterable[Attachment]) -> None:
    """Refuse attachments whose content the project has not.

    Raises:
        DataError: The text names the first one.
    """
    for one in files:
        if not is_kept(one):
            raise missing(one)


def load(attachment: Attachment) -> bytes:
    """Return the content of an attachment.

    Raises:
        DataError: It is not there, or is another one.
    """
    path = place(attachment)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise missing(attachment) from error
    if hashlib.sha256(content).hexdigest() != attachment.sha256:
        raise DataError(f"{path} has another content than its name says, expected it as it was: restore it from Git")
    return content


def missing(attachment: Attachment) -> DataError:
    """Return the error that says which content is not there."""
    return DataError(
        f"{place(attachment)} is missing, the attachment {attachment.label[:80]!r}, expected its content: restore it "
        "from Git, run `dvc pull`, or import the case again"
    )


def data_url(attachment: Attachment) -> str:
    """Return the content as a data URL."""
    return f"data:{attachment.media_type};base64,{encoded(attachment)}"


def encoded(attachment: Attachment) -> str:
    """Return the content in Base64."""
    return b64encode(load(attachment)).decode()


def part(attachment: Attachment) -> dict[str, Any]:
    """Return the content part of a message in OpenAI's shape."""
    if attachment.kind == "image":
        return {"type": "image_url", "image_url": {"url": data_url(attachment)}}
    if attachment.kind == "audio":
        audio = {"data": encoded(attachment), "format": _AUDIO[attachment.media_type]}
        return {"type": "input_audio", "input_audio": audio}
    return {"type": "file", "file": {"filename": attachment.label, "file_data": data_url(attachment)}}


def content(text: str, attachments: Iterable[Attachment]) -> str | list[dict[str, Any]]:
    """Return the content of a message: its text, or that and the parts of its attachments."""
    parts = [part(one) for one in attachments]
    return [{"type": "text", "text": text}, *parts] if parts else text
