"""Attachments in the report: their contents stand in the page itself, as far as it may grow by them."""

from collections.abc import Sequence
from dataclasses import dataclass

from assay.errors import DataError
from assay.records.attachment import Attachment
from assay.storage import attachments

ONE, ALL = 3 * 1024 * 1024, 15 * 1024 * 1024
"""Characters that one content may add to the page, and all of them together."""


@dataclass(frozen=True, kw_only=True)
class FileView:
    """One attachment as the page shows it."""

    file: Attachment
    url: str
    """Its content as a data URL; empty where the page does not hold it."""
    note: str
    """Why not, and where it is."""


class FileViews:
    """Makes the views of one page."""

    def __init__(self) -> None:
        """Begin with an empty page."""
        self._left = ALL

    def of(self, given: Sequence[Attachment]) -> list[FileView]:
        """Return the views of a case's attachments; a content that several cases share is in the page each time."""
        return [self._view(one) for one in given]

    def _view(self, file: Attachment) -> FileView:
        where = f"It is in {attachments.place(file)}."
        try:
            url = attachments.data_url(file)
        except DataError as error:
            return FileView(file=file, url="", note=str(error))
        if len(url) > min(ONE, self._left):
            return FileView(file=file, url="", note=f"Too large for this page. {where}")
        self._left -= len(url)
        return FileView(file=file, url=url, note="")
