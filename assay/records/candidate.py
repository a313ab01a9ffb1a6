"""The candidate: a proposed case that nobody has admitted yet."""

from typing import ClassVar

from pydantic import Field

from assay.records.case import Case
from assay.records.record import Name, Record

IMPORTED = "import"
"""How a case of another tool was made."""


class Source(Record):
    """The place of a product document that a candidate was made from."""

    document: str
    quote: str
    """Word for word, so that a reviewer sees what the answer rests on."""


class Candidate(Record):
    """A proposed case with where it comes from; nobody has admitted it yet."""

    always_hashed: ClassVar = ("may_repeat", "made", "sources")
    conversions: ClassVar = ()
    candidate_id: Name
    case: Case
    generator: str
    """Fingerprint of the generator."""
    seed: int
    nearest: str
    """The most similar admitted case; empty when the evaluation set is empty."""
    similarity: float = Field(ge=0, le=1)
    may_repeat: str = ""
    """A case that it may say the same as, in other words, for a person to tell; empty where that is unlikely."""
    made: str = ""
    """By which way of generating, such as `category` or `document`; `import` for a case of another tool."""
    sources: list[Source] = Field(default=[])
    """What it rests on, where it was made from documents."""

    def digest(self) -> str:
        """Return the hash of what a reviewer was shown."""
        return self.case.digest()
