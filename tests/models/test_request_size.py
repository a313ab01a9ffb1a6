"""The size of a request: a file counts as one, however many letters its content takes."""

from pathlib import Path

import pytest

from assay.models.request_size import FILE_TOKENS, prompt_tokens
from assay.storage import attachments
from tests.attached import PDF, PNG, WAV


def test_a_file_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: 400 bytes of text are 100 tokens; of a megabyte in files each counts as one file."""
    monkeypatch.chdir(tmp_path)
    found = []
    for name, content in (("a.png", PNG), ("b.pdf", PDF), ("c.wav", WAV)):
        (tmp_path / name).write_bytes(content + b"\0" * 300_000)
        one = attachments.identify(tmp_path / name, "here")
        attachments.keep({one: tmp_path / name})
        found.append(one)
    message = {"role": "user", "content": attachments.content("What is it?", found)}
    encoded = sum(len(attachments.data_url(one)) for one in found[:2]) + len(attachments.encoded(found[2]))
    assert prompt_tokens(400 + encoded, [message]) == 100 + 3 * FILE_TOKENS
    assert prompt_tokens(400, [{"role": "user", "content": "What is it?"}, {"role": "assistant"}]) == 100
