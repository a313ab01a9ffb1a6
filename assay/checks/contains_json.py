"""The answer holds a JSON object or list, in a code fence or in the middle of prose; with a value, one that it allows.

Only the first one counts: of the code fences if one holds any, else of the whole answer. The value is a JSON Schema, as
for `json-schema`.
"""

from assay.checks.finding import Finding, judged, misshapen, undecided
from assay.checks.json_schema import PLACED, conforms, read_schema
from assay.checks.json_search import find_json
from assay.checks.json_text import NotJsonError, UnreadableError, show
from assay.checks.schema_text import compiled
from assay.checks.shape import require_values
from assay.records.case import Expectation
from assay.records.response import Response


def validate(expectation: Expectation) -> None:
    """Expect no value, or a JSON Schema.

    Raises:
        DataError: It has several, calls, or a schema that `json-schema` would refuse.
    """
    require_values(expectation, 0, 1)
    if expectation.values:
        compiled(expectation, read_schema(expectation))


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
