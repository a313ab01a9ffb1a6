"""The map agrees with the territory: one list of stages, one name everywhere, exact dependencies."""

import ast
import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import TypeAdapter

from assay.judges import prompt
from assay.project import code_lock
from assay.stages import dvc_yaml, reference
from assay.stages.registry import STAGES as DECLARED
from flows.calibrate import Judge
from flows.stage import Stage
from tests.layout import ROOT, STAGES, code

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
    """A stage is a module of the tool, a task of the project and a test, all with its name and its one question."""
    assert (ROOT / f"tests/stages/test_{stage}.py").is_file()
    for file in (f"assay/stages/{stage}.py", f"tasks/{stage}.py"):
        first = (ast.get_docstring(ast.parse((ROOT / file).read_text(encoding="utf8"))) or "").splitlines()[0]
        name, question = first.split(": ", 1)
        assert (name.lower(), question[-1]) == (stage, "?")
        assert question[0].upper() + question[1:] == DECLARED[stage].question


def test_the_pipeline_is_what_the_stages_declare() -> None:
    """dvc.yaml is made from the declarations and the parameters, in at most 120 lines that a person can read."""
    settings = {name: DECLARED[name].settings.model_validate(PARAMS[name] or {}) for name in DECLARED}
    text = (ROOT / "dvc.yaml").read_text(encoding="utf8")
    assert text == dvc_yaml.render(settings, DVC)
    assert text.count("\n") <= 120


def test_the_reference_is_what_the_stages_declare() -> None:
    """docs/reference.md is made from the declarations: `python -m assay.stages.reference > docs/reference.md`."""
    assert (ROOT / "docs/reference.md").read_text(encoding="utf8") == reference.render()


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_the_stage_s_own(stage: str) -> None:
    """A stage is tracked on its own section of params.yaml and the fingerprint of its own code, and on no other."""
    assert DVC["stages"][stage]["params"] == [stage, {"assay.lock": [f"code.{stage}"]}]


def test_the_lock_is_fresh() -> None:
    """assay.lock holds the fingerprints of this code; `assay lock` writes it."""
    assert code_lock.changes() == []


def test_the_code_of_a_stage_is_followed_to_the_end() -> None:
    """`publish` reaches the statistics through the report, and the templates that the report declares."""
    assert {"assay.stats.paired", "assay.report.page:templates/report.html"} <= code("publish")
    assert "assay.models.embedded.lexical" in code("judge")


PROCESS_OF_CHECKS = {
    f"assay.targets{name}" for name in ("", ".processes", ".worker", ".frames", ".file_reads", ".json_text")
}
"""In which functions run, a product's for execute and a project's for judge."""


@pytest.mark.parametrize(
    ("room", "stages"),
    [
        ("assay.report", {"publish"}),
        ("assay.stats", {"calibrate", "monitor", "publish"}),
        ("assay.targets", {"generate", "execute"}),
        ("assay.generation", {"generate"}),
        ("assay.monitoring", {"monitor", "publish"}),
        ("assay.orchestration", set()),
        ("assay.commands", set()),
        ("assay.desk", set()),
        ("assay.interchange", set()),
        ("assay.records.verdict", {"judge", "calibrate", "monitor", "publish"}),
        ("assay.records.signal", {"monitor", "publish"}),
        ("assay.records.history", {"publish"}),
        ("assay.records.decision", {"generate", "review"}),
    ],
)
def test_a_change_reruns_the_stages_that_use_it(room: str, stages: set[str]) -> None:
    """A room belongs to the stages that use it and to no other: nothing that is paid for re-runs for no reason."""
    users = {
        stage for stage in STAGES if any(f"{name}.".startswith(f"{room}.") for name in code(stage) - PROCESS_OF_CHECKS)
    }
    assert users <= stages


def test_of_the_targets_a_judge_needs_the_processes_alone() -> None:
    """Functions of the project run in the processes that Python products run in; no other part of targets is theirs."""
    for stage in ("judge", "calibrate", "monitor"):
        assert {name for name in code(stage) if name.startswith("assay.targets")} <= PROCESS_OF_CHECKS


@pytest.mark.parametrize(("room", "most"), [("flows", 40), ("tasks", 25)])
def test_a_project_s_own_files_are_thin(room: str, most: int) -> None:
    """Flows say when and in what order, tasks are one step a file; all logic is in the package."""
    assert [file.name for file in python_files(room) if file.read_text(encoding="utf8").count("\n") > most] == []


def test_nothing_but_the_release_lies_outside_the_lock() -> None:
    """Every stage that DVC knows has a fingerprint, and every fingerprint is of a stage."""
    assert [*STAGES, "release"] == list(DECLARED)


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


def test_the_form_lists_the_judges() -> None:
    """The drop-down of the calibration form names the project's judges, and no others."""
    assert TypeAdapter(Judge).json_schema() == {"type": "string", "enum": prompt.names()}
    assert prompt.names() == ["correctness", "grounding", "preference"]


def test_no_code_knows_a_judge_by_name() -> None:
    """No text in the tool's code is the name of a judge: whatever one can do, all can."""
    named = [
        f"{file}:{node.lineno}"
        for file in python_files("assay")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf8")))
        if isinstance(node, ast.Constant) and node.value in prompt.names()
    ]
    assert named == []


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


def test_cron_strings_live_in_one_file() -> None:
    """Nobody looks for a schedule anywhere but in flows/serve.py."""
    cron = re.compile(r'"[\d*/,-]+( [\d*/,-]+){4}"')
    assert [file.name for file in python_files("flows", "tasks") if cron.search(file.read_text())] == ["serve.py"]
