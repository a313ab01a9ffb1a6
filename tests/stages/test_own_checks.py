"""Checks of the project's own: whatever a function does, it costs its own verdict; what is not there is refused."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from assay.checks.python_answer import read
from assay.commands.validate import validate
from assay.errors import ConfigError, DataError
from assay.project import code_lock
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Example, Expectation
from assay.records.verdict import Verdict
from assay.stages import example_answers, judge
from tests.cast import Project, case, response
from tests.endpoint import Body, completion, serving
from tests.layout import ROOT

DOCUMENT = (ROOT / "docs/execute.md").read_text(encoding="utf8")
MODULE = """
import os
import sys
import threading
import time

from words import WORD


def fair(answer, case):
    return (WORD in answer.text, "14 days, \\x1b[31m" + case.category)


def share(answer, case):
    return 0.25 * len(answer.messages), "of the messages"


def whole(answer, case):
    calls = [(call.name, call.arguments, call.failed) for call in answer.tool_calls]
    return (calls, answer.contexts, answer.final_state) == ([("look", "{}", True)], ("one",), "{}")


def changes(answer, case):
    answer.text = "better"


def raises(answer, case):
    raise RuntimeError("no\\nway")


def exits(answer, case):
    sys.exit(0)


def dies(answer, case):
    os._exit(7)


def hangs(answer, case):
    while True:
        pass


def sleeps(answer, case):
    time.sleep(60)


def lingers(answer, case):
    threading.Timer(0.3, os._exit, [9]).start()
    return True


def naps(answer, case):
    time.sleep(0.5)
    return True


def nothing(answer, case):
    print("noise")


def two(answer, case):
    return 2


async def later(answer, case):
    return True


def other(answer):
    return True
"""


def asks(function: str, check: str = "python", **options: Any) -> Expectation:
    """Return the expectation of one function of the module."""
    return Expectation(check=check, values=[json.dumps({"function": f"my_checks:{function}"} | options)])


@pytest.fixture
def checking(project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Verdict]]:
    """The project with a module of checks; scores one answer by some expectations, without a judge of cases."""
    (project.folder / "my_checks.py").write_text(MODULE, encoding="utf8")
    (project.folder / "words.py").write_text('WORD = "14 days"\n', encoding="utf8")
    project.params("judge", check_modules=["my_checks"])
    for table in (LABELS, ITEMS, BASELINE):
        table.file().unlink()

    def checked(*expectations: Expectation, **answered: Any) -> list[Verdict]:
        asked = case(1, expectations=list(expectations), metadata={"clause": "7b"})
        CASES.write([asked])
        RESPONSES.write([response(asked, **answered)])
        with serving(lambda _: completion('{"verdict": "pass"}')) as served:
            monkeypatch.setenv("OPENAI_BASE_URL", served.url)
            judge.run(now)
        found = [one for one in VERDICTS.read() if one.scorer.startswith("check:")]
        return sorted(found, key=lambda one: int(one.scorer.removeprefix("check:").partition("-")[0]))

    return checked


def test_what_fails_in_a_function_costs_its_own_verdict(checking: Callable[..., list[Verdict]]) -> None:
    """An exception, sys.exit, a crash, an endless loop and an odd result leave one verdict each unscored, with why."""
    faults = {
        "raises": "RuntimeError: no way",
        "exits": "SystemExit: 0",
        "dies": "exit code 7",
        "hangs": "no result within 1 s",
        "sleeps": "no result within 1 s",
        "nothing": "TypeError: it returned NoneType",
        "two": "ValueError: it returned 2",
        "changes": "FrozenInstanceError",
        "share": "no `threshold` is declared",
    }
    asked = [asks(name, deadline_s=1) for name in faults]
    *found, fair = checking(*asked, asks("fair"), text="Within 14 days.", messages=[])
    assert [(one.outcome, one.status, one.fault) for one in found] == [("unscored", "error", "")] * len(faults)
    assert all(one.detail.startswith("check failed: my_checks:") for one in found)
    for one, why in zip(found, faults.values(), strict=True):
        assert why in one.detail
        assert "\n" not in one.detail
    assert (fair.outcome, fair.detail) == ("pass", "14 days, \\x1b[31mrefunds")


def test_what_a_function_leaves_behind_costs_no_other_one(checking: Callable[..., list[Verdict]]) -> None:
    """A thread that ends the process during somebody else's call is not that call's doing: it is made once more."""
    found = checking(asks("lingers"), *[asks("naps")] * 4)
    assert [one.outcome for one in found] == ["pass"] * 5


def test_a_function_decides(checking: Callable[..., list[Verdict]]) -> None:
    """Yes and no, a number against its threshold, and the opposite of each; a failure is the answer's fault."""
    found = checking(
        asks("fair"),
        asks("fair", "not-python"),
        asks("share", threshold=0.25),
        asks("share", threshold=0.3),
        asks("share", "not-python", threshold=0.3),
        asks("whole"),
        text="Within 30 days.",
        messages=[{"role": "user", "content": "Hi"}],
        tool_calls=[{"name": "look", "arguments": "{}", "failed": True}],
        contexts=["one"],
        final_state="{}",
    )
    assert [one.outcome for one in found] == ["fail", "pass", "pass", "fail", "pass", "pass"]
    assert {one.fault for one in found if one.outcome == "fail"} == {"answer"}
    assert found[3].detail == "0.250, at least 0.3 is asked for: of the messages"
    assert found[5].detail == "my_checks:whole says yes"


def test_the_example_of_the_document_runs(project: Project, checking: Callable[..., list[Verdict]]) -> None:
    """The five lines that docs/execute.md shows are a check."""
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(example.splitlines()) == 5
    (project.folder / "my_checks.py").write_text(example, encoding="utf8")
    (cited,) = checking(asks("cites_clause"), text="By clause 7b.")
    (missing,) = checking(asks("cites_clause"), text="By some clause.")
    assert (cited.outcome, missing.outcome, missing.detail) == ("pass", "fail", "clause 7b is not cited")


@pytest.mark.parametrize(
    ("modules", "function", "error"),
    [
        ([], "my_checks:fair", DataError),
        (["my_checks"], "os:system", DataError),
        (["my_checks"], "words:WORD", DataError),
        (["my_checks"], "my_checks:gone", DataError),
        (["my_checks"], "my_checks:later", DataError),
        (["my_checks"], "my_checks:other", DataError),
        (["my_checks"], "my_checks:WORD", DataError),
        (["gone"], "my_checks:fair", ConfigError),
        (["os"], "my_checks:fair", ConfigError),
        (["assay.text"], "assay.text:printable", ConfigError),
        (["broken"], "my_checks:fair", ConfigError),
    ],
)
@pytest.mark.usefixtures("checking")
def test_what_is_not_there_is_refused_before_anybody_is_paid(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch, modules: list[str], function: str, error: type
) -> None:
    """A module that is not declared or not the project's, and a function that is no check, is refused, nobody asked."""
    (project.folder / "broken.py").write_text("def fair(answer, case)", encoding="utf8")
    project.params("judge", check_modules=modules)
    of = case(1, expectations=[Expectation(check="python", values=[json.dumps({"function": function})])])
    CASES.write([of])
    RESPONSES.write([response(of)])
    asked: list[Body] = []
    with serving(lambda body: asked.append(body) or completion("x")) as served:  # type: ignore[func-returns-value]
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        for refusing in (lambda: judge.greet(now), lambda: judge.run(now), lambda: validate(["judge"])):
            with pytest.raises(error, match=re.escape(modules[0] if error is ConfigError else function)):
                refusing()
    assert asked == []


@pytest.mark.parametrize(
    "value", [{}, {"function": "my_checks"}, {"function": "../x:y"}, {"function": "a:b", "deadline_s": 0}]
)
def test_a_malformed_expectation_is_refused(checking: Callable[..., list[Verdict]], value: dict[str, Any]) -> None:
    """What names no function, or no time for it, is refused as any expectation is."""
    with pytest.raises(DataError, match="check 'python' has"):
        checking(Expectation(check="python", values=[json.dumps(value)]))


@pytest.mark.parametrize(
    "result", [None, "yes", (True,), (True, 1), (True, "a", "b"), ("no", "why"), -0.1, 1.1, float("nan")]
)
def test_an_odd_result_is_no_verdict(result: Any) -> None:
    """A function that returns neither yes or no nor a share has not decided."""
    with pytest.raises((TypeError, ValueError), match="it returned"):
        read(result)


@pytest.mark.usefixtures("checking")
def test_an_edited_check_is_another_code_of_judge(project: Project) -> None:
    """The module and what it imports from the project are in the fingerprint of judge, and of no other stage."""
    before = code_lock.compute().code
    for name, text in (("my_checks.py", f"{MODULE}\nMORE = 1\n"), ("words.py", 'WORD = "15 days"\n')):
        (project.folder / name).write_text(text, encoding="utf8")
        after = code_lock.compute().code
        assert [stage for stage in before if before[stage] != after[stage]] == ["judge"]
        before = after


def test_functions_are_held_against_examples(checking: Callable[..., list[Verdict]]) -> None:
    """A function that fails a good example, passes a bad one, or breaks off, is told; one that is not there, too."""
    good, bad = [{"text": "Within 14 days."}], [{"text": "Within 30 days."}]
    sound = asks("fair").model_copy(update={"good": [Example(**good[0])], "bad": [Example(**bad[0])]})
    wrong = asks("fair").model_copy(update={"good": [Example(**bad[0])], "bad": [Example(**good[0])]})
    raising = asks("raises").model_copy(update={"good": [Example(**good[0])]})
    gone = asks("gone").model_copy(update={"good": [Example(**good[0])]})
    checking(asks("fair"), text="Within 14 days.")
    cases = [case(1, expectations=[sound]), case(2, expectations=[wrong, raising]), case(3, expectations=[gone])]
    told = example_answers.disagreements(cases, ["my_checks"])
    assert [re.sub(r": (good|bad) answer 1 (fails|passes) check", r": \1 \2", one)[:40] for one in told] == [
        "case refunds-003: the check my_checks:go",
        "case refunds-002: good fails 1, `python`",
        "case refunds-002: bad passes 1, `python`",
        "case refunds-002: good fails 2, `python`",
    ]
    assert "RuntimeError: no way" in told[-1]
