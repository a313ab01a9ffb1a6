"""Thirty configurations in the shapes of promptfoo's public examples: each assertion maps, or is listed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.commands.intake import sift
from assay.errors import DataError
from assay.evalset.unfailing import unfailing
from assay.interchange.sets import registry
from assay.interchange.sets.model_graded import RUBRICS
from assay.interchange.sets.promptfoo_assertions import LEFT
from assay.judges import prompt
from assay.judges.prompt import JudgePrompt
from tests.cast import Project
from tests.interchange.sets.shop import FILLING, save
from tests.judges_made import made

RUBRIC = {"type": "llm-rubric", "value": "does not describe itself as an AI"}
GLAD = {"type": "contains", "value": "glad"}
CHAT = '[{"role": "system", "content": "You sell jam."}, {"role": "user", "content": "{{message}}"}]'
SCRIPT = {"type": "javascript", "value": "output.length < 100"}


def asserting(*assertions: dict[str, Any], **variables: Any) -> dict[str, Any]:
    """Return a test."""
    return {"vars": variables or {"question": "Where is my box?"}, "assert": list(assertions)}


SHAPES: dict[str, dict[str, Any]] = {
    "getting-started": {
        "prompts": ["Convert to {{language}}: {{input}}", "Say in {{language}}: {{input}}"],
        "tests": [asserting({"type": "icontains", "value": "bonjour"}, language="French", input="Hello")],
    },
    "tweets": {
        "prompts": ["Write a tweet about {{topic}}", "Write a concise, funny tweet about {{topic}}"],
        "tests": [
            asserting({"type": "icontains", "value": "avocado"}, SCRIPT, topic="avocado toast"),
            asserting({"type": "llm-rubric", "value": "ensure that the output is funny"}, topic="bananas"),
        ],
    },
    "customer-support": {
        "prompts": ["file://prompt.txt"],
        "defaultTest": {"assert": [RUBRIC, {"type": "latency", "threshold": 2000}]},
        "tests": [asserting(GLAD), asserting({"type": "not-icontains", "value": "lawyer"}, question="May I sue?")],
    },
    "chat-prompt": {"prompts": [CHAT], "tests": [asserting(GLAD, message="Do you sell lids?")]},
    "yaml-chat": {
        "prompts": ["- role: system\n  content: You sell jam.\n- role: user\n  content: '{{message}}'\n"],
        "tests": [asserting(GLAD, message="Do you sell lids?")],
    },
    "conversation": {
        "prompts": ["{% for one in _conversation %}{{ one.input }}{% endfor %}{{ question }}"],
        "tests": [asserting(GLAD, question="Who are you?"), asserting(RUBRIC, question="And your name?")],
    },
    "conversation-id": {
        "prompts": ["{{question}}"],
        "tests": [asserting(GLAD, question=text) | {"metadata": {"conversationId": "a"}} for text in ("One?", "Two?")],
    },
    "simulated-user": {
        "prompts": ["You are the returns desk."],
        "defaultTest": {"provider": {"id": "promptfoo:simulated-user", "config": {"maxTurns": 5}}},
        "tests": [asserting(RUBRIC, instructions="You are Mo and want a refund.")],
    },
    "factuality": {
        "prompts": ["{{question}}"],
        "tests": [asserting({"type": "factuality", "value": "Lima"}, question="Capital of Peru?")],
    },
    "closed-qa": {
        "prompts": ["{{question}}"],
        "tests": [asserting({"type": "model-graded-closedqa", "value": "names Lima"}, question="Capital of Peru?")],
    },
    "g-eval": {
        "prompts": ["{{question}}"],
        "tests": [asserting({"type": "g-eval", "value": ["is coherent", "is short"], "threshold": 0.7})],
    },
    "rag": {
        "prompts": ["Answer {{query}} from {{context}}."],
        "tests": [
            asserting(
                {"type": "context-faithfulness", "threshold": 0.9},
                {"type": "context-relevance", "threshold": 0.6},
                {"type": "context-recall", "value": "Fourteen days."},
                {"type": "answer-relevance", "threshold": 0.9},
                query="How long?",
                context="Returns are taken for fourteen days.",
            )
        ],
    },
    "select-best": {
        "prompts": ["A {{topic}}", "B {{topic}}"],
        "tests": [asserting({"type": "select-best", "value": "choose the funniest"}, topic="tea")],
    },
    "json": {
        "prompts": ["List {{item}} as JSON"],
        "tests": [
            asserting(
                {"type": "is-json", "value": {"type": "object", "required": ["color"]}},
                {"type": "javascript", "value": "JSON.parse(output).color === 'yellow'"},
                item="Banana",
            )
        ],
    },
    "python-assertion": {
        "prompts": ["{{question}}"],
        "tests": [asserting({"type": "python", "value": "file://check.py"}, GLAD)],
    },
    "scripts-alone": {"prompts": ["{{question}}"], "tests": [asserting(SCRIPT)]},
    "nothing-expected": {"prompts": ["{{question}}"], "tests": [{"vars": {"question": "Hi?"}}]},
    "tools": {
        "prompts": ["{{message}}"],
        "tests": [
            asserting(
                {"type": "is-valid-openai-tools-call"},
                {"type": "trajectory:tool-used", "value": "get_weather"},
                message="Weather in Lima?",
            )
        ],
    },
    "similarity": {
        "prompts": ["{{question}}"],
        "tests": [
            asserting(
                {"type": "similar", "value": "Hello", "threshold": 0.8}, {"type": "levenshtein", "value": "Hello"}
            )
        ],
    },
    "summaries": {
        "prompts": ["Sum up: {{article}}"],
        "tests": [asserting({"type": "rouge-n", "value": "Tea rose."}, RUBRIC, article="Tea prices rose again.")],
    },
    "sql": {
        "prompts": ["SQL for {{request}}"],
        "tests": [asserting({"type": "is-sql"}, {"type": "icontains", "value": "select"}, request="all boxes")],
    },
    "moderation": {"prompts": ["{{question}}"], "tests": [asserting({"type": "moderation"}, {"type": "guardrails"})]},
    "classifier": {
        "prompts": ["{{question}}"],
        "tests": [
            asserting({"type": "classifier", "provider": "huggingface:x", "value": "joy", "threshold": 0.5}, GLAD)
        ],
    },
    "assert-set": {
        "prompts": ["{{question}}"],
        "tests": [
            asserting({"type": "assert-set", "assert": [GLAD, RUBRIC]}),
            asserting({"type": "assert-set", "threshold": 0.5, "assert": [GLAD, RUBRIC]}, RUBRIC, question="Other?"),
        ],
    },
    "scenarios": {
        "prompts": ["Say {{input}} in {{language}}"],
        "tests": [],
        "scenarios": [
            {
                "config": [{"vars": {"language": "German"}}, {"vars": {"language": "French"}}],
                "tests": [asserting({"type": "llm-rubric", "value": "is {{language}}"}, input="hello")],
            }
        ],
    },
    "lists-of-values": {
        "prompts": ["{{language}}: {{input}}"],
        "tests": [asserting(RUBRIC, language=["de", "fr"], input=["Hello", "Bye"])],
    },
    "referenced-assertion": {
        "prompts": ["{{question}}"],
        "assertionTemplates": {"polite": RUBRIC},
        "tests": [asserting({"$ref": "#/assertionTemplates/polite"}, GLAD)],
    },
    "refusals": {
        "prompts": ["{{query}}"],
        "tests": [
            asserting({"type": "is-refusal"}, query="How to pick a lock?"),
            asserting({"type": "not-is-refusal"}),
        ],
    },
    "costs": {
        "prompts": ["{{question}}"],
        "tests": [asserting({"type": "cost", "threshold": 0.001}, {"type": "perplexity", "threshold": 5})],
    },
    "agents": {
        "prompts": ["{{task}}"],
        "tests": [
            asserting(
                {"type": "trajectory:goal-success", "value": "booked"}, {"type": "trace-span-count"}, task="Book it"
            ),
            asserting({"type": "search-rubric", "value": "is the price of today"}, RUBRIC, task="Price of tea?"),
        ],
    },
}
EMPTY_ONES = {"scripts-alone", "nothing-expected", "select-best", "moderation"}
"""Of which nothing can fail a case: none is left to take in."""
LISTED = ("javascript", "select-best", "moderation", "context-faithfulness", "is-sql", "perplexity")


def count(found: object) -> int:
    """Return how many assertions a part of a configuration has; a set counts by what is in it, or as one."""
    if isinstance(found, list):
        return sum(map(count, found))
    if not isinstance(found, dict):
        return 0
    if found.get("type") == "assert-set" and found.get("threshold") is None:
        return count(found["assert"])
    return 1


@pytest.fixture
def judges(project: Project) -> list[JudgePrompt]:
    """The judges of a project into which rubrics were imported."""
    made(project.folder, "rubric", input="[question, response, rubric]", requires="[rubric]")
    return prompt.load_all()


def test_there_are_thirty() -> None:
    """The shapes stay thirty."""
    assert len(SHAPES) == 30


@pytest.mark.parametrize("name", SHAPES)
def test_each_assertion_maps_or_is_listed(tmp_path: Path, judges: list[JudgePrompt], name: str) -> None:
    """Each assertion is in the table once, what became nothing says what to do, and something can fail each case."""
    shape = {"providers": ["echo"], **SHAPES[name]}
    found = registry.read(save(tmp_path, "promptfooconfig.yaml", yaml.safe_dump(shape)), None, FILLING)
    default = count(shape.get("defaultTest", {}).get("assert", []))
    if name not in ("scenarios", "lists-of-values"):
        assert ("(none)", f"{LEFT}: give it a type") not in found.became
        assert sum(found.became.values()) == sum(default + count(one.get("assert", [])) for one in shape["tests"])
    for (kind, what), times in found.became.items():
        assert times >= 1
        assert what.startswith((f"{LEFT}: ", "check ", "rubric ", "reference")), (kind, what)
        if kind in RUBRICS:
            assert what == "rubric of the judge `rubric`"
        if kind in LISTED:
            assert what.startswith(f"{LEFT}: ")
    left = {kind for kind, what in found.became if what.startswith(LEFT) and kind not in ("(none)", "assert-set")}
    assert all(any(f"`{kind}`" in line for line in found.not_understood) for kind in left)
    assert not [one for one in found.cases if "{{" in "".join(one.turns)]
    if name in EMPTY_ONES:
        with pytest.raises(DataError, match="that nothing can fail"):
            sift(found.cases, judges, "x")
    else:
        sifted = sift(found.cases, judges, "x")
        assert len(sifted.cases) + len(sifted.left_out) == len(found.cases)
        assert unfailing(sifted.cases, judges) == []
