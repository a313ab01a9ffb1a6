"""Markdown in which whatever people, models and users wrote stands as text and as nothing else."""

import re

from assay.report.texts import visible

SHOWN = 300
"""Characters of a text that are shown."""
MARKUP = re.compile(r"([\\`*_\[\]<>|~&!#:$@])")
"""What could make a heading, a link, a table cell, HTML or a mention of what people wrote."""
BARE_LINK = re.compile(r"(?i)\bwww\.")


def escaped(text: str, shown: int = SHOWN) -> str:
    """Return a text that Markdown shows as it is, on one line, cut to so many characters."""
    line = " ".join(str(visible(text)).split())
    cut = line if len(line) <= shown else f"{line[:shown]} ..."
    return BARE_LINK.sub(lambda match: match[0][:3] + "\\.", MARKUP.sub(r"\\\1", cut))
