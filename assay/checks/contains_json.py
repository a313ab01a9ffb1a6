"""The answer holds a JSON object or list, in a code fence or in the middle of prose; with a schema, a fitting one.

Only the first one counts: of the code fences if one holds any, else of the whole answer. The schema is one as of
`json-schema`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged, misshapen, undecided
from assay.checks.form import Form, as_json
from assay.checks.json_schema import PLACED, conforms, read_schema
from assay.checks.json_search import find_json
from assay.checks.json_text import NotJsonError, UnreadableError, show
from assay.checks.schema_text import compiled
from assay.checks.shape import require_values
from assay.records.case import Expectation
from assay.records.response import Response


class ContainsJson(Form):
    """The answer holds JSON."""

    check: Literal["contains-json", "not-contains-json"]
    asked: Annotated[dict[str, Any] | None, Field(alias="schema", description="A JSON Schema.")] = None

    @classmethod
    def fields_of(cls, expectation: Expectation) -> dict[str, Any]:
        """Return what an expectation on file says beside the check."""
        require_values(expectation, 0, 1)
        schema = {"schema": read_schema(expectation)} if expectation.values else {}
        return schema | ({"exact": True} if expectation.exact else {})

    def require(self, expectation: Expectation) -> None:
        """Refuse a schema that `json-schema` would refuse."""
        if expectation.values:
            compiled(expectation, read_schema(expectation))

    def kept(self) -> dict[str, Any]:
        """Return the fields of the record, beside the check and the examples."""
        return {"values": [] if self.asked is None else [as_json(self.check, self.asked)]}


FORM = ContainsJson


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for the first JSON; what cannot be read safely is left undecided."""
    try:
        value = find_json(response.text)
    except NotJsonError as error:
        return misshapen(f"the answer holds no JSON: {error}")
    except UnreadableError as error:
        return undecided(f"the answer cannot be read: {error}")
    if expectation.values:
        return conforms(expectation, value, place=len(response.text) <= PLACED)
    return judged(passed=True, detail=f"the answer holds {show(value)}")
