"""Forms: how an expectation of each kind is written, with its options as fields.

A case on file holds every expectation as one record of texts and calls, whatever its kind, so that all kinds are rows
of one table and their hashes last. A form is the same with a name and a type for each option. A person writes either.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.checks.paths import fault
from assay.checks.shape import read_object, require_number, require_values
from assay.errors import DataError
from assay.records.case import Example, Expectation, ToolCall
from assay.text import first_fault

RECORDED = frozenset({"values", "calls", "exact"})
"""Fields of the record that are no option of their own."""
SHOWN = ("good", "bad")
"""Fields with example answers."""
AMOUNT = r"[0-9]{1,9}(\.[0-9]{1,12})?"


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("a text that is not blank, which occurs in every answer")
    return text


def _path(path: str) -> str:
    if why := fault(path):
        raise ValueError(f"a JSONPath such as $.order.status, or keys joined by dots ({why})")
    return path


Filled = Annotated[str, AfterValidator(_filled)]
Path = Annotated[str, Field(min_length=1), AfterValidator(_path)]
Number = int | float
NotNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(gt=0, le=1)]
Exact = Annotated[bool, Field(description="Compare character by character, also where a reader sees no difference.")]


CONFIG = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Call(BaseModel):
    """A call of a tool that a case expects."""

    model_config = CONFIG
    name: Filled
    arguments: dict[str, Any] | str = Field(
        default={}, description="An object, or its JSON text; `{}` expects the tool, whatever its arguments."
    )


class ExampleForm(BaseModel):
    """An example answer that is more than a text."""

    model_config = CONFIG
    text: str = ""
    calls: list[Call] = Field(default=[])
    contexts: list[str] = Field(default=[])
    final_state: Any = Field(default="", description="A value, or its JSON text.")

    def kept(self) -> dict[str, Any]:
        """Return what a case keeps of it."""
        found = self.model_dump(exclude_unset=True)
        if "calls" in found:
            found["calls"] = [call.model_dump() for call in calls_of("good", self.calls)]
        if not isinstance(self.final_state, str):
            found["final_state"] = as_json("good", self.final_state)
        return found


Examples = list[str | ExampleForm]


class Form(BaseModel):
    """How an expectation of one kind is written."""

    model_config = CONFIG
    check: str
    good: Annotated[Examples, Field(description="Example answers that it has to pass.")] = Field(default=[])
    bad: Annotated[Examples, Field(description="Example answers that it has to fail.")] = Field(default=[])

    @classmethod
    def of(cls, expectation: Expectation) -> Self:
        """Return the form of an expectation on file.

        Raises:
            DataError: It is not written as this kind asks; the text says where, what was found and what was expected.
        """
        examples = {name: list(map(shown, getattr(expectation, name))) for name in SHOWN if getattr(expectation, name)}
        return cls.parse({"check": expectation.check, **cls.fields_of(expectation), **examples})

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Self:
        """Return the form that fields make.

        Raises:
            DataError: As for `of`.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            check = fields["check"]
            is_unknown = error.errors()[0]["type"] == "extra_forbidden"
            known = f" ({check} has {', '.join(cls.options()) or 'no options'})" if is_unknown else ""
            fault_ = first_fault(error, written=fields).replace("Value error, ", "")
            raise DataError(f"check {check!r} has a fault: {fault_}{known}; correct it") from error

    @classmethod
    def options(cls) -> list[str]:
        """Return the names of what can be written beside the check."""
        return [field.alias or name for name, field in cls.model_fields.items() if name not in {"check", *SHOWN}]

    @classmethod
    def fields_of(cls, expectation: Expectation) -> dict[str, Any]:
        """Return what an expectation on file says beside the check, by the names of the form."""
        return _recorded(expectation, RECORDED)

    def require(self, expectation: Expectation) -> None:
        """Refuse what no type can tell, such as a pattern that cannot be compiled; most kinds have no such thing.

        Raises:
            DataError: The expectation, which has this form, could not be scored.
        """

    def can_fail(self) -> bool:
        """Tell whether there is an answer that does not meet it."""
        return True

    def record(self) -> Expectation:
        """Return the expectation as it is kept in a case."""
        examples = {name: kept_examples(getattr(self, name)) for name in SHOWN}
        return Expectation.model_validate({"check": self.check, **self.kept(), **examples})

    def kept(self) -> dict[str, Any]:
        """Return the fields of the record, beside the check and the examples."""
        return {name: value for name, value in self.written().items() if name in RECORDED}

    def written(self) -> dict[str, Any]:
        """Return the fields that somebody wrote, by the names that they have there."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Texts(Form):
    """A kind that compares the answer with texts."""

    values: list[str]
    exact: Exact = False


class Amount(Form):
    """A kind with one number, which is kept in plain digits."""

    amount: ClassVar[str]
    """The name of the number."""

    @classmethod
    def fields_of(cls, expectation: Expectation) -> dict[str, Any]:
        """Return what an expectation on file says beside the check."""
        pattern, of = (r"[0-9]{1,9}", "words") if cls.amount == "words" else (AMOUNT, cls.amount)
        digits = require_number(expectation, of=f"{of}, such as '2'", pattern=pattern)
        number = int(digits) if digits.isdigit() else float(digits)
        return {cls.amount: number} | _recorded(expectation, {"exact"})

    def kept(self) -> dict[str, Any]:
        """Return the fields of the record, beside the check and the examples."""
        digits = f"{Decimal(repr(getattr(self, self.amount))):f}"
        return {"values": [digits.rstrip("0").rstrip(".") if "." in digits else digits]}


class Options(Form):
    """A kind with options, which are kept as the text of one JSON object."""

    kept_beside: ClassVar[frozenset[str]] = frozenset()
    """Fields that are not part of that object."""
    may_be_bare: ClassVar[bool] = False
    """Without an option there is no object."""

    @classmethod
    def fields_of(cls, expectation: Expectation) -> dict[str, Any]:
        """Return what an expectation on file says beside the check."""
        beside = _recorded(expectation, RECORDED - {"values"})
        at_least = 0 if cls.may_be_bare else 1
        require_values(expectation.model_copy(update={"calls": []}), at_least, 1)
        return (read_object(expectation, expectation.values[0]) if expectation.values else {}) | beside

    def kept(self) -> dict[str, Any]:
        """Return the fields of the record, beside the check and the examples."""
        fields = self.written()
        beside = {name: fields.pop(name) for name in self.kept_beside if name in fields}
        options = {name: value for name, value in fields.items() if name not in {"check", *SHOWN}}
        return {"values": [as_json(self.check, options)] if options or not self.may_be_bare else [], **beside}


def shown(example: Example) -> str | dict[str, Any]:
    """Return an example on file as somebody writes it."""
    fields = example.model_dump(exclude_defaults=True)
    return example.text if fields.keys() <= {"text"} else fields


def kept_examples(examples: Examples) -> list[dict[str, Any]]:
    """Return examples as a case keeps them."""
    return [{"text": one} if isinstance(one, str) else one.kept() for one in examples]


def read_examples(written: object) -> object:
    """Return example answers of a whole case as it keeps them; what is none is left to the case.

    Raises:
        DataError: A value in one is nothing that JSON can say.
    """
    try:
        return kept_examples(_EXAMPLES.validate_python(written))
    except ValidationError:
        return written


def calls_of(check: str, calls: list[Call]) -> list[ToolCall]:
    """Return expected calls as they are kept."""
    texts = [one.arguments if isinstance(one.arguments, str) else as_json(check, one.arguments) for one in calls]
    return [ToolCall(name=call.name, arguments=text) for call, text in zip(calls, texts, strict=True)]


def as_json(check: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the one text in which a written value is kept.

    Raises:
        DataError: It is nothing that JSON can say.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
        read_json(text)
    except (NotJsonError, UnreadableError, ValueError, TypeError, RecursionError) as error:
        raise DataError(f"check {check!r} has a value that no JSON can say ({str(error)[:200]}); correct it") from error
    return text


def _recorded(expectation: Expectation, names: frozenset[str] | set[str]) -> dict[str, Any]:
    """Return those fields of the record that somebody filled."""
    return expectation.model_dump(include=set(names), exclude_defaults=True)


_EXAMPLES = TypeAdapter(Examples, config=ConfigDict(strict=True))
