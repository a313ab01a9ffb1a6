"""The answer is one JSON value that a JSON Schema allows: nothing but JSON, and of the declared shape.

Drafts 4 to 2020-12; `format` is asserted; `$ref` leads only to parts of the same schema, and nothing is fetched.
"""

from typing import Annotated, Any, Literal

import jsonschema_rs
from pydantic import Field

from assay.checks.finding import Finding, judged, misshapen, quote, undecided
from assay.checks.form import Form, as_json
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.checks.schema_text import compiled
from assay.checks.shape import read_object, require_values
from assay.records.case import Expectation
from assay.records.response import Response

PLACED = 100_000
"""Characters of an answer up to which the place of a violation is looked for."""
OF_VALUE = {
    *("const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords that an answer of the right shape breaks by a wrong value."""


class JsonSchema(Form):
    """The answer is JSON of a shape."""

    check: Literal["json-schema", "not-json-schema"]
    asked: Annotated[dict[str, Any], Field(alias="schema", description="A JSON Schema.")]

    @classmethod
    def fields_of(cls, expectation: Expectation) -> dict[str, Any]:
        """Return what an expectation on file says beside the check."""
        require_values(expectation, 1, 1)
        return {"schema": read_schema(expectation)} | ({"exact": True} if expectation.exact else {})

    def require(self, expectation: Expectation) -> None:
        """Refuse a schema that leads elsewhere or unfolds to too much."""
        compiled(expectation, read_schema(expectation))

    def kept(self) -> dict[str, Any]:
        """Return the fields of the record, beside the check and the examples."""
        return {"values": [as_json(self.check, self.asked)]}


FORM = JsonSchema


def score(expectation: Expectation, response: Response) -> Finding:
    """Read the whole answer and hold it against the schema; what cannot be read safely is left undecided."""
    try:
        value = read_json(response.text)
    except NotJsonError as error:
        return misshapen(f"the answer is not JSON: {error}")
    except UnreadableError as error:
        return undecided(f"the answer cannot be read: {error}")
    return conforms(expectation, value, place=len(response.text) <= PLACED)


def read_schema(expectation: Expectation) -> dict[str, Any]:
    """Return the schema in the one value.

    Raises:
        DataError: It is no JSON object.
    """
    return read_object(expectation, expectation.values[0])


def conforms(expectation: Expectation, value: Any, *, place: bool) -> Finding:  # noqa: ANN401 - any JSON value
    """Hold a JSON value against the schema in the one value; `place` says whether to look for where it breaks."""
    validator, itself = compiled(expectation, read_schema(expectation))
    try:
        if validator.is_valid(value):
            return judged(passed=True, detail="the JSON is as the schema asks")
        # The search for a place is not memoised as the verdict is: in a recursive schema it can take forever.
        if itself or not place:
            return misshapen("the JSON is not as the schema asks")
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        where = quote(".".join(map(str, error.instance_path))) if error.instance_path else "the top"
        detail = f"at {where}: {quote(error.message)}"
        return judged(passed=False, detail=detail) if error.kind.name in OF_VALUE else misshapen(detail)
    except ValueError as error:
        return undecided(f"the JSON cannot be held against the schema: {quote(str(error))}")
    raise AssertionError("the validator refused and allowed one and the same value")
