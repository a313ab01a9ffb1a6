"""Labels from and to the tools that people label with: what they see of an item, and what they are asked of it."""

from collections.abc import Sequence
from pathlib import Path

from assay.interchange import flat_file
from assay.interchange.annotation import files
from assay.interchange.annotation.form import Form, Question
from assay.interchange.label_import import QUESTION, Gathering, Given, Reading
from assay.records.label import Item
from assay.records.verdict import Outcome

__all__ = ["Given", "Reading", "read", "write"]
CHOICES: dict[str, tuple[Outcome, ...]] = {"pass-fail": ("pass", "fail"), "pairwise": ("a", "tie", "b")}


def read(file: Path, *, annotator: str = "", maps: Sequence[str] = ()) -> Reading:
    """Return the labels of a file: a table (.csv, .tsv, .jsonl), or an export of Label Studio or Argilla.

    Of a table the columns rubric_version and labelled_at are read too, and Label Studio's created_at.

    Args:
        file: As the tool wrote it.
        annotator: Who labelled, where the file does not say.
        maps: What words mean, such as `good=pass`; `unscored` is the meaning of a word that is no label.

    Raises:
        DataError: The file is malformed, or an annotator labelled an item twice; the text names the place.
        ConfigError: A text of `maps` is at fault.
    """
    gathering = Gathering(annotator, flat_file.vocabulary(maps))
    for said in files.read(file, _form("pass-fail", ""), gathering):
        gathering.take(said)
    return gathering.reading()


def write(items: Sequence[Item], file: Path, *, rubric: str) -> None:
    """Write items for people to label, blind, in the format that the file's name tells.

    Args:
        items: Answers or pairs; a labelling tool takes one kind at a time.
        file: A name that ends in .csv, .jsonl, .label-studio.json or .argilla.json.
        rubric: What people are told to judge by.

    Raises:
        ConfigError: The name tells no format, or the file cannot be written.
        DataError: A text cannot be written to any file; the sentence names the item.
        ValueError: Answers and pairs are mixed, for a labelling tool, which shows all of them the same buttons.
    """
    asked = sorted({item.question for item in items}) or ["pass-fail"]
    if len(asked) > 1 and file.suffix == ".json":
        raise ValueError("answers and pairs in one labelling project, expected one question: write them apart")
    files.write([_texts(item) for item in items], file, _form(asked[0], rubric))


def _form(question: str, rubric: str) -> Form:
    """Return what people see and are asked; nothing of it tells a verdict, a model, a category or how it was drawn."""
    return Form(
        noun="item",
        key="item_id",
        columns=("item_id", "conversation", "reference", "response_a", "response_b", "rubric"),
        shown=("conversation", "reference"),
        beside=("response_a", "response_b") if question == "pairwise" else ("response_a",),
        guide=("rubric", rubric),
        questions=(Question(QUESTION, CHOICES[question]),),
        who="annotator",
    )


def _texts(item: Item) -> dict[str, str]:
    return {
        "item_id": item.item_id,
        "conversation": "\n".join(item.turns),
        "reference": item.reference,
        "response_a": item.response_a,
        "response_b": item.response_b,
    }
