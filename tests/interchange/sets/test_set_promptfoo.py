"""promptfoo: its tests become cases, those of its assertions that a check can stand for expectations."""

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import ConfigError, DataError
from assay.interchange.sets import registry
from assay.records.case import Example, Expectation, ToolCall
from tests.cast import case
from tests.interchange.sets.shop import FILLING, canonical, expected, taken

CONFIG = """\
# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json
description: Pantry Lane's assistant
prompts:
  - file://prompts/support.txt
providers:
  - openai:gpt-4.1-mini
defaultTest:
  assert:
    - type: latency
      threshold: 2500
    - type: llm-rubric
      value: does not describe self as an AI
  options:
    provider: openai:gpt-4.1
tests:
  - description: Within the window
    vars:
      question: May I send it back?
      days: 14
      answer: yes
    metadata:
      category: Refunds
      difficulty: easy
    threshold: 0.5
    assert:
      - type: icontains
        value: '{{ days }} days'
        weight: 2
      - type: not-contains-any
        value: [lawyer, court]
      - type: factuality
        value: Yes, within {{days}} days.
      - type: equals
        value: '{{ answer }}'
      - type: javascript
        value: output.length < 100
      - type: assert-set
        assert:
          - type: is-json
            value: {type: object, required: [answer]}
          - type: cost
            threshold: 0.002
      - type: assert-set
        threshold: 0.5
        assert:
          - type: contains
            value: one of us is enough
  - vars:
      question: Where is {{order}}?
      order: [PL-1042, PL-1043]
    assert:
      - type: contains
        value: '{{order}}'
      - type: not-an-assertion
  - file://more_tests.yaml
scenarios:
  - config:
      - vars: {lang: German}
      - vars: {lang: French}
    tests:
      - vars: {question: 'Say it in {{lang}}, please'}
        assert:
          - {type: similar, value: 'Gern, {{lang}}', threshold: 0.8}
outputPath: out.json
"""


def test_a_whole_configuration(tmp_path: Path) -> None:
    """A configuration with defaults, lists of values, scenarios and sets becomes cases, and the rest is told."""
    found = taken(tmp_path, "promptfooconfig.yaml", CONFIG)
    assert [one.turns[0] for one in found.cases] == [
        "May I send it back?",
        "Where is PL-1042?",
        "Where is PL-1043?",
        "Say it in German, please",
        "Say it in French, please",
    ]
    first = found.cases[0]
    assert (first.category, first.reference) == ("refunds", "Yes, within 14 days.")
    assert first.case_id.startswith("within-the-window-")
    assert first.expectations == [
        expected("latency", "2.5"),
        expected("icontains", "14 days"),
        expected("not-contains-any", "lawyer", "court"),
        expected("equals", "yes"),
        expected("json-schema", canonical({"required": ["answer"], "type": "object"})),
        expected("cost", "0.002"),
    ]
    like = {"measure": "embedding", "reference": "Gern, French", "threshold": 0.8}
    assert found.cases[4].expectations == [expected("latency", "2.5"), expected("similarity", canonical(like))]
    told = found.not_understood
    assert {one.rubric["rubric"] for one in found.cases} == {"does not describe self as an AI"}
    assert found.became["llm-rubric", "rubric of the judge `rubric`"] == 5
    assert any(line.startswith("1 assertion of type `javascript`, in tests[0].assert[4]: no script") for line in told)
    assert "1 assertion of type `assert-set` of which a share is enough, in tests[0].assert[6]" in told
    assert any(
        line.startswith("2 assertions of type `not-an-assertion`, the first in tests[1].assert[1]: ") for line in told
    )
    assert "1 field `assert.weight`, in tests[0].assert[0]" in told
    assert "1 field `threshold`, in tests[0]" in told
    assert "1 field `metadata.difficulty`, in tests[0]" in told
    assert (
        "1 file named for `tests` and not read: import it by itself, in tests[2]: "
        "`assay import file://more_tests.yaml --format promptfoo`" in told
    )
    assert any("of the product, beside what the user says" in line for line in told)
    assert any("outputPath" in line or "setting" in line for line in told)


@pytest.mark.parametrize(
    ("assertion", "expectations"),
    [
        ({"type": "contains", "value": 0}, [expected("contains", "0")]),
        ({"type": "contains", "value": 14.0}, [expected("contains", "14")]),
        ({"type": "contains-all", "value": 'a, "b, c"'}, [expected("contains-all", "a", "b, c")]),
        ({"type": "icontains-any", "value": ["a", 1]}, [expected("icontains-any", "a", "1")]),
        ({"type": "equals", "value": {"a": 1}}, [expected("json-schema", canonical({"const": {"a": 1}}))]),
        ({"type": "starts-with", "value": "Yes"}, [expected("starts-with", "Yes")]),
        ({"type": "regex", "value": "\\d{4}"}, [expected("regex", "\\d{4}")]),
        ({"type": "is-json"}, [expected("is-json")]),
        ({"type": "is-json", "value": '{"type": "object"}'}, [expected("json-schema", canonical({"type": "object"}))]),
        (
            {"type": "contains-json", "value": {"type": "array"}},
            [expected("contains-json", canonical({"type": "array"}))],
        ),
        ({"type": "not-contains-json"}, [expected("not-contains-json")]),
        ({"type": "latency", "threshold": 1}, [expected("latency", "0.001")]),
        ({"type": "cost", "threshold": 1e-05}, [expected("cost", "0.00001")]),
        ({"type": "is-refusal"}, [expected("refusal")]),
        ({"type": "not-is-refusal"}, [expected("not-refusal")]),
        ({"type": "word-count", "value": 50}, [expected("length-min", "50"), expected("length-max", "50")]),
        ({"type": "word-count", "value": {"max": 9}}, [expected("length-max", "9")]),
        ({"type": "not-word-count", "value": {"max": 9}}, [expected("not-length-max", "9")]),
        (
            {"type": "similar", "value": "Yes"},
            [expected("similarity", canonical({"measure": "embedding", "reference": "Yes", "threshold": 0.75}))],
        ),
        (
            {"type": "trajectory:tool-used", "value": {"pattern": "refund", "min": 2}},
            [expected("tool-call", calls=(ToolCall(name="refund"), ToolCall(name="refund")))],
        ),
        (
            {"type": "not-trajectory:tool-used", "value": "refund"},
            [expected("not-tool-call", calls=(ToolCall(name="refund"),))],
        ),
        (
            {"type": "trajectory:tool-args-match", "value": {"name": "refund", "args": {"o": 1}, "mode": "exact"}},
            [expected("tool-call", canonical({"exact": True}), calls=(ToolCall(name="refund", arguments='{"o": 1}'),))],
        ),
        (
            {"type": "trajectory:tool-args-match", "value": {"name": "refund", "arguments": {}, "ignore": "id"}},
            [expected("tool-call", canonical({"ignore": ["id"]}), calls=(ToolCall(name="refund"),))],
        ),
        (
            {"type": "trajectory:tool-sequence", "value": ["a", "b"]},
            [expected("trajectory", canonical({"mode": "sequence"}), calls=(ToolCall(name="a"), ToolCall(name="b")))],
        ),
        (
            {"type": "trajectory:tool-sequence", "value": {"mode": "exact", "steps": ["a"]}},
            [expected("trajectory", canonical({"mode": "strict"}), calls=(ToolCall(name="a"),))],
        ),
    ],
)
def test_each_assertion_that_a_check_stands_for(
    tmp_path: Path, assertion: dict[str, Any], expectations: list[Expectation]
) -> None:
    """An assertion with an equal among the checks becomes it, and nothing is told."""
    found = taken(tmp_path, "tests.json", [{"vars": {"question": "Hi"}, "assert": [assertion]}])
    assert (found.cases[0].expectations, found.not_understood) == (expectations, [])


@pytest.mark.parametrize(
    ("assertion", "line"),
    [
        ({"type": "contains"}, "its value is no text"),
        ({"type": "contains", "value": ""}, "that no check can score as `contains`"),
        ({"type": "contains", "value": "file://x.txt"}, "its value stands in another file"),
        ({"type": "contains", "value": "{{ nobody }}"}, "nothing stands at nobody"),
        ({"type": "contains", "value": "{{ question | upper }}"}, "it does more than name a value"),
        ({"type": "contains", "value": "x", "weight": 0}, "its weight is 0"),
        ({"type": "contains", "value": "x", "transform": "output.trim()"}, "a transformed answer"),
        ({"type": "regex", "value": "(?=a)b"}, "that no check can score as `regex`"),
        ({"type": "regex", "value": "(a)\\1"}, "that no check can score as `regex`"),
        ({"type": "is-json", "value": "no json"}, "its schema is no JSON"),
        ({"type": "is-json", "value": {"$ref": "http://example.com/x"}}, "that no check can score as `json-schema`"),
        ({"type": "latency"}, "its threshold is no amount"),
        ({"type": "latency", "threshold": True}, "its threshold is no amount"),
        ({"type": "cost", "threshold": -1}, "its threshold is no amount"),
        ({"type": "cost", "threshold": float("nan")}, "its threshold is no amount"),
        ({"type": "similar", "value": ["a", "b"]}, "one of several texts"),
        ({"type": "not-word-count", "value": 5}, "the opposite of several conditions"),
        ({"type": "word-count", "value": {"about": 5}}, "no number of words"),
        ({"type": "not-trajectory:tool-used", "value": ["a", "b"]}, "the opposite of several conditions"),
        ({"type": "trajectory:tool-used", "value": "search*"}, "names tools by pattern"),
        ({"type": "trajectory:tool-used", "value": {"pattern": "a", "max": 2}}, "bounds how often"),
        ({"type": "trajectory:tool-used", "value": {"pattern": "a", "min": 10**9}}, "bounds how often"),
        (
            {"type": "trajectory:tool-args-match", "value": {"name": "a", "defaults": {"p": 1}}},
            "knows all of its options",
        ),
        ({"type": "trajectory:tool-args-match", "value": {"name": "a", "ignore": ["*_id"]}}, "by pattern"),
        ({"type": "trajectory:tool-args-match", "value": {"name": "a", "mode": "x"}}, "mode is unknown"),
        ({"type": "trajectory:tool-args-match", "value": {"name": "a", "args": [1]}}, "that no check can score"),
        ({"type": "trajectory:tool-sequence", "value": "a"}, "no list of tools"),
        ({"type": "levenshtein", "value": "x", "threshold": 5}, "of type `levenshtein`"),
        ({"type": "rouge-n", "value": "x"}, "of type `rouge-n`"),
        (
            {"type": "select-best", "value": "x", "metric": "Tone"},
            "of type `select-best` (`Tone`), which only a judge can grade",
        ),
        ({"type": "factuality", "value": "file://x"}, "of type `factuality`, which only a judge can grade"),
        ({"type": "factuality"}, "give it the good answer as its value"),
        ({"type": "llm-rubric", "value": " "}, "it says nothing that has to hold"),
        ({"type": "llm-rubric", "value": "x", "weight": 0}, "its weight is 0"),
        ({"type": "llm-rubric", "value": "{{ nobody }}"}, "nothing stands at nobody"),
        ({"type": "context-faithfulness", "threshold": 0.8}, "requires `contexts`"),
        ({"type": "python", "value": "True"}, "no script of a file is run"),
        ({"type": "assert-set", "assert": [{"type": "assert-set"}]}, "`assert-set` within another"),
        ({"type": 5}, "without a type"),
        ("llm-rubric: x", "without a type"),
    ],
)
def test_each_assertion_that_no_check_stands_for(tmp_path: Path, assertion: object, line: str) -> None:
    """An assertion without an equal makes no expectation, and is told with its reason."""
    found = taken(tmp_path, "tests.json", [{"vars": {"question": "Hi"}, "assert": [assertion]}])
    assert found.cases[0].expectations == []
    assert [one for one in found.not_understood if line in one and ".assert[0]" in one]


def test_one_prompt_is_what_the_user_says(tmp_path: Path) -> None:
    """Without a usual variable the only prompt is filled in; of a chat prompt the user's message is the turn."""
    chat = json.dumps([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Tell of {{ topic }}"}])
    for prompt, told in (("Tell of {{topic}}", []), (chat, ["message of the role `system`"])):
        config = {"prompts": [prompt], "providers": ["x"], "tests": [{"vars": {"topic": "tea", "n": 1}}]}
        found = taken(tmp_path, "p.json", config)
        assert found.cases[0].turns == ["Tell of tea"]
        assert found.cases[0].values() == {"topic": "tea", "n": 1}
        assert all(any(line in one for one in found.not_understood) for line in told)


def test_variables_are_the_inputs_of_a_case(tmp_path: Path) -> None:
    """A variable that is not the question itself is an input with its type; a list makes a case of each value."""
    tests = [{"vars": {"question": "Hi", "language": ["de", "fr"], "limit": 3, "deep": {"a": [1]}, "odd-name": "x"}}]
    config = {"prompts": ["{{question}}"], "providers": ["x"], "tests": tests}
    found = taken(tmp_path, "p.json", config)
    common = {"limit": 3, "deep": {"a": [1]}}
    assert [(one.turns, one.values()) for one in found.cases] == [
        (["Hi"], {"language": "de", **common}),
        (["Hi"], {"language": "fr", **common}),
    ]
    assert "2 fields `vars.odd-name`, the first in tests[0]" in found.not_understood


def test_of_several_prompts_the_first_is_the_question(tmp_path: Path) -> None:
    """Of several prompts the first is filled in, and the others are told; one in a file is what nobody can tell."""
    tests = [{"vars": {"topic": "tea", "tone": "kind"}}, {"vars": {"question": "Hi"}}]
    config = {"prompts": ["{{topic}} {{tone}}", "{{tone}} {{topic}}"], "providers": ["x"], "tests": tests}
    found = taken(tmp_path, "p.json", config)
    assert [one.turns for one in found.cases] == [["tea kind"], ["Hi"]]
    assert "1 prompt beside the first one, whose words are the question, in tests[0]" in found.not_understood
    config["prompts"] = ["file://a.txt", "prompts/b.txt"]
    found = taken(tmp_path, "p.json", config)
    assert [one.turns for one in found.cases] == [["Hi"]]
    assert any(
        line.startswith("1 test whose prompt stands in another file, in tests[0]: ") for line in found.not_understood
    )


def test_results_as_a_source_of_cases(tmp_path: Path) -> None:
    """Of results each test is taken once, whatever the number of prompts, providers and repeats."""
    test = {"vars": {"topic": "refunds"}, "assert": [{"type": "contains", "value": "14 days"}], "options": {}}
    rows = [
        {
            "promptIdx": number,
            "testIdx": number // 2,
            "testCase": test | {"metadata": {"id": f"Q{number // 2}"}},
            "vars": {"topic": "refunds"},
            "prompt": {"raw": f"Tell of refunds {number // 2}", "label": "Tell of {{topic}}"},
            "provider": {"id": "openai:gpt-4.1"},
            "response": {"output": "Within 14 days."},
            "success": True,
            "score": 1,
            "latencyMs": 812,
        }
        for number in range(4)
    ]
    whole = {"evalId": "eval-aBc-2026-10-01", "results": {"version": 3, "prompts": [], "results": rows, "stats": {}}}
    found = taken(tmp_path, "results.json", whole)
    assert [(one.case_id, one.turns[0]) for one in found.cases] == [
        ("q0", "Tell of refunds 0"),
        ("q1", "Tell of refunds 1"),
    ]
    assert found.cases[0].expectations == [expected("contains", "14 days")]
    assert (
        "2 results of a further prompt, provider or repeat of its test, the first in results[1]" in found.not_understood
    )


def test_lists_of_values_are_bounded(tmp_path: Path) -> None:
    """Variables whose values combine to more than a thousand cases are refused before they are written out."""
    names = {f"v{number}": list(range(100)) for number in range(9)}
    with pytest.raises(
        DataError, match=r"tests\[0\] combines to 1,000,000,000,000,000,000 cases, expected at most 1,000"
    ):
        taken(tmp_path, "t.json", [{"vars": {"question": "Hi"} | names}])
    found = taken(tmp_path, "t.json", [{"vars": {"question": ["Hi", "Bye"]}, "options": {"disableVarExpansion": True}}])
    assert [one.turns for one in found.cases] == [['["Hi", "Bye"]']]


def test_files_and_web_pages_are_never_opened(tmp_path: Path) -> None:
    """A test whose variable stands in a file is left out and told; the file is not looked at."""
    (tmp_path / "secret.txt").write_text("secret")
    tests = [{"vars": {"question": f"file://{tmp_path}/secret.txt"}}, {"vars": {"question": "Hi"}}]
    found = taken(tmp_path, "t.json", tests)
    assert [one.turns for one in found.cases] == [["Hi"]]
    place = "1 variable whose value stands in another file, in tests[0].vars.question"
    assert any(line.startswith(place) for line in found.not_understood)


def test_defaults_and_tests_in_files_are_told(tmp_path: Path) -> None:
    """What a configuration only names is told, and a configuration that names everything holds no case."""
    config = "prompts: [x]\nproviders: [x]\ndefaultTest: file://d.yaml\ntests: file://t.csv\n"
    with pytest.raises(DataError, match="holds no case .*named for `defaultTest`.*named for `tests`"):
        taken(tmp_path, "c.yaml", config)


def test_a_variable_cannot_blow_up_a_text(tmp_path: Path) -> None:
    """A template that repeats a large variable is bounded before it is filled in."""
    test = {
        "vars": {"question": "Hi", "big": "x" * 100_000},
        "assert": [{"type": "contains", "value": "{{big}}" * 500}],
    }
    found = taken(tmp_path, "t.json", [test])
    assert any("filled in it is too long" in line for line in found.not_understood)


def test_writing_it_under_another_ending(tmp_path: Path) -> None:
    """A configuration is YAML; another ending is refused with the right ones."""
    with pytest.raises(ConfigError, match=r"ends in '.csv', expected .yaml or .yml for promptfoo"):
        registry.write([], tmp_path / "x.csv", "promptfoo")


def test_words_that_a_template_engine_would_act_on(tmp_path: Path) -> None:
    """A case whose words promptfoo would change is left out, an expectation of that kind is; braces alone are kept."""
    call = ToolCall(name="refund", arguments=canonical({"why": "{{ user }}"}))
    cases = [
        case(1, turns=["{{ user }} and file:///etc/passwd"], expectations=[expected("contains", "{# x #}")]),
        case(2, turns=["{% raw %}{% endraw %}"], expectations=[]),
        case(3, expectations=[expected("tool-call", calls=(call,)), expected("contains", "{% endraw %}")]),
        case(4, expectations=[expected("json-schema", canonical({"const": "{{ x }}"}))], reference="{% endraw %}"),
    ]
    written = registry.write(cases, tmp_path / "p.yaml", "promptfoo")
    assert written.cases == 3
    assert written.lost == [
        "1 case left out, for promptfoo would change its words, in refunds-002",
        "1 expectation of the check `tool-call`, in refunds-003, expectations[0]",
        "1 expectation of the check `contains`, in refunds-003, expectations[1]",
        "1 expectation of the check `json-schema`, in refunds-004, expectations[0]",
        "1 field `reference`, in refunds-004",
    ]
    found = registry.read(tmp_path / "p.yaml", None, FILLING).cases
    assert found == [
        cases[0],
        cases[2].model_copy(update={"expectations": []}),
        cases[3].model_copy(update={"expectations": [], "reference": ""}),
    ]


@pytest.mark.parametrize(
    ("assertion", "check", "options"),
    [
        ({"value": "file://check.py"}, "python", {"function": "check:get_assert"}),
        ({"value": "file://./checks/tone.py:is_polite"}, "python", {"function": "checks.tone:is_polite"}),
        ({"value": "file://a.py:b", "threshold": 0.5}, "python", {"function": "a:b", "threshold": 0.5}),
        ({"type": "not-python", "value": "file://a.py:b"}, "not-python", {"function": "a:b"}),
    ],
)
def test_a_function_of_a_file_is_a_check_of_the_project(
    tmp_path: Path, assertion: dict[str, Any], check: str, options: dict[str, Any]
) -> None:
    """A Python file below the project with a function is that function; the file is never opened."""
    test = {"vars": {"question": "Hi"}, "assert": [{"type": "python"} | assertion]}
    ((expectation,),) = [one.expectations for one in taken(tmp_path, "tests.json", [test]).cases]
    assert (expectation.check, json.loads(expectation.values[0])) == (check, options)


@pytest.mark.parametrize(
    ("assertion", "name"),
    [
        ({"type": "python", "value": "file:///etc/check.py"}, "python_says"),
        ({"type": "python", "value": "file://../check.py"}, "python_says"),
        ({"type": "python", "value": "file://a b.py"}, "python_says"),
        ({"type": "python", "value": "len(output) < {{ most }}", "metric": "Not too long!"}, "not_too_long"),
        ({"type": "python", "value": "x = 1\nreturn `x`", "metric": "7"}, "python_says"),
        ({"type": "javascript", "value": "file://check.js"}, "javascript_says"),
        ({"type": "javascript", "value": "output.length < 5", "metric": "short"}, "short"),
        ({"type": "python", "value": None}, "python_says"),
    ],
)
def test_other_code_is_listed_with_a_stub(tmp_path: Path, assertion: dict[str, Any], name: str) -> None:
    """Code in the value, a file elsewhere and a script in another language say which function to write, and where."""
    found = taken(tmp_path, "tests.json", [{"vars": {"question": "Hi"}, "assert": [assertion]}])
    assert found.cases[0].expectations == []
    (line,) = [one for one in found.not_understood if ".assert[0]" in one]
    assert f"write `def {name}(answer, case): return" in line
    assert f"function: 'my_checks:{name}'" in line
    assert "\n" not in line


def test_exact_and_examples_are_not_dropped_in_silence(tmp_path: Path) -> None:
    """An exact expectation is one again after the way out and in; example answers, which promptfoo lacks, are told."""
    exact = Expectation(check="not-contains", values=["14\u00a0days"], exact=True)
    shown = Expectation(check="icontains", values=["days"], good=[Example(text="14 days")])
    file = tmp_path / "out.yaml"
    written = registry.write([case(1, expectations=[exact, shown], bad=[Example(text="never")])], file, "promptfoo")
    assert sum("example answers" in line for line in written.lost) == 1
    assert sum("`bad`" in line for line in written.lost) == 1
    again = registry.read(file, "promptfoo", FILLING)
    assert again.cases[0].expectations == [exact, shown.scored()]
    assert [line for line in again.not_understood if "assert" in line] == []
