"""Sections: the texts of a prompt, read from between its delimiters.

The prompts of assay/judges and assay/generation see to it that no text can hold a delimiter, so that each stands there
once.
"""

from collections.abc import Iterable

from assay.judges.prompt import SEGMENT
from assay.models.embedded.protocol import RequestError


def sections(prompt: str, names: Iterable[str]) -> dict[str, str]:
    """Return the text of each section that the prompt has, by name.

    Raises:
        RequestError: A section opens twice or does not close.
    """
    found = {}
    for name in names:
        opening, closing = f"<{name}>\n", f"\n</{name}>"
        if opening not in prompt:
            continue
        start = prompt.index(opening) + len(opening)
        end = prompt.find(closing, start)
        if end < 0 or prompt.count(opening) > 1:
            raise RequestError(f"the section <{name}> opens {prompt.count(opening)} times and must open and close once")
        found[name] = prompt[start:end]
    return found


def segments(section: str) -> list[str]:
    """Return the parts of a section that is shown in parts, or the section itself."""
    opening, closing = f"<{SEGMENT}>\n", f"\n</{SEGMENT}>"
    if not section.startswith(opening):
        return [section]
    return [part.removesuffix(closing) for part in section.removeprefix(opening).split(f"\n{opening}")]
