"""The code lock: a stage's fingerprint moves with the program that it runs, and with nothing else."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from assay.cli.main import app
from assay.errors import ConfigError
from assay.project import code_lock, scaffold
from assay.project.code_lock import LOCK, STAGES, changes, fingerprint, read, refresh, require_fresh
from assay.project.params import overriding
from tests.cast import PARAMS, Project

ANSWER = '''"""The product."""

from shop import rules


def answer(messages: list[dict[str, str]]) -> str:
    """Answer the last message."""
    return rules.days(messages)
'''
RULES = """DAYS = 14


def days(messages: list[dict[str, str]]) -> str:
    return f"Within {DAYS} days."
"""
TARGET = {"kind": "python", "name": "support", "root": "product", "function": "answer:answer"}
CHAT = {"kind": "chat", "name": "support", "model": "m", "base_url": "http://127.0.0.1:1/v1"}


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with parameters, flows, tasks, a function as its product and a fresh lock, made once."""
    folder = tmp_path_factory.mktemp("laid") / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        write("params.yaml", yaml.safe_dump(PARAMS | {"execute": {"target": TARGET}}))
        write("product/answer.py", ANSWER)
        write("product/shop/__init__.py", "")
        write("product/shop/rules.py", RULES)
        write("product/shop/tools.py", "class Environment:\n    tools = []\n")
        scaffold.write(folder, scaffold.shared_files())
        refresh()
    return folder


@pytest.fixture
def locked(laid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project for one test; the current folder is the project's."""
    shutil.copytree(laid, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture
def unlocked(locked: Project) -> Project:
    """The project without a lock."""
    Path(LOCK).unlink()
    return locked


def write(name: str, text: str) -> None:
    """Write a file of the current folder."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf8")


def edit(name: str, old: str, new: str) -> None:
    """Put a text in the place of another one that has to be there."""
    text = Path(name).read_text(encoding="utf8")
    assert old in text
    write(name, text.replace(old, new, 1))


def moved() -> set[str]:
    """Return the stages whose code is another one than the lock says."""
    known = read()
    assert known
    return {stage for stage in STAGES if fingerprint(stage) != known.code[stage]}


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file of the project with its bytes, but what the tool and Python remember for themselves."""
    own = {".assay", "__pycache__"}
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and not own & set(file.parts))
    return {str(file): file.read_bytes() for file in files}


# What is refused


@pytest.mark.parametrize("stage", STAGES)
def test_a_missing_lock_is_refused(unlocked: Project, stage: str) -> None:
    """Without a lock no stage that DVC starts may run, and the sentence names the file and the command."""
    with pytest.raises(ConfigError, match=r"assay\.lock is missing.*`assay lock`"):
        require_fresh(stage)


def test_a_stale_lock_is_refused_for_the_stage_that_changed(locked: Project) -> None:
    """The stage whose code is another one is refused by its name; every other stage may run."""
    edit("tasks/judge.py", "stage.run(now, max_cost_usd)", "stage.run(now, None)")
    with pytest.raises(ConfigError, match=r"assay\.lock is of other code of judge than is here.*`assay lock`"):
        require_fresh("judge")
    for stage in set(STAGES) - {"judge"}:
        require_fresh(stage)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "assay: [",
        "assay: 0.2.0",
        "code: {}",
        "assay: 0.2.0\ncode: {judge: [1]}",
        "assay: 0.2.0\ncode: {}\nmore: 1",
        "<<<<<<< ours\nassay: 0.2.0\n=======\nassay: 0.2.1\n>>>>>>> theirs\n",
    ],
)
def test_a_damaged_lock_is_refused(locked: Project, text: str) -> None:
    """A lock that is empty, cut, foreign or in conflict is refused by its name."""
    write(LOCK, text)
    with pytest.raises(ConfigError, match=r"assay\.lock is no lock \("):
        read()


@pytest.mark.parametrize("run", [changes, refresh, lambda: require_fresh("judge")])
def test_a_damaged_lock_is_never_written_over(locked: Project, run: Callable[[], object]) -> None:
    """What would compare or renew the lock refuses a damaged one too, and leaves it for a person to see."""
    write(LOCK, "assay: [")
    with pytest.raises(ConfigError, match=r"assay\.lock is no lock \("):
        run()
    assert Path(LOCK).read_text() == "assay: ["


@pytest.mark.parametrize("content", [b"\xff\xfe", b"assay: 2026-13-45\ncode: {}\n"])
def test_a_lock_of_any_bytes_is_refused(locked: Project, content: bytes) -> None:
    """A lock that is no text, or that YAML cannot make values of, is refused by its name too."""
    Path(LOCK).write_bytes(content)
    with pytest.raises(ConfigError, match=r"assay\.lock is no lock \("):
        read()


def test_a_product_that_is_no_python_is_refused(locked: Project) -> None:
    """A module of the product that cannot be parsed is named with its file and the line, and the lock stays."""
    before = Path(LOCK).read_bytes()
    write("product/shop/rules.py", "DAYS = 14\n\n\ndef days(:\n")
    with pytest.raises(ConfigError, match=r"the code of execute: .*product/shop/rules\.py, line 4 is not Python"):
        refresh()
    assert Path(LOCK).read_bytes() == before


def test_a_task_that_is_no_python_is_refused(locked: Project) -> None:
    """A task of the project that cannot be parsed is named with its stage, its file and the line."""
    write("tasks/judge.py", "import (\n")
    with pytest.raises(ConfigError, match=r"the code of judge: .*tasks/judge\.py, line 1 is not Python"):
        changes()


def test_the_door_of_a_stage_refuses_a_stale_lock(locked: Project) -> None:
    """`python -m tasks.review`, as DVC starts it, ends with 2 and one line on stderr, and writes nothing."""
    edit("tasks/review.py", "return stage.run()", "return stage.run() + 0")
    before = tree(locked.folder)
    done = subprocess.run([sys.executable, "-m", "tasks.review"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("assay: assay.lock is of other code of review than is here")
    assert tree(locked.folder) == before


# What a fingerprint follows


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Judge: ', '"""Judge, again: '),
        ('    """Judge tonight', '    """Say what is right of tonight'),
        ("@task", "# a step\n@task"),
        ("return stage.run(now, max_cost_usd)", "return stage.run(\n        now,\n        max_cost_usd,\n    )"),
        ("\n\n\n", "\n\n\n\n\n"),
        ("stage.run", "(stage).run"),
    ],
)
def test_words_and_layout_change_nothing(locked: Project, old: str, new: str) -> None:
    """Docstrings, comments, blank lines and brackets of a task leave every fingerprint as it is."""
    edit("tasks/judge.py", old, new)
    assert changes() == []


def test_an_edit_of_a_task_changes_its_stage(locked: Project) -> None:
    """Another program in tasks/judge.py is another code of judge, and of no other stage."""
    edit("tasks/judge.py", "stage.run(now, max_cost_usd)", "stage.run(now, None)")
    assert moved() == {"judge"}
    assert changes() == ["the code of judge changed"]


def test_what_a_task_imports_of_the_project_is_its_code(locked: Project) -> None:
    """A module of the project that a task imports counts for that task's stage."""
    write("tasks/words.py", "GREETING = 'hello'\n")
    edit(
        "tasks/judge.py",
        "from assay.stages import judge as stage",
        "from assay.stages import judge as stage\nfrom tasks import words",
    )
    refresh()
    edit("tasks/words.py", "hello", "good day")
    assert moved() == {"judge"}


def test_a_task_that_goes_is_a_change(locked: Project) -> None:
    """A task that is deleted is no longer part of its stage's code."""
    Path("tasks/judge.py").unlink()
    assert moved() == {"judge"}


def test_a_flow_is_no_stage_s_code(locked: Project) -> None:
    """When stages run, and in what order, changes none of them."""
    edit("flows/nightly.py", "optional(monitor, now)", "pass")
    assert changes() == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("product/answer.py", "rules.days(messages)", "rules.days(messages) + '!'"),
        ("product/shop/rules.py", "DAYS = 14", "DAYS = 30"),
        ("product/shop/__init__.py", "", "VERSION = 2\n"),
    ],
)
def test_an_edit_of_the_product_changes_execute(locked: Project, name: str, old: str, new: str) -> None:
    """The function's module, what it imports and the packages around that are the code of execute alone."""
    edit(name, old, new)
    assert moved() == {"execute"}


def test_what_the_product_does_not_import_changes_nothing(locked: Project) -> None:
    """A file that lies beside the product and is not imported is no code of any stage."""
    edit("product/shop/tools.py", "tools = []", "tools = [{}]")
    assert changes() == []


def test_words_of_the_product_change_nothing(locked: Project) -> None:
    """A docstring in the product does not ask the product again."""
    edit("product/answer.py", "Answer the last message.", "Answer.")
    assert changes() == []


@pytest.mark.parametrize("function", ["json:dumps", "yaml:safe_load", "rapidfuzz.fuzz:ratio"])
def test_an_installed_package_is_not_followed(locked: Project, function: str) -> None:
    """A function of an installed package is that package's version's business: execute is the tool's code alone."""
    locked.params("execute", target=TARGET | {"function": function})
    installed = fingerprint("execute")
    locked.params("execute", target={"kind": "recorded", "name": "support", "path": "answers.jsonl"})
    assert installed == fingerprint("execute")


def test_an_environment_of_the_target_is_code_of_execute(locked: Project) -> None:
    """The world that a chat product's tools act on counts for execute, from the product's root."""
    locked.params("execute", target=CHAT | {"root": "product", "environment": "shop.tools"})
    refresh()
    edit("product/shop/tools.py", "tools = []", "tools = [{}]")
    assert moved() == {"execute"}


def test_an_environment_of_the_generator_is_code_of_generate(locked: Project) -> None:
    """The tools that proposals are made for count for generate, both when they are named and when they change."""
    locked.params("generate", root="product", environment="shop.tools")
    assert moved() == {"generate"}
    refresh()
    edit("product/shop/tools.py", "tools = []", "tools = [{}]")
    assert moved() == {"generate"}


def test_parameters_are_no_code(locked: Project) -> None:
    """A parameter that names no module leaves the lock fresh: DVC tracks it by itself."""
    locked.params("execute", trials=3)
    locked.params("publish", threshold=0.5)
    assert changes() == []


def test_a_fingerprint_needs_no_memory(locked: Project) -> None:
    """What is remembered of earlier scans only saves time: without it, or with a damaged one, nothing changes."""
    write(".assay/code.json", "{")
    assert changes() == []


def test_a_run_s_own_values_leave_the_lock(locked: Project) -> None:
    """The lock is of params.yaml: a run that asks another product by `--set` does not make it stale for others."""
    write("product/other.py", "def answer(messages):\n    return 'no'\n")
    with overriding(values=["execute.target.function=other:answer"]):
        refresh()
    assert changes() == []


# The lock and its commands


def test_a_fresh_lock_lets_every_stage_run(locked: Project) -> None:
    """After `refresh` no stage is refused, and nothing differs."""
    for stage in STAGES:
        require_fresh(stage)
    assert changes() == []


def test_the_first_lock_is_written_without_a_word(unlocked: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A new project is told nothing: there was no lock that anything could differ from."""
    assert refresh() == ["assay.lock is missing"]
    assert capsys.readouterr() == ("", "")
    known = read()
    assert known
    assert tuple(known.code) == STAGES


def test_a_stale_lock_is_written_once_and_said(locked: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The stages that changed are said in one line on stderr; a second refresh writes and says nothing."""
    edit("tasks/judge.py", "stage.run(now, max_cost_usd)", "stage.run(now, None)")
    edit("product/shop/rules.py", "DAYS = 14", "DAYS = 30")
    assert refresh() == ["the code of execute, judge changed"]
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("assay: the code of execute, judge changed: assay.lock ")
    written = Path(LOCK).stat()
    assert refresh() == []
    assert capsys.readouterr() == ("", "")
    assert (Path(LOCK).stat().st_mtime_ns, Path(LOCK).stat().st_ino) == (written.st_mtime_ns, written.st_ino)


def test_another_version_of_the_tool_is_said(locked: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The tool's version is part of the lock: a change of it is told with both versions, and stops no stage."""
    known = read()
    assert known
    edit(LOCK, f"assay: {known.assay}", "assay: 0.0.1")
    require_fresh("judge")
    assert changes() == [f"assay is {known.assay}, was 0.0.1"]
    refresh()
    assert f"assay is {known.assay}, was 0.0.1" in capsys.readouterr().err


def test_the_check_passes_a_fresh_lock(locked: Project) -> None:
    """`assay lock --check` ends with 0 on a fresh lock and writes nothing."""
    before = tree(locked.folder)
    done = CliRunner().invoke(app, ["lock", "--check"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert tree(locked.folder) == before


@pytest.mark.parametrize("is_missing", [False, True])
def test_the_check_refuses_a_stale_lock(locked: Project, is_missing: bool) -> None:  # noqa: FBT001 - a case
    """`assay lock --check` ends with 2 on a stale or missing lock, says what differs in one line and writes nothing."""
    edit("tasks/judge.py", "stage.run(now, max_cost_usd)", "stage.run(now, None)")
    if is_missing:
        Path(LOCK).unlink()
    before = tree(locked.folder)
    done = CliRunner().invoke(app, ["lock", "--check"])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert ("assay.lock is missing" if is_missing else "the code of judge changed") in done.stderr
    assert tree(locked.folder) == before


def test_the_command_writes_the_lock(locked: Project) -> None:
    """`assay lock` makes a stale lock fresh, so that the check passes and the door is open."""
    edit("tasks/judge.py", "stage.run(now, max_cost_usd)", "stage.run(now, None)")
    assert CliRunner().invoke(app, ["lock"]).exit_code == 0
    assert code_lock.changes() == []
    assert CliRunner().invoke(app, ["lock", "--check"]).exit_code == 0
