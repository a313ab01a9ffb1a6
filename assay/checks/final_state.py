"""The environment ended in the state that was asked for: what the product did, whatever it said.

Each state is a path and what has to stand there, such as `{path: "$.orders['PL-1042'].status", equals: refunded}`;
where the path leads to several places, each must be so. All states must hold.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from assay.checks.differences import differences
from assay.checks.finding import Finding, judged, quote, undecided
from assay.checks.form import Form, Path, as_json
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.checks.paths import places
from assay.checks.shape import read_object, require_values
from assay.records.case import Expectation
from assay.records.response import Response


class State(BaseModel):
    """What stands at one place of the end state."""

    model_config = Form.model_config
    path: Path
    equals: Any


class FinalState(Form):
    """The environment ended in a state."""

    check: Literal["final-state", "not-final-state"]
    states: Annotated[list[State], Field(min_length=1)]

    @classmethod
    def fields_of(cls, expectation: Expectation) -> dict[str, Any]:
        """Return what an expectation on file says beside the check."""
        require_values(expectation, 1, None)
        exact = {"exact": True} if expectation.exact else {}
        return {"states": [read_object(expectation, value) for value in expectation.values]} | exact

    def kept(self) -> dict[str, Any]:
        """Return the fields of the record, beside the check and the examples."""
        return {"values": [as_json(self.check, one.model_dump()) for one in self.states]}


FORM = FinalState


def score(expectation: Expectation, response: Response) -> Finding:
    """Look up each path in the end state; a state that cannot be read is left undecided."""
    try:
        state = read_json(response.final_state)
    except (NotJsonError, UnreadableError) as error:
        return undecided(f"the final state cannot be read: {error}")
    for wanted in FinalState.of(expectation).states:
        try:
            found = places(wanted.path, state)
        except LookupError as error:
            return judged(passed=False, detail=f"the final state has no {quote(wanted.path)}: {error}")
        for place in found:
            if first := next(differences(wanted.equals, place.value, subset=False, at=place.location), None):
                return judged(passed=False, detail=str(first))
    return judged(passed=True, detail=f"the final state holds all {len(expectation.values)} values")
