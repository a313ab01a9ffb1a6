"""What `judge.yaml` may say, at its boundaries; and what a rubric, examples and an old prompt are taken for."""

import json
import re
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from assay.errors import ConfigError
from assay.judges import prompt
from assay.judges.before import declaration_of
from assay.judges.declaration import AppliesTo, Declaration, JudgeModel, lacking, schema
from assay.judges.examples import read_examples
from assay.records.record import digest
from tests.cast import Project, case
from tests.judges_made import made

TONE: dict[str, Any] = {"question": "labels", "labels": ["warm", "cold"], "passing_labels": ["warm"]}
DEPTH: dict[str, Any] = {"question": "score", "range": [1, 5], "pass_threshold": 4}
HEAD = '+++\nquestion = "{}"\ntexts = {}\n+++\n'


@pytest.mark.parametrize(
    ("sound", "beyond"),
    [
        (TONE | {"labels": ["warm", "x" * 40]}, TONE | {"labels": ["warm", "x" * 41]}),
        (TONE, TONE | {"labels": ["warm"]}),
        (TONE | {"labels": ["warm", "cold", "cool"]}, TONE | {"labels": ["warm", "cold", "Cold"]}),
        (TONE | {"labels": ["warm", "ice cold"]}, TONE | {"labels": ["warm", "cold "]}),
        (TONE, TONE | {"passing_labels": ["warm", "cold"]}),
        (TONE, TONE | {"passing_labels": []}),
        (TONE, TONE | {"passing_labels": ["hot"]}),
        (DEPTH | {"range": [1, 3], "pass_threshold": 2}, DEPTH | {"range": [1, 2], "pass_threshold": 2}),
        (DEPTH | {"range": [0, 100]}, DEPTH | {"range": [0, 101]}),
        (DEPTH | {"pass_threshold": 2}, DEPTH | {"pass_threshold": 1}),
        (DEPTH | {"pass_threshold": 5}, DEPTH | {"pass_threshold": 6}),
        ({"input": ["response", "metadata.plan"]}, {"input": ["response", "metadata."]}),
        ({"input": ["question", "response"]}, {"input": ["question"]}),
        ({"input": ["response", "reference"]}, {"input": ["response", "response"]}),
        ({"requires": ["question"]}, {"requires": ["reference"]}),
        ({"question": "pairwise"}, {"question": "pairwise", "input": ["response", "conversation"]}),
        ({"question": "pairwise", "input": ["response", "metadata.plan"]}, {"question": "pairwise", "scope": "traces"}),
        ({"scope": "traces"}, {"scope": "traces", "input": ["response", "reference"]}),
    ],
)
def test_each_boundary_of_a_declaration(sound: dict[str, Any], beyond: dict[str, Any]) -> None:
    """What just fits is a declaration, and what just does not is refused."""
    assert Declaration.model_validate(sound)
    with pytest.raises(ValidationError):
        Declaration.model_validate(beyond)


@pytest.mark.parametrize(
    ("fields", "is_fitting"),
    [
        ({}, True),
        ({"tag": ("smoke", "night")}, True),
        ({"tag": ("night",)}, False),
        ({"layer": ("unit",), "category": ("refunds", "escalation")}, True),
        ({"layer": ("task",), "tag": ("smoke",)}, False),
        ({"category": ("escalation",)}, False),
    ],
)
def test_a_judge_is_for_cases_that_fit_in_each_way(fields: dict[str, Any], *, is_fitting: bool) -> None:
    """Of categories, layers and tags each that is named has to fit, by one of its words; what is not named fits all."""
    assert AppliesTo.model_validate(fields).fits(case(1, tags=["smoke"])) is is_fitting
    assert AppliesTo.model_validate(fields).fits(case(1)) is (is_fitting and "tag" not in fields)


def test_a_strange_name_is_quoted_in_part(project: Project) -> None:
    """Of a name that no judge has 80 characters are repeated."""
    made(project.folder, "tone", **{"x" * 90: "1"})
    with pytest.raises(ConfigError, match=f"judge.yaml: {'x' * 80} is no such name here"):
        prompt.load("tone")


def test_a_rubric_s_version_is_its_own_or_its_text_s(project: Project) -> None:
    """A head names the version; without one it is four digits of the text's hash, which blanks around do not move."""
    texts = {"named": '+++\nversion = "7"\n+++\nBe kind.', "bare": "Be kind.", "padded": "\nBe kind.\n\n"}
    for name, text in texts.items():
        made(project.folder, name, text)
    versions = {name: prompt.load(name).rubric_version for name in texts}
    assert versions == {"named": "7", "bare": digest("Be kind.")[:4], "padded": digest("Be kind.")[:4]}
    assert {prompt.load(name).rubric for name in texts} == {"Be kind."}


EXAMPLE = {"question": "Q?", "response": "R.", "label": "pass", "why": "It says so."}


def test_examples_are_read_row_by_row() -> None:
    """Fifty rows are fifty examples with their texts, label and reason; blank lines are none."""
    found = read_examples("\n\n".join([json.dumps(EXAMPLE)] * 50), Declaration(), "examples.jsonl")
    assert len(found) == 50
    assert found[0].model_dump() == {
        "texts": {"question": "Q?", "response": "R."},
        "label": "pass",
        "why": "It says so.",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\n".join([json.dumps(EXAMPLE)] * 51), "has 51 examples, expected at most 50"),
        ('\n{"question"', "row 2 is not JSON"),
        ("[]", "row 1 is list, expected an object with question, response, label, why"),
        (json.dumps(EXAMPLE | {"rating": 5}), "row 1 has 'rating', expected only question, response, label, why"),
        (json.dumps(EXAMPLE | {"label": "good"}), "row 1: the label is 'good', expected one of"),
        (json.dumps(EXAMPLE | {"why": 7}), "row 1: why"),
    ],
)
def test_what_is_no_example_is_refused_by_its_row(text: str, found: str) -> None:
    """Each fault names the row and what stands there."""
    with pytest.raises(ConfigError, match=found):
        read_examples(text, Declaration(), "examples.jsonl")


@pytest.mark.parametrize(
    ("head", "declared"),
    [
        (
            ("pass-fail", ["question", "reference", "response"]),
            {"input": ["question", "reference", "response"], "requires": ["reference"]},
        ),
        (
            ("pairwise", ["question", "reference", "response_a", "response_b"]),
            {"question": "pairwise", "input": ["question", "reference", "response"], "blocks": False},
        ),
        (
            ("pass-fail", ["contexts", "response"]),
            {
                "input": ["contexts", "response"],
                "requires": ["contexts"],
                "scope": "traces",
                "model": {"embedded": "lexical-grounding"},
            },
        ),
    ],
)
def test_an_old_prompt_has_its_declaration(head: tuple[str, list[str]], declared: dict[str, Any]) -> None:
    """Question and texts of a head become a declaration without a reason; the prompt may hold lines of +++ itself."""
    text = HEAD.format(head[0], head[1]) + "Judge.\n+++\nAnd say so.\n"
    found = yaml.safe_load(declaration_of(text, "prompt.md"))
    assert Declaration.model_validate(found) == Declaration.model_validate({"reasoning": "none", **declared})


def test_a_written_declaration_is_as_a_person_would_write_it() -> None:
    """What is asked first, then what is shown, one field a line, under a sentence that says where it comes from."""
    traces = declaration_of(HEAD.format("pass-fail", ["question", "response", "contexts"]), "prompt.md")
    assert traces.splitlines()[1:] == [
        "question: pass-fail",
        "input: [question, response, contexts]",
        "reasoning: none",
        "requires: [contexts]",
        "scope: traces",
        "model: {embedded: lexical-grounding}",
    ]
    pairs = declaration_of(HEAD.format("pairwise", ["question", "response_a", "response_b"]), "prompt.md")
    assert pairs.splitlines()[1:] == [
        "question: pairwise",
        "input: [question, response]",
        "reasoning: none",
        "blocks: false",
    ]
    assert traces.startswith("# ")


@pytest.mark.parametrize("text", ["", "Judge.", "+++\nquestion = 1\n", '+++\nquestion = "pass-fail"\n+++\nJudge.'])
def test_an_old_prompt_without_a_head_is_refused(text: str) -> None:
    """Where question and texts are not said nothing is guessed."""
    with pytest.raises(ConfigError, match="has no head between two lines of"):
        declaration_of(text, "prompt.md")


def test_what_a_request_sets_itself_is_no_parameter() -> None:
    """Of several parameters that the request has anyway the first by the alphabet is named."""
    taken = dict.fromkeys(("top_logprobs", "temperature", "stream", "n", "model", "messages", "response_format"), 1)
    for count in range(1, len(taken) + 1):
        parameters = {"seed": 7} | dict(list(taken.items())[:count])
        with pytest.raises(ValidationError, match=f"parameters has {min(list(taken)[:count])}, which"):
            JudgeModel(parameters=parameters)
    assert JudgeModel(parameters={"seed": 7, "max_tokens": 9})


@pytest.mark.parametrize(
    "fields", [{"api_key_env": "OWN_KEY"}, {"query": {"a": "b"}}, {"headers": {"X-A": "b"}}, {"api": "decision"}]
)
def test_what_belongs_to_an_endpoint_needs_one(fields: dict[str, Any]) -> None:
    """A key, a query, headers or another kind of call without an address are refused, and with one are sound."""
    with pytest.raises(ValidationError, match="belong to an endpoint"):
        JudgeModel(**fields)
    assert JudgeModel(base_url="https://judge.example/v1", **fields)


DECIDES = {"base_url": "https://judge.example/v1", "api": "decision"}


@pytest.mark.parametrize("place", [{"model": DECIDES}, {"panel": [DECIDES]}, {"panel": [{}, DECIDES]}])
@pytest.mark.parametrize(
    ("sound", "beyond"),
    [
        ({}, {"examples": "examples.jsonl"}),
        (DEPTH | {"range": [1, 10]}, DEPTH | {"range": [1, 11]}),
    ],
)
def test_what_a_decision_model_cannot_take(
    place: dict[str, Any], sound: dict[str, Any], beyond: dict[str, Any]
) -> None:
    """One decision model, alone or in a panel, takes no examples and tells ten scores apart; chat models take both."""
    assert Declaration.model_validate(sound | place)
    assert Declaration.model_validate(beyond)
    with pytest.raises(ValidationError, match="a decision model"):
        Declaration.model_validate(beyond | place)


@pytest.mark.parametrize(
    ("fields", "verdicts", "passing", "texts"),
    [
        ({}, ("pass", "fail"), ("pass",), ("question", "response")),
        ({"question": "pairwise"}, ("A", "B", "tie"), (), ("question", "response_a", "response_b")),
        (TONE, ("warm", "cold"), ("warm",), ("question", "response")),
        (DEPTH, ("1", "2", "3", "4", "5"), ("4", "5"), ("question", "response")),
        (
            {"input": ["rubric", "response", "metadata.plan"]},
            ("pass", "fail"),
            ("pass",),
            ("case_rubric", "response", "metadata_plan"),
        ),
    ],
)
def test_a_declaration_says_what_may_be_answered(
    fields: dict[str, Any], verdicts: tuple[str, ...], passing: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    """Each question has its verdicts, those of them that pass, and the texts that its prompt shows."""
    declared = Declaration.model_validate(fields)
    assert (declared.verdicts, declared.passing, declared.texts()) == (verdicts, passing, texts)


def test_one_text_is_a_list_of_one() -> None:
    """Whoever writes `input: response` means a list, in each of the four fields that are lists of texts."""
    found = Declaration.model_validate({"input": "response", "requires": "response"})
    assert (found.input, found.requires) == (("response",), ("response",))
    labelled = Declaration.model_validate(TONE | {"passing_labels": "warm"})
    assert labelled.passing_labels == ("warm",)


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        ({"reference": "R.", "case_rubric": "Kind."}, []),
        ({"reference": "", "case_rubric": "Kind."}, ["reference"]),
        ({"reference": "R.", "case_rubric": ""}, ["rubric"]),
        ({"case_rubric": "Kind."}, []),
    ],
)
def test_what_is_required_and_empty_is_lacking(given: dict[str, str], lacks: list[str]) -> None:
    """An input that is required and empty is named as the declaration has it; one that is not shown yet is not."""
    declared = Declaration.model_validate(
        {"input": ["reference", "rubric", "response"], "requires": ["reference", "rubric"]}
    )
    assert lacking(declared, given) == lacks


def test_the_schema_is_for_editors() -> None:
    """It says which JSON Schema it is, its title, and every field of judge.yaml."""
    found = schema()
    assert (found["$schema"], found["title"]) == ("https://json-schema.org/draft/2020-12/schema", "A judge of Assay")
    assert set(found["properties"]) == set(Declaration.model_fields)
    key = found["$defs"]["JudgeModel"]["properties"]["api_key_env"]["pattern"]
    assert re.fullmatch(key, "OWN_KEY")
    assert not re.fullmatch(key, "sk-1234")
