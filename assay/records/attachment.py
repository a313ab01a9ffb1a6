"""The attachment: a file that a case gives with its turns, named by the hash of its content."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from assay.records.record import Record, Text

MediaType = Literal["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "audio/wav", "audio/mpeg"]
"""What may be attached: nothing in which a script could stand, so neither SVG nor HTML."""
SUFFIXES = dict(zip(get_args(MediaType), ("png", "jpg", "gif", "webp", "pdf", "wav", "mp3"), strict=True))
"""By type: how the file of its content ends."""


class Attachment(Record):
    """One file beside the turns of a case; its content lies under its hash."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    media_type: MediaType
    name: Annotated[Text, Field(max_length=200)] = ""
    """As people know it; models are told it too."""

    @property
    def file_name(self) -> str:
        """Return the name under which its content is kept."""
        return f"{self.sha256}.{SUFFIXES[self.media_type]}"

    @property
    def kind(self) -> str:
        """Return `image`, `audio` or `application`."""
        return self.media_type.partition("/")[0]

    @property
    def label(self) -> str:
        """Return what it is called where people or models read of it."""
        return self.name or f"{self.sha256[:8]}.{SUFFIXES[self.media_type]}"


def described(attachments: Sequence[Attachment]) -> list[str]:
    """Return what each attachment is, in words that are other ones for another content."""
    return [f"{one.label} ({one.media_type}, sha256 {one.sha256})" for one in attachments]
