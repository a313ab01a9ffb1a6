"""Narrowing: the part of a batch that somebody works through, kept from page to page in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlencode

from assay.records.candidate import Candidate


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """Which candidates are looked at: those that fit all that is given; an empty field fits all."""

    category: str = ""
    made: str = ""
    """By which way they were made, such as `import`."""
    text: str = ""
    """Words of the id, or of what the user says, in any letter case."""

    def fits(self, one: Candidate) -> bool:
        """Tell whether a candidate is one of them."""
        shown = "\n".join([one.candidate_id, *one.case.turns]).casefold()
        return (
            self.category in ("", one.case.category)
            and self.made in ("", one.made)
            and self.text.strip().casefold() in shown
        )

    def values(self) -> dict[str, str]:
        """Return what is given, by the name of its field in a form."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value}

    def query(self) -> str:
        """Return the end of an address that says it; empty where nothing is given."""
        return f"?{urlencode(self.values())}" if self.values() else ""


ALL = Narrowing()


def narrowing(given: Mapping[str, str]) -> Narrowing:
    """Return what a form or an address narrows to."""
    return Narrowing(**{field.name: given.get(field.name, "") for field in fields(Narrowing)})
