"""What the user says in promptfoo's tests: prompts with their variables, conversations, simulated users, tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from assay.interchange.sets import promptfoo_table
from assay.interchange.sets.builder import OPENING, Reading
from tests.interchange.sets.shop import expected, taken

CONTAINS = [{"type": "icontains", "value": "jar"}]


def read(folder: Path, prompts: object, *tests: dict[str, Any], **more: object) -> Reading:
    """Return what a configuration holds."""
    whole = {"prompts": prompts, "providers": ["echo"], "tests": list(tests)} | more
    return taken(folder, "promptfooconfig.json", whole)


@pytest.mark.parametrize(
    ("prompt", "turn"),
    [
        ("{{input}}", "Good day"),
        ("Answer briefly. {{ input }}", "Good day"),
        ("Translate to {{language}}: {{input}}", "Translate to French: Good day"),
        ([{"role": "system", "content": "Be {{language}}."}, {"role": "user", "content": "{{input}}"}], "Good day"),
        ([{"role": "user", "content": "Say in {{language}}: {{input}}"}], "Say in French: Good day"),
        (
            "- role: system\n  content: Be kind.\n- role: user\n  content: '{{language}}: {{input}}'\n",
            "French: Good day",
        ),
        ("file://prompt.txt", "Good day"),
        ("prompts/main.py:build", "Good day"),
        ("{% if language %}{{language}}{% endif %} {{input}}", "Good day"),
    ],
)
def test_variables_arrive_where_the_prompt_uses_them(tmp_path: Path, prompt: object, turn: str) -> None:
    """The question is the user's part of the prompt with every variable in it, or the variable with a usual name."""
    text = prompt if isinstance(prompt, str) else json.dumps(prompt)
    found = read(tmp_path, [text], {"vars": {"language": "French", "input": "Good day"}, "assert": CONTAINS})
    assert [one.turns for one in found.cases] == [[turn]]


def test_quotes_in_a_variable_break_no_chat_prompt(tmp_path: Path) -> None:
    """A variable with quotes and line breaks arrives in a chat prompt as it is."""
    prompt = json.dumps([{"role": "user", "content": "Sum up: {{text}} {{tone}}"}])
    found = read(tmp_path, [prompt], {"vars": {"text": 'Say "no"\nnow', "tone": "kind"}, "assert": CONTAINS})
    assert found.cases[0].turns == ['Sum up: Say "no"\nnow kind']


def test_texts_around_the_question(tmp_path: Path) -> None:
    """A prefix and a suffix of a test stand around its question."""
    test = {"vars": {"question": "How long?"}, "options": {"prefix": "Please: ", "suffix": " Thanks."}}
    assert read(tmp_path, ["{{question}}"], test).cases[0].turns == ["Please: How long? Thanks."]


def test_a_conversation_that_is_written_out(tmp_path: Path) -> None:
    """What the user said before comes first, turn by turn; the answers are the product's, and told."""
    said = [{"input": "Do you take lids?", "output": "Yes"}, {"input": "How long?", "output": "14 days"}]
    found = read(tmp_path, ["{{question}}"], {"vars": {"question": "And jars?", "_conversation": said}})
    assert [one.turns for one in found.cases] == [["Do you take lids?", "How long?", "And jars?"]]
    assert any(line.startswith("2 answers of `_conversation`") for line in found.not_understood)


def test_tests_of_one_conversation_follow_each_other(tmp_path: Path) -> None:
    """Tests with one conversation id, or all under a prompt with `_conversation`, ask after what was asked before."""
    tests = [
        {"vars": {"question": text}, "metadata": {"conversationId": name}, "assert": CONTAINS}
        for text, name in (("One", "a"), ("Two", "b"), ("Three", "a"))
    ]
    assert [one.turns for one in read(tmp_path, ["{{question}}"], *tests).cases] == [["One"], ["Two"], ["One", "Three"]]
    prompt = "{% for one in _conversation %}{{one.input}}{% endfor %}{{question}}"
    plain = [{"vars": test["vars"], "assert": CONTAINS} for test in tests[:2]]
    assert [one.turns for one in read(tmp_path, [prompt], *plain).cases] == [["One"], ["One", "Two"]]


@pytest.mark.parametrize("place", ["defaultTest", "test"])
def test_simulated_users(tmp_path: Path, place: str) -> None:
    """A test by promptfoo's simulated user is a case with one: its instructions are the goal, its turns bounded."""
    provider = {"provider": {"id": "promptfoo:simulated-user", "config": {"maxTurns": 6}}}
    test = {"vars": {"instructions": "You are Mo. You want a refund."}, "assert": CONTAINS}
    own, shared = (provider, {}) if place == "test" else ({}, {"defaultTest": provider})
    (case,) = read(tmp_path, ["You are the agent."], test | own, **shared).cases
    assert case.turns == [OPENING]
    assert case.user
    assert (case.user.goal, case.user.max_turns) == ("You are Mo. You want a refund.", 6)


def test_a_simulated_user_without_a_goal_is_told(tmp_path: Path) -> None:
    """A simulated user that nobody instructs is left out with what to do, and the others come in."""
    test = {"vars": {"question": "Hi"}, "provider": "promptfoo:simulated-user"}
    found = read(tmp_path, ["x"], test, {"vars": {"question": "Hi"}})
    assert len(found.cases) == 1
    assert any("simulated user without instructions" in line for line in found.not_understood)


@pytest.mark.parametrize(
    ("cell", "assertion"),
    [
        ("Lima", {"type": "equals", "value": "Lima"}),
        ("contains many things", {"type": "equals", "value": "contains many things"}),
        ("icontains:14 days", {"type": "icontains", "value": "14 days"}),
        ("not-icontains: I would sue", {"type": "not-icontains", "value": "I would sue"}),
        ("contains-any:14,fourteen", {"type": "contains-any", "value": ["14", "fourteen"]}),
        ("latency(1000)", {"type": "latency", "threshold": 1000.0}),
        ("similar(0.8):Yes: now", {"type": "similar", "value": "Yes: now", "threshold": 0.8}),
        ("is-json", {"type": "is-json"}),
        ("llm-rubric: offers a refund", {"type": "llm-rubric", "value": "offers a refund"}),
        ("grade: offers a refund", {"type": "llm-rubric", "value": "offers a refund"}),
        ("fn:output.length > 3", {"type": "javascript", "value": "output.length > 3"}),
        ("python: len(output) > 3", {"type": "python", "value": "len(output) > 3"}),
        ("file://check.py", {"type": "python", "value": "file://check.py"}),
        ("trajectory:tool-used:refund", {"type": "trajectory:tool-used", "value": "refund"}),
    ],
)
def test_assertions_in_cells(cell: str, assertion: dict[str, Any]) -> None:
    """A cell that begins with a type is that assertion; any other text is what the answer equals."""
    assert promptfoo_table.assertion(cell) == assertion


def test_a_table_of_tests(tmp_path: Path) -> None:
    """A table with `__expected` is promptfoo's: columns are variables, and the others say the rest of each test."""
    text = (
        "question,__expected1,__expected2,__metadata:category,__description,__prefix,__config:__expected2:threshold\n"
        'How long?,icontains:14 days,"contains-any:14,fourteen",Refunds,Window,Please: ,\n'
        '"What, if damaged?",llm-rubric: offers a refund,similar:Yes,refunds,,,0.9\n'
    )
    found = taken(tmp_path, "tests.csv", text)
    first, second = found.cases
    assert (first.turns, first.category) == (["Please: How long?"], "refunds")
    assert first.case_id.startswith("window-")
    assert first.expectations == [expected("icontains", "14 days"), expected("contains-any", "14", "fourteen")]
    assert (second.turns, second.rubric) == (["What, if damaged?"], {"rubric": "offers a refund"})
    assert '"threshold": 0.9' in second.expectations[0].values[0]
    assert found.not_understood == []


def test_results_say_what_was_asked(tmp_path: Path) -> None:
    """Of a result whose prompt is known as it was written, every variable arrives in the question."""
    values = {"language": "French", "input": "Good day"}
    prompt = {"raw": "Translate to French: Good day", "label": "Translate to {{language}}: {{input}}"}
    row = {"testIdx": 0, "vars": values, "prompt": prompt, "testCase": {"assert": CONTAINS}}
    found = taken(tmp_path, "results.json", {"results": {"results": [row]}})
    assert found.cases[0].turns == ["Translate to French: Good day"]
