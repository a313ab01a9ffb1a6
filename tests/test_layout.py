"""The map agrees with the territory: one list of stages, one name everywhere, exact dependencies."""

import ast
import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
import yaml

from assay.certificate import JUDGES
from assay.judges import prompt
from flows.calibrate import Judge
from flows.stage import Stage
from tests.layout import ROOT, STAGES, local_imports

ROOMS = ("assay", "tasks", "flows", "examples", "benchmarks")
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf8"))
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf8"))


def python_files(*rooms: str) -> list[Path]:
    return sorted(file for room in rooms for file in (ROOT / room).rglob("*.py"))


def functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_one_list_of_stages() -> None:
    """dvc.yaml, the stage form, params.yaml and the README's map name the same stages in the same order."""
    assert list(DVC["stages"]) == STAGES
    assert list(get_args(Stage)) == STAGES
    assert list(PARAMS) == [*STAGES, "release"]
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text(encoding="utf8"), re.MULTILINE)
    assert rows == [*STAGES, "release"]


@pytest.mark.parametrize("stage", [*STAGES, "release"])
def test_each_stage_has_its_files(stage: str) -> None:
    """A stage is a module in tasks/ and a test of its name, and opens with the question that dvc.yaml shows."""
    source = (ROOT / f"tasks/{stage}.py").read_text(encoding="utf8")
    assert (ROOT / f"tests/tasks/test_{stage}.py").is_file()
    first = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
    name, question = first.split(": ", 1)
    assert (name.lower(), question[-1]) == (stage, "?")
    if stage in STAGES:
        assert DVC["stages"][stage]["desc"] == question[0].upper() + question[1:]
        assert DVC["stages"][stage]["cmd"] == f"python -m tasks.{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_exactly_the_local_imports(stage: str) -> None:
    """A stage depends on every file its code is made of and on no other, so nothing re-runs or stays for no reason."""
    declared = {name for name in DVC["stages"][stage]["deps"] if name.endswith(".py")}
    assert declared == set(local_imports(f"tasks.{stage}"))


def test_a_missing_dependency_is_noticed() -> None:
    """The reading of imports follows them to the end: `publish` reaches the statistics through the report."""
    assert "assay/stats/paired.py" in local_imports("tasks.publish")


@pytest.mark.parametrize("stage", ["execute", "judge", "generate", "review"])
def test_statistics_never_rerun_what_is_paid_for(stage: str) -> None:
    """No change of a statistic can make DVC ask a product or a model again."""
    assert not [name for name in DVC["stages"][stage]["deps"] if name.startswith("assay/stats")]


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_the_stage_s_own(stage: str) -> None:
    """A stage is tracked on its own section of params.yaml and on no other."""
    assert DVC["stages"][stage]["params"] == [stage]


def test_outputs_have_one_writer() -> None:
    """No file is the output of two stages, and none lies in a folder that people write."""
    paths = [
        path
        for stage in DVC["stages"].values()
        for kind in ("outs", "metrics", "plots")
        for out in stage.get(kind, [])
        for path in ([out] if isinstance(out, str) else list(out))
    ]
    assert len(paths) == len(set(paths))
    people = {"taxonomy", "decisions", "labels", "traces", "baseline"}
    assert not [path for path in paths if path.split("/")[1] in people]


def test_the_form_offers_every_judge() -> None:
    """The drop-down of the calibration form names the judges that have a calibration policy, and no others."""
    assert set(get_args(Judge)) == set(PARAMS["calibrate"]["policy"])
    assert get_args(Judge) == JUDGES
    assert set(get_args(Judge)) < set(prompt.names())


@pytest.mark.parametrize("file", python_files(*ROOMS), ids=str)
def test_shape(file: Path) -> None:
    """A file has at most 400 lines, a function at most 60, and every module that is not empty says what it is."""
    text = file.read_text(encoding="utf8")
    assert text.count("\n") <= 400
    assert not text.strip() or ast.get_docstring(ast.parse(text))
    too_long = [node.name for node in functions(file) if (node.end_lineno or 0) - node.body[0].lineno >= 60]
    assert not too_long


@pytest.mark.parametrize("file", python_files("tests"), ids=str)
def test_every_test_states_its_promise(file: Path) -> None:
    """Each test has a docstring of one sentence."""
    tests = [node for node in functions(file) if node.name.startswith("test")]
    assert [node.name for node in tests if not (ast.get_docstring(node) or "").strip().endswith(".")] == []


def test_no_two_test_files_have_one_name() -> None:
    """Pytest imports test files by their name alone, so a second one of a name is not collected."""
    names = Counter(file.name for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("stage", [*STAGES, "release"])
def test_a_task_is_thin(stage: str) -> None:
    """What Prefect runs is at most 15 lines; everything else in a stage's file is a pure function."""
    found = functions(ROOT / f"tasks/{stage}.py")
    decorated = [node for node in found if "task" in map(ast.unparse, node.decorator_list)]
    assert decorated
    assert all((node.end_lineno or 0) - node.body[1].lineno < 15 for node in decorated)


def test_cron_strings_live_in_one_file() -> None:
    """Nobody looks for a schedule anywhere but in flows/serve.py."""
    cron = re.compile(r'"[\d*/,-]+( [\d*/,-]+){4}"')
    assert [file.name for file in python_files("flows", "tasks") if cron.search(file.read_text())] == ["serve.py"]
