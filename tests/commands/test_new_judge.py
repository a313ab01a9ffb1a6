"""A new judge's folder: it can be loaded as it is, and its declaration names all that it could say."""

import re

import pytest

from assay.commands import judges
from assay.judges import prompt
from assay.judges.declaration import OF_ANSWER, OF_CASE
from tests.cast import Project


@pytest.mark.parametrize("question", judges.SCALES)
def test_a_declaration_names_what_it_could_say(project: Project, question: str) -> None:
    """Each input has its name in the file, and so has what decides; taken out of the comment each line is legal."""
    judges.new("tone", question, "Courteous.")
    file = project.folder / "data/judges/tone/judge.yaml"
    text = file.read_text()
    for name in (*OF_CASE, *OF_ANSWER, "metadata.<key>", "inputs.<name>", "blocks", "policy", "applies_to", "model"):
        assert re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", text), name
    assert ("thresholds: {tone: 5}" in text) == (question == "score")
    assert prompt.load("tone").declared.blocks == (question != "pairwise")
    file.write_text(text.replace("# blocks: false", "blocks: false"))
    assert not prompt.load("tone").declared.blocks
