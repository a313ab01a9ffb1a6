"""The number in the answer is the expected one, within a tolerance.

One tolerance is needed, `absolute` or `relative`; 0 asks for equality. The number is the last one of the answer; with
`path`, the one at that path of the JSON in the answer. It is read as English writes it (1,234.5), or with `decimal:
","` as German does (1.234,5); spaces and apostrophes may group digits too. A percent sign is a unit like any other: 12
% is 12. A minus counts when no letter or digit stands before it, so that 10-12 ends in 12. Invisible characters are not
there. Arithmetic is decimal and exact.
"""

import re
from collections import deque
from decimal import Context, Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assay.checks.finding import Finding, judged, misshapen, quote, undecided
from assay.checks.folding import visible
from assay.checks.form import NotNegative, Number, Options, Path
from assay.checks.json_search import find_json
from assay.checks.json_text import NotJsonError, UnreadableError, show
from assay.checks.paths import places
from assay.records.case import Expectation
from assay.records.response import Response

DIGITS = 1_000
"""Characters of a number that is read."""
POWER = 10
"""Characters of a power of ten, the e included."""
SPACES = "\u00a0\u2009\u202f'\u2019"
"""What groups digits beside the comma or the point: spaces that do not break, and apostrophes."""
EXACT = Context(prec=2 * DIGITS, traps=[])
"""Overflow is infinity here, and infinity is within no tolerance."""


class Numeric(Options):
    """The number in the answer is the expected one."""

    check: Literal["numeric", "not-numeric"]
    equals: Number
    absolute: Annotated[NotNegative | None, Field(description="How far off the number may be.")] = None
    relative: Annotated[NotNegative | None, Field(description="The same, as a share of the expected number.")] = None
    path: Annotated[Path | None, Field(description="Where the number stands in the JSON of the answer.")] = None
    decimal: Annotated[Literal[".", ","], Field(description="What separates the decimals.")] = "."

    @model_validator(mode="after")
    def _has_one_tolerance(self) -> Self:
        if (self.absolute is None) == (self.relative is None):
            raise ValueError("one tolerance, `absolute` or `relative`")
        return self


FORM = Numeric


def score(expectation: Expectation, response: Response) -> Finding:
    """Find the number and compare it; without one the answer is misshapen, with one too long it is undecided."""
    asked = Numeric.of(expectation)
    try:
        found = _number(response.text, asked)
    except (NotJsonError, LookupError) as error:
        return misshapen(f"the answer holds no number to compare: {error}")
    except UnreadableError as error:
        return undecided(f"the answer cannot be read: {error}")
    expected = Decimal(str(asked.equals))
    if asked.relative is not None:
        allowed = EXACT.multiply(Decimal(str(asked.relative)), expected.copy_abs())
    else:
        allowed = Decimal(str(asked.absolute))
    passed = EXACT.subtract(found, expected).copy_abs() <= allowed
    return judged(
        passed=passed, detail=f"the answer is {_plain(found)}, expected {_plain(expected)} within {_plain(allowed)}"
    )


def _number(text: str, asked: Numeric) -> Decimal:
    """Return the number that is meant."""
    if asked.path is not None:
        found = places(asked.path, find_json(text))
        if len(found) > 1:
            raise LookupError(f"{quote(asked.path)} leads to {len(found)} values, expected one")
        value = found[0].value
        if type(value) in (int, float):
            return Decimal(str(value))
        if not isinstance(value, str):
            raise LookupError(f"{quote(asked.path)} is {show(value)}")
        text = value
    text = visible(text)
    numbers = deque(_pattern(asked.decimal).finditer(text), maxlen=1)
    if not numbers:
        raise LookupError(f"no number in {quote(text)}")
    last = numbers.pop()
    if len(last.group()) > DIGITS:
        raise UnreadableError(f"a number of {len(last.group())} characters")
    sign, whole, fraction, power = (part or "" for part in last.groups())
    if len(power) > POWER:
        raise UnreadableError(f"a power of ten of {len(power) - 1} digits")
    digits = re.sub(r"[^0-9]", "", whole) or "0"
    point = "." if fraction else ""
    return Decimal(f"{'' if sign in {'', '+'} else '-'}{digits}{point}{fraction}{power}")


def _pattern(decimal: str) -> re.Pattern[str]:
    """Return the pattern of a number: sign, digits in groups of three or not, fraction, power of ten."""
    group = "," if decimal == "." else "."
    sign = r"(?:(?<!\w)([-+\u2010\u2011\u2212])[$\u20ac\u00a3\u00a5]?)?"
    whole = rf"((?:[0-9]{{1,3}}(?:[{group}{SPACES}][0-9]{{3}})+(?![0-9]))|[0-9]+)?"
    return re.compile(rf"{sign}(?=[{decimal}]?[0-9]){whole}(?:[{decimal}]([0-9]+))?([eE][-+]?[0-9]+)?")


def _plain(number: Decimal) -> str:
    return quote(str(number))[1:-1]
