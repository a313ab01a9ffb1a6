"""Labels from and to the tools that people label with: what they see of an item, and what they are asked of it.

They see what the judge sees, by the names that its prompt has, and answer in its words.
"""

from collections.abc import Sequence
from pathlib import Path

from assay.interchange.annotation import files
from assay.interchange.annotation.form import Form, Question
from assay.interchange.label_import import JUDGE, QUESTION, RUBRIC, Ask, Gathering, Given, Reading, spellings
from assay.judges import questions
from assay.judges.declaration import Declaration
from assay.judges.prompt import JudgePrompt
from assay.records.label import Item

__all__ = ["Given", "Reading", "read", "write"]
KEY = "item_id"
PAIR = ("response_a", "response_b")
BLANK = "\n\n"
"""Between parts of one text: turns, contexts, messages."""


def read(file: Path, *, asked: Ask, annotator: str = "", maps: Sequence[str] = ()) -> Reading:
    """Return the labels of a file: a table (.csv, .tsv, .jsonl), or an export of Label Studio or Argilla.

    Of a table the columns judge, rubric_version and labelled_at are read too, and Label Studio's created_at.

    Args:
        file: As the tool wrote it.
        asked: Returns whose question a row answers.
        annotator: Who labelled, where the file does not say.
        maps: What words mean, such as `good=pass`; `unscored` is the meaning of a word that is no label.

    Raises:
        DataError: The file is malformed, a word is outside of the judge's scale, or an annotator labelled an item
            twice; the text names the place.
        ConfigError: A text of `maps` is at fault.
    """
    gathering = Gathering(annotator, asked, maps)
    for said in files.read(file, _form((), ("x",), Declaration(), ""), gathering):
        gathering.take(said)
    return gathering.reading()


def write(items: Sequence[Item], file: Path, judge: JudgePrompt) -> None:
    """Write items for people to label, blind, in the format that the file's name tells.

    Args:
        items: Answers or pairs, as the judge takes them.
        file: A name that ends in .csv, .jsonl, .label-studio.json or .argilla.json.
        judge: Whose question people answer.

    Raises:
        ConfigError: The name tells no format, or the file cannot be written.
        DataError: A text cannot be written to any file; the sentence names the item.
        ValueError: An item is a pair where the judge takes answers, or the other way round.
    """
    if any((item.question == "pairwise") != judge.declared.is_pair for item in items):
        raise ValueError(f"answers and pairs in one file for {judge.name}, expected what it judges: write them apart")
    names = judge.declared.texts()
    beside = PAIR if judge.declared.is_pair else ("response",) if "response" in names else names[-1:]
    shown = tuple(name for name in names if name not in beside)
    files.write([_texts(item, judge) for item in items], file, _form(shown, beside, judge.declared, judge.rubric))


def _form(shown: tuple[str, ...], beside: tuple[str, ...], declared: Declaration, rubric: str) -> Form:
    """Return what people see and are asked; nothing of it tells a verdict, a model, a category or how it was drawn."""
    return Form(
        noun="item",
        key=KEY,
        columns=(KEY, JUDGE, *shown, *beside, RUBRIC),
        tags=(JUDGE,),
        shown=shown,
        beside=beside,
        guide=(RUBRIC, rubric),
        questions=(Question(QUESTION, tuple(spellings(declared))),),
        who="annotator",
    )


def _texts(item: Item, judge: JudgePrompt) -> dict[str, str]:
    texts = questions.of_item(judge, item, "").shown[0]
    whole = {name: text if isinstance(text, str) else BLANK.join(text) for name, text in texts.items()}
    return {KEY: item.item_id, JUDGE: judge.name, **whole}
