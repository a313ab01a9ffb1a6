"""The prompt of another tool's grader as a rubric of ours, and its numbers as a scale of whole ones.

A grader writes the answer and the parts of a case into its instruction. Ours never do: each stands as data in a section
of its own, and the rubric points to that section. No template is run; a text that asks for more than naming a value is
refused.
"""

import math
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from assay.interchange.sets import templates
from assay.interchange.sets.model_graded import Unfit
from assay.judges import inputs
from assay.judges.declaration import INPUTS, LEAST, WHOLE, text_name
from assay.records.named import is_name

RESPONSE = "response"
FACTORS = (1, 10, 100)
"""By what a scale is multiplied so that its numbers are whole."""
HALF = Fraction(1, 2)
MORE = "it does more than name a value: write what it does in plain words"
NUMBER = re.compile(r"-?[0-9]{1,4}")


class Dialect(NamedTuple):
    """How a tool writes names into its prompts."""

    hole: re.Pattern[str]
    """Matches a name, which is its first group."""
    literal: Callable[[str], str]
    """Returns the text that stands between two names, or raises `Unfit`."""


class Rubric(NamedTuple):
    """A grader's prompt as a rubric."""

    text: str
    inputs: list[str]
    """What the judge is shown, in the order in which the prompt names it."""


class Scale(NamedTuple):
    """A scale of whole numbers that stands for another tool's."""

    range: tuple[int, int]
    threshold: int
    factor: int


def rubric(title: str, texts: Iterable[str], dialect: Dialect, input_of: Callable[[str], str]) -> Rubric:
    """Return a grader's prompt as a rubric that points to what it names.

    Args:
        title: A line.
        texts: Of its messages.
        dialect: How they name what a case or an answer holds.
        input_of: Returns the input that a name stands for, or raises `Unfit`.

    Raises:
        Unfit: A text does more than name values, or there is none.
    """
    shown: dict[str, None] = {}
    paragraphs = []
    for text in filter(str.strip, texts):
        parts, end = list[str](), 0
        for found in dialect.hole.finditer(text):
            one = input_of(found[1])
            shown[RESPONSE if one.startswith(f"{RESPONSE}_") else one] = None
            parts += [dialect.literal(text[end : found.start()]), _pointer(one)]
            end = found.end()
        paragraphs.append("".join([*parts, dialect.literal(text[end:])]).strip())
    if not paragraphs:
        raise Unfit("it says nothing to go by: give it a prompt")
    return Rubric("\n\n".join([f"# {title}", *paragraphs]) + "\n", list(shown))


def input_named(path: str) -> str:
    """Return the name of the input that holds what stands at a path of a row, such as `inputs.order_id`.

    Raises:
        Unfit: No input can have that name.
    """
    name = "_".join(re.findall(r"[\w-]+", path)).replace("-", "_")
    if not is_name(name):
        raise Unfit(f"no input can be called {name[:40]!r}: name the column in letters, digits and _")
    return f"{INPUTS}{name}"


def scale(lowest: object, highest: object, threshold: object) -> Scale:
    """Return a scale of whole numbers for one of any numbers.

    Args:
        lowest: Of the other tool's scale.
        highest: Of it.
        threshold: From which number on an answer passes; None for half of the scale.

    Raises:
        Unfit: These are no such numbers, or whole ones cannot stand for them.
    """
    low, high = _number(lowest, "range"), _number(highest, "range")
    limit = (low + high) * HALF if threshold is None else _number(threshold, "pass_threshold")
    fitting = [one for one in FACTORS if _is_whole(low * one, high * one) and LEAST <= (high - low) * one < WHOLE]
    if not fitting:
        raise Unfit(f"its range [{low}, {high}] is no scale of {LEAST + 1} to {WHOLE} steps: give it another")
    exact = [one for one in fitting if _is_whole(limit * one)]
    factor = 1 if 1 in fitting else (exact or fitting[-1:])[0]
    passing = math.ceil(limit * factor)
    if not low * factor < passing <= high * factor:
        raise Unfit(f"from its threshold {limit} on every score of [{low}, {high}] passes, or none: correct it")
    return Scale((int(low * factor), int(high * factor)), passing, factor)


def scaled(found: Scale) -> str:
    """Return the paragraph that says how a score is written where the scale is not the prompt's own; else nothing."""
    if found.factor == 1:
        return ""
    return f"Write each score times {found.factor}, as a whole number from {found.range[0]} to {found.range[1]}.\n"


def _literal(text: str) -> str:
    """Return a text that is all of a double-braced template between two names."""
    if any(mark in text for mark in templates.MARKS):
        raise Unfit(MORE)
    return text


def _unescaped(text: str) -> str:
    """Return a text between two names of a single-braced template; its doubled braces are single ones."""
    plain = text.replace("{{", "{").replace("}}", "}")
    if inputs.names(plain):
        raise Unfit(MORE)
    return plain


def _pointer(name: str) -> str:
    return f"{{{{{name}}}}}" if name.startswith(INPUTS) else f"(what stands in <{text_name(name)}>)"


def _number(found: object, what: str) -> Fraction:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise Unfit(f"its {what} holds {str(found)[:40]!r}, expected a number: correct it")
    return Fraction(str(found))


def _is_whole(*numbers: Fraction) -> bool:
    return all(number.denominator == 1 for number in numbers)


DOUBLE = Dialect(templates.HOLE, _literal)
"""`{{ item.name }}`, as OpenAI's graders have it."""
MUSTACHE = Dialect(re.compile(r"\{\{[{&]?\s*([A-Za-z_][\w.]{0,200})\s*\}?\}\}", re.ASCII), _literal)
"""`{{{name}}}`, as autoevals has it."""
SINGLE = Dialect(re.compile(r"(?<!\{)\{([A-Za-z_]\w{0,99})\}(?!\})", re.ASCII), _unescaped)
"""`{name}`, as OpenAI's model-graded specifications have it."""
