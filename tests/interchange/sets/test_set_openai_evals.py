"""OpenAI's hosted Evals: what was exported of the platform becomes cases, graders that need no model expectations."""

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import DataError
from assay.records.case import Expectation
from tests.interchange.sets.shop import canonical, taken

EVAL = {
    "id": "eval_67abd54d9b0081909a86353f6fb9317a",
    "object": "eval",
    "created_at": 1739314509,
    "name": "support-agent-regression",
    "metadata": {},
    "data_source_config": {
        "type": "custom",
        "schema": {
            "type": "object",
            "properties": {"item": {"type": "object"}, "sample": {"type": "object"}},
            "required": ["item", "sample"],
        },
    },
    "testing_criteria": [
        {
            "type": "string_check",
            "name": "mentions_required_phrase",
            "id": "mentions_required_phrase-9b876f24",
            "input": "{{sample.output_text}}",
            "reference": "{{ item.must_mention }}",
            "operation": "ilike",
        },
        {
            "type": "text_similarity",
            "name": "close",
            "input": "{{ sample.output_text }}",
            "reference": "{{item.expected}}",
            "evaluation_metric": "fuzzy_match",
            "pass_threshold": 0.8,
        },
        {
            "type": "text_similarity",
            "name": "bleu",
            "input": "{{ sample.output_text }}",
            "reference": "{{item.expected}}",
            "evaluation_metric": "bleu",
            "pass_threshold": 0.8,
        },
        {
            "type": "score_model",
            "name": "helpfulness",
            "model": "gpt-4.1",
            "input": [{"role": "system", "content": "Rate how helpful the answer is from 1 to 7."}],
            "range": [1, 7],
            "pass_threshold": 5,
        },
        {
            "type": "label_model",
            "name": "tone",
            "model": "o3-mini",
            "input": [{"type": "message", "role": "developer", "content": {"type": "input_text", "text": "Polite?"}}],
            "labels": ["yes", "no"],
            "passing_labels": ["yes"],
        },
        {"type": "python", "name": "code", "source": "def grade(sample, item):\n    return 1.0"},
        {
            "type": "multi",
            "name": "both",
            "calculate_output": "(a + b) / 2",
            "graders": {"a": {"type": "string_check", "name": "exact"}, "b": {"type": "score_model", "name": "nice"}},
        },
    ],
}
ROWS = [
    {"question": "May I send it back?", "must_mention": "14 days", "expected": "Yes, within 14 days."},
    {"question": "Where is PL-1042?", "must_mention": "on its way", "expected": "It is on its way.", "tier": "gold"},
]
RUN = {
    "run": {
        "id": "evalrun_1",
        "object": "eval.run",
        "data_source": {
            "type": "completions",
            "model": "gpt-4.1",
            "input_messages": {
                "type": "template",
                "template": [
                    {"role": "developer", "content": "You are a polite support agent."},
                    {"role": "user", "content": {"type": "input_text", "text": "{{item.question}}"}},
                ],
            },
            "source": {"type": "file_content", "content": [{"item": row} for row in ROWS]},
        },
    },
    "output_items": [],
}
ITEM = {
    "id": "outputitem_1",
    "object": "eval.run.output_item",
    "created_at": 1739314509,
    "run_id": "evalrun_1",
    "eval_id": "eval_67",
    "datasource_item_id": 5,
    "datasource_item": {"item": ROWS[0]},
    "status": "pass",
    "results": [{"name": "close", "passed": True, "score": 1.0}],
    "sample": {"input": [], "output": [{"role": "assistant", "content": "Yes."}], "model": "gpt-4.1"},
}


def only_graders(*criteria: dict[str, Any], row: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"eval": EVAL | {"testing_criteria": list(criteria)}, "rows": [row or ROWS[0]], "runs": []}


def test_an_exported_eval(tmp_path: Path) -> None:
    """An eval with its rows becomes cases with references and checks, and every other grader is told by name."""
    found = taken(tmp_path, "eval_67.json", {"eval": EVAL, "rows": ROWS, "runs": [RUN]})
    assert [one.turns for one in found.cases] == [["May I send it back?"], ["Where is PL-1042?"]]
    assert found.cases[0].reference == "Yes, within 14 days."
    close = canonical({"measure": "ratio", "reference": "Yes, within 14 days.", "threshold": 0.8})
    assert found.cases[0].expectations == [
        Expectation(check="icontains", values=["14 days"]),
        Expectation(check="similarity", values=[close]),
    ]
    assert found.cases[0].provenance == "written"
    told = "\n".join(found.not_understood)
    assert "1 grader of type `text_similarity`, named `bleu`, in testing_criteria[2]: no check measures bleu" in told
    for place, judge in {"[3]": "`score_model`, named `helpfulness`", "[4]": "`label_model`, named `tone`"}.items():
        assert f"1 grader of type {judge}, that no judge can be, in testing_criteria{place}: it names no" in told
    assert "1 grader of type `python`, named `code`" in told
    assert "1 grader of type `multi`, named `both of string_check exact, score_model nice`" in told
    assert "2 messages of the role `developer` in a run's template, the first in template[0]" in told
    assert "1 field `item.tier`, in rows[1]" in told
    assert "1 run with answers and scores" in told
    assert "must_mention" not in told


def test_rows_that_stand_only_in_a_run(tmp_path: Path) -> None:
    """Where an export has no rows of its own, those of its runs are taken, each once."""
    found = taken(tmp_path, "eval.json", {"eval": EVAL, "rows": [], "runs": [RUN, RUN]})
    assert [one.turns[0] for one in found.cases] == ["May I send it back?", "Where is PL-1042?"]


def test_uploaded_rows(tmp_path: Path) -> None:
    """Rows as they were uploaded are read by themselves; the sample in one is a run's answer, and told."""
    rows = [
        {"item": {"input": "Hi", "reference": "Hello"}, "sample": {"output_text": "Hey"}},
        {"item": {"input": "Bye"}},
    ]
    found = taken(tmp_path, "files.jsonl", rows)
    assert [(one.turns, one.reference) for one in found.cases] == [(["Hi"], "Hello"), (["Bye"], "")]
    assert found.not_understood == ["1 answer of a run (`sample`), outside any case, in row 1"]


def test_an_eval_among_its_rows(tmp_path: Path) -> None:
    """An eval object on a line of its own gives its graders to the rows beside it."""
    criteria = [{"type": "string_check", "name": "x", "operation": "eq"}]
    criteria[0] |= {"input": "{{ sample.output_text }}", "reference": "{{ item.correct_label }}"}
    rows = [EVAL | {"testing_criteria": criteria}, {"item": {"ticket_text": "My order?", "correct_label": "Orders"}}]
    (case,) = taken(tmp_path, "set.jsonl", rows).cases
    assert (case.turns, case.expectations) == (["My order?"], [Expectation(check="equals", values=["Orders"])])


def test_output_items_of_two_runs(tmp_path: Path) -> None:
    """The output items of runs give each item once, and of the answers it is told that they were left."""
    found = taken(tmp_path, "items.json", [ITEM, ITEM | {"id": "outputitem_2"}])
    assert [one.turns for one in found.cases] == [["May I send it back?"]]
    assert "1 output item of an item that was met before, in record 2" in found.not_understood


def test_messages_in_an_item(tmp_path: Path) -> None:
    """An item that holds the conversation is asked turn by turn, as `item_reference` or the logs say it."""
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]}
    row["messages"].append({"role": "user", "content": "Refund me"})
    source = {"type": "completions", "input_messages": {"type": "item_reference", "item_reference": "item.messages"}}
    whole = {"eval": EVAL | {"testing_criteria": []}, "rows": [row], "runs": [{"run": {"data_source": source}}]}
    (case,) = taken(tmp_path, "eval.json", whole).cases
    assert case.turns == ["Hi", "Refund me"]
    logged = EVAL | {"testing_criteria": [], "data_source_config": {"type": "logs"}}
    (case,) = taken(tmp_path, "eval.json", {"eval": logged, "rows": [{"input": row["messages"]}]}).cases
    assert (case.turns, case.provenance) == (["Hi", "Refund me"], "production")


@pytest.mark.parametrize(
    ("operation", "check"), [("eq", "equals"), ("ne", "not-equals"), ("like", "contains"), ("ilike", "icontains")]
)
def test_each_operation(tmp_path: Path, operation: str, check: str) -> None:
    """Each operation of a string check has its check."""
    grader = {
        "type": "string_check",
        "name": "x",
        "input": "{{sample.output_text}}",
        "reference": "a {{item.expected}}",
    }
    (case,) = taken(tmp_path, "e.json", only_graders(grader | {"operation": operation})).cases
    assert case.expectations == [Expectation(check=check, values=["a Yes, within 14 days."])]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"operation": "regex"}, "its operation is unknown"),
        ({"input": "{{item.expected}}"}, "does not compare the answer"),
        ({"input": "Answer: {{sample.output_text}}"}, "does not compare the answer"),
        ({"reference": "{{sample.output_text}}"}, "does not compare the answer"),
        ({"reference": 5}, "are no texts"),
        ({"reference": "{{ item.nowhere }}"}, "nothing stands at item.nowhere"),
        ({"reference": "{{ item.expected | upper }}"}, "does more than name a value"),
        ({"reference": "{% for x in y %}"}, "does more than name a value"),
        ({"type": "text_similarity", "evaluation_metric": "rouge_l", "pass_threshold": 0}, "no share above 0"),
        ({"type": "text_similarity", "evaluation_metric": "rouge_l"}, "no share above 0"),
        ({"type": "text_similarity", "evaluation_metric": ["x"], "pass_threshold": 0.5}, "no check measures"),
    ],
)
def test_graders_that_no_check_stands_for(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    """A grader that a check cannot stand for makes no expectation, and its reason is told."""
    grader = {"type": "string_check", "name": "x", "operation": "ilike"}
    grader |= {"input": "{{sample.output_text}}", "reference": "{{item.expected}}"} | change
    found = taken(tmp_path, "e.json", only_graders(grader))
    assert found.cases[0].expectations == []
    assert [line for line in found.not_understood if "grader" in line and why in line]


def test_an_eval_without_rows(tmp_path: Path) -> None:
    """The definition alone holds no case, and one sentence says so."""
    with pytest.raises(DataError, match=r"^e.json holds no case .*expected rows in which a user says something"):
        taken(tmp_path, "e.json", EVAL)


@pytest.mark.parametrize("part", ["testing_criteria", "data_source_config", "runs", "rows"])
@pytest.mark.parametrize("wrong", ["x", 5, [5], {"x": 5}, None, [[]]])
def test_any_part_may_be_of_a_wrong_kind(tmp_path: Path, part: str, wrong: object) -> None:
    """Whatever stands where a list or an object belongs, the file is read or refused in a sentence."""
    whole: dict[str, Any] = json.loads(json.dumps({"eval": EVAL, "rows": ROWS, "runs": [RUN]}))
    (whole if part in whole else whole["eval"])[part] = wrong
    try:
        said = f"{len(taken(tmp_path, 'e.json', whole, as_format='openai-evals').cases)} cases"
    except DataError as error:
        said = str(error)
    assert said.startswith("e.json") or said.endswith(" cases")
