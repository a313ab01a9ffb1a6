"""Graders that have a model choose: autoevals' templates and openai/evals' specifications become judges."""

from pathlib import Path
from typing import Any

import pytest

from assay.errors import ConfigError, DataError
from assay.interchange.sets import registry
from tests.interchange.sets.shop import taken

FACTS = {
    "prompt": "Compare.\n[Question]: {{{input}}}\n[Expert]: {{{expected}}}\n[Reply]: {{{output}}}\n(A) to (E)?",
    "choice_scores": {"A": 0.4, "B": 0.6, "C": 1, "D": 0, "E": 1},
}
BATTLE = {
    "prompt": "[1] {{{instructions}}}\n{{{output}}}\n[2] {{{instructions}}}\n{{{expected}}}\nIs the first better?",
    "choice_scores": {"Yes": 1.0, "No": 0.0},
}
CLOSED = {
    "prompt": "Task: {input}\nReply: {completion}\nCriterion: {criteria}\nPrint {{Y}} or {{N}}.",
    "eval_type": "cot_classify",
    "choice_scores": {"Y": 1.0, "N": 0.0},
    "choice_strings": "YN",
    "args": {"criteria": {"short": "Is it short?", "kind": "Is it {kind}, {{inputs.x}}?"}},
    "input_outputs": {"input": "completion"},
}
DUEL = {
    "prompt": "{input1}\n{completion1}\n{input2}\n{completion2}\nIs the first better?",
    "choice_strings": ["Yes", "No", "Same"],
    "choice_scores": {"Yes": 1.0, "No": 0.0, "Same": 0.5},
    "input_outputs": {"input1": "completion1", "input2": "completion2"},
}
FUNNY = {
    "prompt": "Funny, from 1 to 5?\n{completion}",
    "choice_strings": "12345",
    "choice_scores": "from_strings",
    "input_outputs": {"input": "completion"},
}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"prompt": "Is it {{#each}}{{output}}{{/each}}?"}, "does more than name a value"),
        ({"prompt": "Is it fine?"}, "names no answer"),
        ({"prompt": "{{{output}}} of {{__choices}}"}, "write the choices out"),
        ({"prompt": "{{output.text}}"}, "a part of `output`"),
        ({"choice_scores": {"A": 1}}, "all score"),
        ({"choice_scores": {"A": 1, "B": 1}}, "all score 0.5 or more"),
        ({"choice_scores": {"A": 1, "B": None}}, "the choice 'B' scores 'None'"),
        ({"choice_scores": {"A": 1, "B": float("nan")}}, "the choice 'B' scores 'nan'"),
        ({"choice_scores": {"A": 1, "a": 0}}, "fewer than two different"),
    ],
)
def test_a_template_that_no_judge_can_be(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    """A template that a judge cannot stand for is told with the reason, and a file of such alone is refused."""
    with pytest.raises(DataError, match="holds no case .1 template named `x`, that no judge can be") as caught:
        taken(tmp_path, "x.json", FACTS | change)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"choice_scores": None}, "does not say which choices are good"),
        ({"choice_strings": "from_n"}, "several samples"),
        ({"completion_sample_templates": {"completion": "{i}. {output}"}}, "several samples"),
        ({"choice_strings": "YNU"}, "the choice 'U' has no score"),
        ({"choice_scores": "from_strings"}, "no score is in them"),
        ({"args": {"a": {"x": "1"}, "b": {"y": "2"}}}, "not one name with several values"),
        ({"prompt": "{completion1} {completion2} {completion3}"}, "judges more than one answer"),
        ({"prompt": "{input} {{inputs.x}} {{{{inputs.x}}}} {completion}", "args": None}, "more than name a value"),
        ({"prompt": None}, "its prompt is 'None'"),
    ],
)
def test_a_specification_that_no_judge_can_be(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    """A specification that a judge cannot stand for is told with the reason."""
    value = {"closed": CLOSED | change, "funny": FUNNY}
    found = taken(tmp_path, "x.json", value)
    assert [one.name for one in found.judges] == ["funny"]
    (line,) = [line for line in found.not_understood if "named `closed`, that no judge can be" in line]
    assert why in line


def test_a_template_of_choices(tmp_path: Path) -> None:
    """Choices are labels, those that score half or more pass, and what the prompt names is a section of its own."""
    (draft,) = taken(tmp_path, "Factuality.json", FACTS | {"use_cot": False, "model": "gpt-4o"}).judges
    declared = draft.declared
    assert (draft.name, declared.labels, declared.passing_labels) == ("factuality", tuple("ABCDE"), ("B", "C", "E"))
    assert (declared.input, declared.requires) == (("question", "reference", "response"), ("reference",))
    assert (declared.reasoning, declared.model.hosted) == ("none", "gpt-4o")
    assert "[Expert]: (what stands in <reference>)" in draft.rubric
    assert [remark for remark in draft.remarks if "0.5 or more passes" in remark]


def test_values_and_conversations(tmp_path: Path) -> None:
    """A name that autoevals does not give is a value of the case, a thread is the whole conversation."""
    prompt = "From {{{language}}} for {{metadata.tier}}: {{{thread}}}"
    (draft,) = taken(tmp_path, "x.json", FACTS | {"prompt": prompt}).judges
    assert draft.declared.input == ("inputs.language", "metadata.tier", "conversation")
    assert draft.declared.requires == ("inputs.language", "metadata.tier")


@pytest.mark.parametrize(("value", "said"), [(BATTLE, {"A", "B"}), (DUEL, {"A", "B", "tie"})])
def test_two_answers_are_a_pair(tmp_path: Path, value: dict[str, Any], said: set[str]) -> None:
    """A battle compares both versions, blocks nothing, and says which verdict stands for which choice."""
    (draft,) = taken(tmp_path, "battle.json", value).judges
    assert (draft.declared.question, draft.declared.blocks) == ("pairwise", False)
    assert draft.declared.input == ("question", "response")
    assert "(what stands in <response_a>)" in draft.rubric
    assert "(what stands in <response_b>)" in draft.rubric
    assert {one for one in ("A", "B", "tie") if f"`{one}` for “" in draft.rubric} == said
    system, _ = draft.named("battle").render(question="q", response_a="x", response_b="y")
    assert '"A", "B" or "tie"' in system["content"]


def test_arguments_are_a_judge_each(tmp_path: Path) -> None:
    """Each value of an argument makes a judge of its own, and stands in its rubric as it is written."""
    found = taken(tmp_path, "closedqa.json", CLOSED | {"args": {"criteria": {"short": "{x} {{y}}?", "kind": "Kind?"}}})
    assert [one.name for one in found.judges] == ["closedqa-short", "closedqa-kind"]
    short = found.judges[0]
    assert "Criterion: {x} {{y}}?\nPrint {Y} or {N}." in short.rubric
    assert (short.declared.labels, short.declared.passing_labels) == (("Y", "N"), ("Y",))
    assert (short.declared.reasoning, short.remarks) == ("rationale-first", ())
    system, _ = short.named("short").render(question="q", response="r")
    assert "{x} {{y}}?" in system["content"]


def test_an_argument_that_would_be_a_template_of_ours(tmp_path: Path) -> None:
    """A value that looks like one of our names makes no judge, since its text would point elsewhere."""
    with pytest.raises(DataError, match="more than name a value"):
        taken(tmp_path, "closedqa.json", CLOSED)


def test_numbers_are_a_scale(tmp_path: Path) -> None:
    """Choices that are the numbers of a scale are scores, and the upper half of what they score passes."""
    (draft,) = taken(tmp_path, "funny.json", FUNNY).judges
    assert (draft.declared.question, draft.declared.range, draft.declared.pass_threshold) == ("score", (1, 5), 3)
    graded = FUNNY | {"choice_scores": {"1": 0, "2": 0.2, "3": 0.4, "4": 0.7, "5": 1}}
    (draft,) = taken(tmp_path, "graded.json", graded).judges
    assert (draft.declared.range, draft.declared.pass_threshold) == ((1, 5), 4)
    upside_down = FUNNY | {"choice_scores": {"1": 1, "2": 0.2, "3": 0.4, "4": 0.7, "5": 0}}
    (draft,) = taken(tmp_path, "down.json", upside_down).judges
    assert (draft.declared.question, draft.declared.passing_labels) == ("labels", ("1", "4"))


def test_files_of_several(tmp_path: Path) -> None:
    """Templates may stand by name in one object, or in a list, as arguments of a classifier."""
    found = taken(tmp_path, "x.json", {"facts": FACTS, "battle": BATTLE})
    assert [one.name for one in found.judges] == ["facts", "battle"]
    rows = [{"name": "Kind", "promptTemplate": "Kind? {{output}}", "choiceScores": {"Yes": 1, "No": 0}, "useCoT": True}]
    (draft,) = taken(tmp_path, "x.jsonl", rows).judges
    assert (draft.name, draft.declared.reasoning) == ("kind", "rationale-first")


@pytest.mark.parametrize("name", ["autoevals", "openai-modelgraded"])
def test_no_cases_are_written_as_judges(tmp_path: Path, name: str) -> None:
    """A format that holds no cases is refused as the format of an export."""
    with pytest.raises(ConfigError, match=f"the format is {name}, which holds no cases, expected one of chat"):
        registry.write([], tmp_path / "x.yaml", name)
