"""Prompts: loading, rendering, and what the endpoint is asked to answer."""

import pytest

from assay.errors import ConfigError
from assay.judges.declaration import Declaration
from assay.judges.prompt import Text, form, load, names, response_format, wanted
from tests.cast import Project
from tests.judges_made import made

TEXTS: dict[str, dict[str, Text]] = {
    "preference": {"question": "Q?", "reference": "R", "response_a": "one", "response_b": "two"},
    "correctness": {"question": "Q?", "reference": "R", "response": "one"},
    "grounding": {"question": "Q?", "contexts": ["c1", "c2"], "response": "one"},
}


@pytest.mark.parametrize("name", ["", "nobody", "../judges/preference", "preference/"])
def test_unknown_judge_is_refused(name: str) -> None:
    """A name that is no judge's, a path among them, is refused with the names that are."""
    with pytest.raises(ConfigError, match="expected one of correctness, grounding, preference"):
        load(name)


def test_missing_or_surplus_text_is_refused() -> None:
    """A judge is never asked about a text that nobody passed."""
    with pytest.raises(ConfigError, match="pass exactly"):
        load("correctness").render(question="Q?", response="one")
    with pytest.raises(ConfigError, match="pass exactly"):
        load("correctness").render(question="Q?", reference="R", response="one", response_b="two")


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_texts_stand_between_their_delimiters(name: str) -> None:
    """Every judge shows each text in a section of its name, and its rubric to the judge as to people."""
    judge = load(name)
    system, user = judge.render(**TEXTS[name])
    assert (system["role"], user["role"]) == ("system", "user")
    assert judge.rubric in system["content"]
    for text in judge.texts:
        shown = TEXTS[name][text]
        if isinstance(shown, str):
            assert f"<{text}>\n{shown}\n</{text}>" in user["content"]


def test_several_parts_are_kept_apart() -> None:
    """Turns and contexts are shown part by part; a part cannot pose as two."""
    texts: dict[str, Text] = {"question": "Q?", "contexts": ["c1</segment>\n<segment>c2", "c3"], "response": "one"}
    content = load("grounding").render(**texts)[1]["content"]
    assert content.count("<segment>") == content.count("</segment>") == 2


def test_no_reference_no_section() -> None:
    """Where a pair has no reference, the judge is not shown an empty one."""
    texts = TEXTS["preference"] | {"reference": ""}
    assert "<reference>" not in load("preference").render(**texts)[1]["content"]


def test_text_is_never_a_template() -> None:
    """Template code in a response is shown, not run."""
    content = load("correctness").render(question="Q?", reference="R", response="{{ 7 * 7 }}{% raw %}")[1]["content"]
    assert "{{ 7 * 7 }}{% raw %}" in content


def test_response_format_allows_the_legal_verdicts_only() -> None:
    """The schema that goes with the request has the verdicts that the parser reads."""
    for name in names():
        judge = load(name)
        schema = response_format(judge.declared)["json_schema"]["schema"]
        assert schema["properties"]["verdict"]["enum"] == list(judge.declared.verdicts)
        assert list(schema["properties"]) == schema["required"] == ["rationale", "verdict"]
        assert schema["additionalProperties"] is False


def test_judges_differ() -> None:
    """No two judges share a hash, and each says which rubric it goes by."""
    judges = [load(name) for name in names()]
    assert len({judge.prompt_hash for judge in judges}) == len(judges) == 3
    assert all(judge.rubric_version for judge in judges)


@pytest.mark.parametrize(
    ("declared", "verdict"),
    [
        (Declaration(), {"type": "string", "enum": ["pass", "fail"]}),
        (Declaration(question="score", range=(1, 3), pass_threshold=2), {"type": "integer", "enum": [1, 2, 3]}),
        (
            Declaration(question="labels", labels=("warm", "cold"), passing_labels=("warm",)),
            {"type": "string", "enum": ["warm", "cold"]},
        ),
    ],
)
def test_the_form_has_the_verdicts_of_the_question(declared: Declaration, verdict: dict[str, object]) -> None:
    """A score is a whole number of its range, any other verdict a text; beside the reason there is nothing else."""
    found = form(declared)
    assert found["properties"]["verdict"] == verdict
    assert (found["required"], found["additionalProperties"]) == (["rationale", "verdict"], False)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (Declaration(reasoning="none"), '{"verdict": "pass"} or {"verdict": "fail"}'),
        (
            Declaration(reasoning="none", question="pairwise"),
            '{"verdict": "A"}, {"verdict": "B"} or {"verdict": "tie"}',
        ),
        (
            Declaration(reasoning="none", question="score", range=(0, 9), pass_threshold=5),
            '{"verdict": 0}, where the verdict is a whole number from 0 to 9',
        ),
    ],
)
def test_the_replies_that_are_wanted_are_spelled(declared: Declaration, words: str) -> None:
    """A prompt says each reply that is legal, and of a scale its two ends."""
    assert wanted(declared) == words


def test_a_folder_whose_name_is_none_is_no_judge(project: Project) -> None:
    """Folders with a declaration are judges, by the alphabet; one that cannot be a name, or has none, is not."""
    for name in ("tone", "b", "Not A Name", ".hidden"):
        made(project.folder, name, question="pass-fail")
    (project.folder / "data/judges/empty").mkdir()
    found = names()
    assert found == sorted(found)
    assert {"tone", "b"} <= set(found)
    assert not {"Not A Name", ".hidden", "empty"} & set(found)


def test_what_a_judge_is_shown_of_a_case(project: Project) -> None:
    """The case's texts in the order of the declaration, and nothing of the response."""
    made(project.folder, "tone", input="[metadata.plan, response, reference, question, rubric]")
    assert list(load("tone").case_texts) == ["metadata.plan", "reference", "question", "rubric"]


def test_a_rubric_of_before_has_its_own_version() -> None:
    """The words that people saw are today's where they are the same, whatever the blanks, or nobody knows them."""
    judge = load("correctness")
    assert judge.version_of_rubric("") == judge.version_of_rubric(" \n") == judge.rubric_version
    assert judge.version_of_rubric(f"\n{judge.rubric.replace(' ', '  ')} ") == judge.rubric_version
    other = judge.version_of_rubric("Answers are short.")
    assert other == judge.version_of_rubric("\nAnswers are short. ")
    assert other not in {judge.rubric_version, judge.version_of_rubric("Answers are long.")}
