"""Attachments: what may be one, where its content lies, and that no other content is ever taken for it."""

import hashlib
from base64 import b64decode
from pathlib import Path

import pytest

from assay.errors import DataError
from assay.records.attachment import SUFFIXES, Attachment, described
from assay.storage import attachments
from tests.attached import HTML, PDF, PNG, SVG, WAV


def kept(folder: Path, name: str, content: bytes) -> Attachment:
    """Return an attachment whose content is in the project, the current folder."""
    file = folder / name
    file.write_bytes(content)
    one = attachments.identify(file, "here")
    attachments.keep({one: file})
    return one


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (PDF, "application/pdf"),
        (WAV, "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        *((one, None) for one in (SVG, HTML, b"", b"MZ", b"PK\x03\x04", b"RIFF\0\0\0\0AVI ", b" %PDF-", b"\xff\xfe")),
    ],
)
def test_the_content_says_what_it_is(content: bytes, found: str | None) -> None:
    """A type is told from the first bytes, whatever the file's name; markup, programs and archives are none."""
    assert attachments.media_type(content) == found


def test_nothing_that_scripts_stand_in_has_a_type() -> None:
    """Neither SVG nor HTML is among the types, and each type has a suffix of its own."""
    assert not {one for one in SUFFIXES if "svg" in one or "html" in one or "xml" in one}
    assert len(set(SUFFIXES.values())) == len(SUFFIXES)


@pytest.mark.parametrize("name", ["x.svg", "x.png"])
def test_another_type_is_refused_whatever_its_name(tmp_path: Path, name: str) -> None:
    """A file of a type that may not be attached is refused with its name and how it begins."""
    (tmp_path / name).write_bytes(SVG)
    with pytest.raises(DataError, match=rf"^here: the attachment '{name}' begins b'<svg.*expected PNG"):
        attachments.identify(tmp_path / name, "here")


def test_a_large_or_absent_file_is_refused(tmp_path: Path) -> None:
    """A byte above the bound is too much; a file that is not there, and a folder, are refused in one sentence."""
    file = tmp_path / "large.png"
    file.write_bytes(PNG + b"\0" * (attachments.MOST_BYTES - len(PNG)))
    assert attachments.identify(file, "here").media_type == "image/png"
    with file.open("ab") as more:
        more.write(b"\0")
    with pytest.raises(DataError, match="10,485,761 bytes, expected at most 10,485,760"):
        attachments.identify(file, "here")
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            attachments.identify(path, "here")


def test_a_content_lies_under_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found again by its hash, whatever it was called, and another content under its name is refused."""
    monkeypatch.chdir(tmp_path)
    one = kept(tmp_path, "Beleg Nr. 7.PNG", PNG)
    sha256 = hashlib.sha256(PNG).hexdigest()
    place = tmp_path / f"data/attachments/{sha256}.png"
    assert (one.sha256, one.name, place.read_bytes()) == (sha256, "Beleg Nr. 7.PNG", PNG)
    assert attachments.load(one) == PNG
    place.write_bytes(PDF)
    with pytest.raises(DataError, match=f"{sha256}.png has another content"):
        attachments.load(one)
    place.unlink()
    with pytest.raises(DataError, match=r"is missing, the attachment 'Beleg Nr\. 7\.PNG'"):
        attachments.load(one)


def test_a_file_that_changes_on_its_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied is what was identified, or nothing."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "x.png"
    file.write_bytes(PNG)
    one = attachments.identify(file, "here")
    file.write_bytes(PDF)
    with pytest.raises(DataError, match="has changed"):
        attachments.keep({one: file})
    assert not (tmp_path / "data").exists()


def test_each_kind_is_sent_in_openai_s_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image is a data URL, audio has its format, a document its name; a message without files is its text."""
    monkeypatch.chdir(tmp_path)
    image, sound, paper = (kept(tmp_path, *one) for one in (("a.png", PNG), ("b.wav", WAV), ("c.pdf", PDF)))
    text, *parts = attachments.content("What is it?", [image, sound, paper])
    assert text == {"type": "text", "text": "What is it?"}
    assert [one["type"] for one in parts] == ["image_url", "input_audio", "file"]
    head, _, data = parts[0]["image_url"]["url"].partition(",")
    assert (head, b64decode(data)) == ("data:image/png;base64", PNG)
    assert (parts[1]["input_audio"]["format"], b64decode(parts[1]["input_audio"]["data"])) == ("wav", WAV)
    assert parts[2]["file"]["filename"] == "c.pdf"
    assert b64decode(parts[2]["file"]["file_data"].removeprefix("data:application/pdf;base64,")) == PDF
    assert attachments.content("What is it?", []) == "What is it?"
    assert described([paper]) == [f"c.pdf (application/pdf, sha256 {paper.sha256})"]
