"""Candidates to people who review elsewhere, and their words back: what they see, and what they are asked of each.

As at the desk nobody sees what others said, and nobody what a model says of a case. Edits are for the desk.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from assay.errors import DataError
from assay.evalset.admission import REASONS, is_reason
from assay.evalset.wording import conversation, expectations, good_answers
from assay.interchange import label_import
from assay.interchange.annotation import files
from assay.interchange.annotation.form import SHOWN, Filled, Form, LeftOut, Question
from assay.records.candidate import Candidate
from assay.records.case import Case

WORDS = ("admit", "reject")
GUIDANCE = (
    "Admit what a real user could say, if exactly what is expected is right. Else reject it and say why. "
    "Whoever wants to change it does so at the desk."
)
FORM = Form(
    noun="candidate",
    key="candidate_id",
    columns=(
        "candidate_id",
        "digest",
        "category",
        "reference",
        "expectations",
        "sources",
        "conversation",
        "nearest",
        "guidance",
    ),
    tags=("digest",),
    shown=("category", "reference", "expectations", "sources"),
    beside=("conversation", "nearest"),
    guide=("guidance", GUIDANCE),
    questions=(
        Question("decision", WORDS),
        Question("reason", REASONS, is_required=False),
        Question("note", (), is_required=False),
    ),
    who="reviewer",
)
FIXED = ("category", "reference", "expectations", "sources", "conversation")
"""Columns that a word is about; in a spreadsheet somebody could change them."""


class Word(NamedTuple):
    """One reviewer's word on one candidate, as a file has it."""

    candidate_id: str
    digest: str
    """Of what was shown."""
    decision: Literal["admit", "reject"]
    reviewer: str
    reason: str
    cells: Mapping[str, Any]
    """What the file says of the candidate."""
    place: str
    """What a message calls the place in the file."""

    def require_unchanged(self, candidate: Candidate) -> None:
        """Refuse a word on something else than was shown.

        Raises:
            DataError: The digest is another one, or somebody changed a cell; the text names it.
        """
        if self.digest != candidate.digest():
            raise DataError(
                f"{self.place}: {self.candidate_id[:SHOWN]} is not as it was exported, expected the digest "
                f"{candidate.digest()[:12]}...: export again and decide again"
            )
        written = texts(candidate, lambda _: None)
        for name in FIXED:
            found = self.cells.get(name)
            if isinstance(found, str) and _bare(found) != _bare(written[name]):
                raise DataError(
                    f"{self.place}: `{name}` is {found[:SHOWN]!r}, expected the cell as exported: restore it, "
                    "and edit the candidate at the desk"
                )


class Reading(NamedTuple):
    """What a file holds."""

    words: list[Word]
    left_out: list[str]
    """One sentence for each kind of thing that is no word, such as drafts: how many, and where the first stands."""


def write(candidates: Sequence[Candidate], case: Callable[[str], Case | None], file: Path) -> None:
    """Write candidates for people to decide on, in the format that the file's name tells.

    Args:
        candidates: What is open.
        case: Returns a case of the evaluation set.
        file: A name that ends in .csv, .jsonl, .label-studio.json or .argilla.json.

    Raises:
        ConfigError: The name tells no format, or the file cannot be written.
        DataError: A text cannot be written to any file; the sentence names the candidate.
    """
    files.write([texts(one, case) for one in candidates], file, FORM)


def read(file: Path, reviewer: str = "") -> Reading:
    """Return the words of a file: a table (.csv, .tsv, .jsonl), or an export of Label Studio or Argilla.

    Args:
        file: As the tool wrote it.
        reviewer: Who decided, where the file does not say.

    Raises:
        DataError: The file is malformed, a word is not one of ours, a rejection says no reason, or a reviewer decided
            on a candidate twice; the text names the place.
    """
    left = LeftOut()
    found: dict[tuple[str, str], Word] = {}
    for said in files.read(file, FORM, left):
        word = _word(said, reviewer)
        before = found.setdefault((word.candidate_id, word.reviewer), word)
        if before is not word:
            raise DataError(
                f"{word.place}: {word.reviewer} has decided on {word.candidate_id[:SHOWN]} in {before.place} too, "
                "expected one word a candidate and reviewer: drop one"
            )
    return Reading(list(found.values()), left.told())


def texts(candidate: Candidate, case: Callable[[str], Case | None]) -> dict[str, str]:
    """Return what people see of a candidate, by column."""
    of = candidate.case
    near = [
        found for name in dict.fromkeys((candidate.may_repeat, candidate.nearest)) if name and (found := case(name))
    ]
    return {
        "candidate_id": candidate.candidate_id,
        "digest": candidate.digest(),
        "category": of.category,
        "reference": good_answers(of),
        "expectations": "\n".join(expectations(of)),
        "sources": "\n".join(f"{source.document}: {source.quote}" for source in candidate.sources),
        "conversation": conversation(of),
        "nearest": "\n\n".join(f"{one.case_id}: {conversation(one)}" for one in near),
    }


def _word(said: Filled, reviewer: str) -> Word:
    place = said.place
    word, reason, note = (_text(said.answers.get(question.name)) for question in FORM.questions)
    if word.casefold() not in WORDS:
        raise DataError(
            f"{place}: decision is {word[:SHOWN]!r}, expected {' or '.join(WORDS)}: correct it, or edit at the desk"
        )
    decision = cast("Literal['admit', 'reject']", word.casefold())
    if decision == "reject" and not is_reason(reason.casefold(), note):
        raise DataError(
            f"{place}: the reason is {reason[:SHOWN]!r}, expected one of {', '.join(REASONS)}, and a note for "
            "the last: say why it is rejected"
        )
    return Word(
        candidate_id=_text(said.key),
        digest=_text(said.tags.get("digest")),
        decision=decision,
        reviewer=label_import.annotator(said.who or reviewer, place, "reviewer"),
        reason=": ".join(filter(None, (reason.casefold() if decision == "reject" else "", note))),
        cells=said.tags,
        place=place,
    )


def _text(found: object) -> str:
    return str(found or "").strip()


def _bare(cell: str) -> str:
    """Return a cell without what a spreadsheet may change by itself: blanks, ends of lines, apostrophes before it."""
    return " ".join(cell.split()).lstrip("' ")
