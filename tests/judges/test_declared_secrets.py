"""What a person pastes in the wrong place of judge.yaml may be a key: no message repeats it."""

from pathlib import Path

import pytest

from assay.errors import ConfigError
from assay.judges import prompt
from assay.judges.declaration import lacking
from tests.cast import Project
from tests.judges_made import made

KEY = "sk-live-1234"


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (f"{{base_url: 'http://127.0.0.1:1', api_key_env: {KEY}}}", "api_key_env is no name of a variable"),
        (f"{{base_url: 'http://127.0.0.1:1', api_key: {KEY}}}", "model.api_key is no such name here .*api_key_env"),
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(project: Project, model: str, found: str) -> None:
    """The message names the field and what it should hold, and nothing of what stands there."""
    made(project.folder, "tone", model=model)
    with pytest.raises(ConfigError, match=found) as refusal:
        prompt.load("tone")
    assert KEY not in str(refusal.value)
    assert Path("data/judges/tone").is_dir()


def test_an_end_state_of_nothing_is_none(project: Project) -> None:
    """A product without an environment has the end state {}, which meets no requirement of one."""
    made(project.folder, "stock", input="[question, final_state]", requires="[final_state]")
    declared = prompt.load("stock").declared
    assert lacking(declared, {"question": ["Where?"], "final_state": "{}"}) == ["final_state"]
    assert lacking(declared, {"question": ["Where?"], "final_state": '{"stock": 1}'}) == []
