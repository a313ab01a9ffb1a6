"""How many tokens a request may take, as far as its size tells beforehand."""

from collections.abc import Mapping, Sequence
from typing import Any

BYTES_A_TOKEN = 4
"""Of English and of JSON, about; only budgets and forecasts are made of it."""
FILE_TOKENS = 1_500
"""Of an attached file, roughly: models count pictures and pages, and no Base64."""
FILES = {"image_url": "url", "input_audio": "data", "file": "file_data"}
"""By type of a content part: where its content stands."""


def prompt_tokens(size: int, messages: Sequence[Mapping[str, Any]]) -> int:
    """Return about how many tokens a request has.

    Args:
        size: Of its body, in bytes.
        messages: Of the request, whose files count by themselves.
    """
    parts = [part for one in messages if isinstance(one.get("content"), list) for part in one["content"]]
    files = [str(part[part["type"]][FILES[part["type"]]]) for part in parts if part["type"] in FILES]
    return (size - sum(map(len, files))) // BYTES_A_TOKEN + FILE_TOKENS * len(files)
