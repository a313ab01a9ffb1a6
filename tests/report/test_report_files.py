"""Attachments in the report: what stands in the page itself, and what the page only names."""

from pathlib import Path

import pytest

from assay.records.attachment import Attachment
from assay.report.files import FileViews
from assay.storage import attachments
from tests.attached import PNG

MEGABYTE = 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project without attachments."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(folder: Path, megabytes: float, name: str = "a.png") -> Attachment:
    """Keep an attachment whose content adds so many megabytes of characters to a page."""
    file = folder / name
    head = len("data:image/png;base64,")
    file.write_bytes(PNG.ljust((int(megabytes * MEGABYTE) - head) // 4 * 3, b"\0"))
    one = attachments.identify(file, "here")
    attachments.keep({one: file})
    return one


@pytest.mark.parametrize(("megabytes", "is_shown"), [(0.1, True), (2.999, True), (3.001, False)])
def test_a_large_file_is_named_in_place_of_shown(folder: Path, megabytes: float, *, is_shown: bool) -> None:
    """Up to three megabytes of text a content is in the page; beyond that the page says where it is."""
    file = kept(folder, megabytes)
    (view,) = FileViews().of([file])
    assert view.file == file
    assert view.url == (attachments.data_url(file) if is_shown else "")
    assert view.note == ("" if is_shown else f"Too large for this page. It is in {attachments.place(file)}.")


def test_all_files_together_are_bounded(folder: Path) -> None:
    """Fifteen megabytes are in the page; what would be more is named, and what is still small enough is shown."""
    large, small = kept(folder, 2.8), kept(folder, 0.5, "b.png")
    views = FileViews()
    shown = [bool(view.url) for view in views.of([large] * 6)]
    assert shown == [True] * 5 + [False]
    assert [bool(view.url) for view in views.of([small] * 3)] == [True, True, False]


def test_a_lost_file_is_told_and_takes_no_room(folder: Path) -> None:
    """A content that is not there any more says so in its place."""
    lost = kept(folder, 0.1)
    attachments.place(lost).unlink()
    (view,) = FileViews().of([lost])
    assert (view.url, view.note) == ("", str(attachments.missing(lost)))
