"""A regular expression matches somewhere in the answer, as RE2 reads it: in linear time, whatever the pattern.

So there are no back-references and no look-around; `(?i)`, `(?s)` and `^`, `$` are as elsewhere. The answer is read as
it is written and as `folding` has it; the pattern, which may ask for a typographic character, is never folded.
"""

from typing import Annotated, Literal

import re2
from pydantic import Field

from assay.checks.finding import Finding, judged, quote, undecided
from assay.checks.folding import compared
from assay.checks.form import Filled, Texts
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response

PROGRAM = 10_000
"""Instructions of a compiled pattern at most; `[A-Z]{2}-[0-9]{4}` has 13, `\\pL+` 1,201."""
ANY = ("", "\n", "\u4f55\u3082 0\n~")
"""Texts that nothing asks for, and that a pattern which matches whatever it is given matches."""
STEPS = 300_000_000
"""Instructions times bytes of an answer at most: about a second in the worst case."""


class Regex(Texts):
    """A pattern matches."""

    check: Literal["regex", "not-regex"]
    values: Annotated[list[Filled], Field(min_length=1, max_length=1, description="A pattern in RE2's syntax.")]

    def require(self, expectation: Expectation) -> None:
        """Refuse a pattern that RE2 does not take, or that compiles to too much."""
        pattern = _compiled(expectation)
        if pattern.programsize > PROGRAM:
            raise DataError(
                f"check {expectation.check!r} has the pattern {quote(expectation.values[0])}, which compiles to "
                f"{pattern.programsize} instructions; expected at most {PROGRAM}: repeat less, or name fewer characters"
            )

    def can_fail(self) -> bool:
        """Tell whether an empty and a foreign text do not both match, as they do with `.*`."""
        if self.check != "regex":
            return True
        pattern = _compiled(self.record())
        return not all(pattern.search(text.encode()) for text in ANY)


FORM = Regex


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for the pattern; an answer too long for a large pattern is left undecided."""
    pattern = _compiled(expectation)
    for form in dict.fromkeys([response.text, compared(expectation, response.text)]):
        text = form.encode(errors="surrogatepass")
        if len(text) * pattern.programsize > STEPS:
            return undecided(f"the answer has {len(text)} bytes, too many to read with {quote(expectation.values[0])}")
        if found := pattern.search(text):
            shown = quote(found.group().decode(errors="replace"))
            return judged(passed=True, detail=f"the answer matches with {shown}")
    return judged(passed=False, detail=f"nothing in the answer matches {quote(expectation.values[0])}")


def _compiled(expectation: Expectation) -> re2._Regexp:
    """Return the pattern compiled, without RE2's own log lines."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expectation.values[0], options)
    except (re2.error, UnicodeEncodeError) as error:
        raise DataError(
            f"check {expectation.check!r} has the pattern {quote(expectation.values[0])}, which RE2 does not take "
            f"({_reason(error)}); expected one without back-references and look-around: rewrite it"
        ) from error


def _reason(error: Exception) -> str:
    """Return why a pattern was refused; RE2 says it in bytes."""
    said = error.args[0] if error.args else ""
    return quote(said.decode(errors="replace") if isinstance(said, bytes) else str(error))
