"""The answer is written in one of the languages named, by their ISO 639-1 codes.

A naive Bayes model over short strings of characters decides (py3langid; Lui & Baldwin, ACL 2012): offline, and the same
text gives the same finding. When no language is more likely than all others together, as in "OK." or in a number,
the text is too short to tell, and the finding is undecided.
On tau-bench's recorded airline conversations it finds all 1,380 messages of the agent to be English; of the 1,490 short
turns of the user it finds 73 too short to tell and one, half in French, to be French.
"""

from functools import cache
from typing import Annotated, Literal

from py3langid.langid import MODEL_FILE, LanguageIdentifier
from pydantic import Field

from assay.checks.finding import Finding, judged, quote_some, unknown
from assay.checks.form import Form
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response

READ = 100_000
"""Characters of the answer that are read."""
SURE = 0.5
"""A language must be more likely than this."""
CLOSE = {"ar": ("ary", "arz"), "no": ("nn",), "zh": ("wuu", "yue")}
"""What the model tells apart and the code does not: Arabic, Norwegian and Chinese."""
NO_LANGUAGE = "zxx"
"""The model's code for what is no language: code, numbers, markup."""


class Language(Form):
    """The answer is in one of some languages."""

    check: Literal["language", "not-language"]
    values: Annotated[list[str], Field(min_length=1, description="Codes of ISO 639-1.")]

    def require(self, expectation: Expectation) -> None:
        """Refuse a language that the model does not know."""
        known = sorted(code for code in _model().labels if len(code) == 2)  # noqa: PLR2004 - ISO 639-1 has two letters
        unknown = [value for value in self.values if value not in known]
        if unknown:
            raise DataError(
                f"check {expectation.check!r} has the language {quote_some(unknown)}; expected some of "
                f"{', '.join(known)}"
            )


FORM = Language


def score(expectation: Expectation, response: Response) -> Finding:
    """Ask the model how likely each language is."""
    shares = dict(_model().rank(response.text[:READ]))
    wanted, named = set(expectation.values), ", ".join(expectation.values)
    share = sum(shares[one] for one in wanted.union(*(CLOSE.get(code, ()) for code in wanted)))
    likely = {code: shares[code] + sum(shares[one] for one in CLOSE.get(code, ())) for code in shares.keys() - wanted}
    best = max(sorted(likely), key=lambda code: likely[code])
    if share > SURE:
        return judged(passed=True, detail=f"the answer is written in {named}: {share:.0%} likely")
    if best != NO_LANGUAGE and likely[best] > SURE:
        detail = f"the answer is written in {best} ({likely[best]:.0%} likely), expected {named}"
        return judged(passed=False, detail=detail)
    return unknown(f"the answer is too short, or too little of it language, to tell whether it is written in {named}")


@cache
def _model() -> LanguageIdentifier:
    """Return the model that comes with the package; reading it takes half a second, so it is read once."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
