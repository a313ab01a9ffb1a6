"""A trial of a judge: what it is shown of a file's items, and what one small trial says."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands import judge_trial
from assay.errors import ConfigError, DataError
from assay.judges import prompt
from tests.cast import Project
from tests.endpoint import completion, serving
from tests.judges_made import made

ROW = {"question": "May I return it?", "response": "Yes.", "rubric": "Names the form.", "metadata.plan": "gold"}


@pytest.fixture
def tone(project: Project) -> Path:
    """A judge that sees the case's own rubric and its plan; return the file of its items."""
    made(project.folder, "tone", input="[question, response, rubric, metadata.plan]", requires="[rubric]")
    return project.folder / "items.jsonl"


def write(file: Path, *rows: object) -> Path:
    """Write a file of items."""
    file.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return file


def without(name: str, **fields: Any) -> dict[str, Any]:
    """Return the row with one field less, and others more."""
    return {key: value for key, value in ROW.items() if key != name} | fields


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("{", "line 2 is not JSON"),
        ([1], "line 2 is no object"),
        (without("response"), "response is ''"),
        (without("rubric"), "case_rubric is ''"),
        (without("response", response=7), "response is '7'"),
        (without("response", response=["a", 7]), "response is "),
        (without("question", qestion="May I?"), "has 'qestion' and no question"),
    ],
)
def test_what_is_no_item_is_refused(tone: Path, row: object, found: str) -> None:
    """A line that the judge could not be asked about is named, with what was expected."""
    with pytest.raises(DataError, match=found):
        judge_trial.of_file(prompt.load("tone"), write(tone, ROW, row))


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        without("rubric", case_rubric=ROW["rubric"]),
        without("metadata.plan", metadata_plan="gold"),
        {**ROW, "id": 7},
    ],
)
def test_inputs_are_named_as_in_the_declaration_or_in_the_prompt(tone: Path, row: dict[str, Any]) -> None:
    """The case's own rubric and metadata reach the judge under either name; what else a row holds does not matter."""
    (one,) = judge_trial.of_file(prompt.load("tone"), write(tone, row))
    assert one.shown == (
        {"question": ROW["question"], "response": "Yes.", "case_rubric": "Names the form.", "metadata_plan": "gold"},
    )


def test_examples_have_the_names_of_the_declaration(tone: Path) -> None:
    """An example is shown with the case's own rubric, as the item is."""
    write(prompt_file(tone, "examples.jsonl"), {**ROW, "label": "pass", "why": "It does."})
    assert "Names the form." in prompt.load("tone").system


def prompt_file(tone: Path, name: str) -> Path:
    """Return the path of a file of the judge."""
    return tone.parent / "data/judges/tone" / name


@pytest.mark.parametrize("count", [0, 21])
def test_nothing_and_too_much_are_refused(tone: Path, count: int) -> None:
    """A trial is of a few items."""
    with pytest.raises(ConfigError, match=f"there are {count} items"):
        judge_trial.try_out("tone", write(tone, *[ROW] * count), ())


def test_a_trial_shows_prompt_reply_and_verdict(tone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the judge was shown, what it replied and how that was read; nothing is filed."""
    before = set(tone.parent.rglob("data/**/*"))
    reply = '{"rationale": "It names none.", "verdict": "fail"}'
    with serving(lambda _: completion(reply)) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        done = CliRunner().invoke(app, ["judges", "try", "tone", "--item", str(write(tone, ROW))])
    assert done.exit_code == 0
    rows = done.output.splitlines()
    assert [row for row in rows if row.startswith(("--- verdict", "--- why"))] == [
        "--- verdict: fail",
        "--- why: It names none.",
    ]
    assert "Names the form." in done.output
    assert set(tone.parent.rglob("data/**/*")) == before
