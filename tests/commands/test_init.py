"""Init: a project that may begin its first night, in a folder where nothing was written over; upgrade keeps it so."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from click.testing import CliRunner, Result

from assay.cli.main import app
from assay.commands import init as command
from assay.commands.init import Made, init, init_sample
from assay.commands.upgrade import upgrade
from assay.commands.validate import read_settings, validate
from assay.errors import ConfigError, DataError
from assay.orchestration.runs import NIGHT
from assay.project import code_lock, dvc, files
from assay.project.scaffold import OWN, PRODUCTS, Kind
from assay.project.tables.decisions import DECISIONS
from assay.project.taxonomy import read_taxonomy
from assay.stages import dvc_yaml, review
from tests.cast import AT
from tests.interchange.sets.test_set_openai_judges import DEPTH, TONE, evals
from tests.layout import ROOT

GRADED = """\
prompts: ['{{question}}']
providers: [echo]
tests:
- vars: {question: May I send it back?}
  assert: [{type: llm-rubric, value: is warm}]
- vars: {question: Where is my parcel?}
"""
KINDS: tuple[Kind, ...] = get_args(Kind)
FIRST_NIGHT = ("review", *NIGHT)
NEWCOMER = ROOT.parent / "shared/cases/newcomer/promptfooconfig.yaml"
PROMPTFOO = """\
description: Pantry Lane's assistant
prompts: ['{{question}}']
providers: [http://localhost:8420/ask]
tests:
- vars: {question: May I send it back?}
  assert: [{type: icontains, value: 14 days}]
- vars: {question: Where is my parcel?}
  assert: [{type: icontains, value: tracking}]
"""
Make = Callable[..., Made]


@pytest.fixture(scope="module", autouse=True)
def known_to_git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let Git know ada, whatever this machine's own settings say."""
    settings = tmp_path_factory.mktemp("git") / "config"
    settings.write_text("[user]\n  name = ada\n  email = ada@example.org\n[init]\n  defaultBranch = main\n")
    with pytest.MonkeyPatch.context() as here:
        here.setenv("GIT_CONFIG_GLOBAL", str(settings))
        here.setenv("GIT_CONFIG_NOSYSTEM", "1")
        yield


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a function as its product, in a folder that was not there, made once."""
    folder = tmp_path_factory.mktemp("fresh") / "shop"
    assert init(folder, "python", None, AT).kept == []
    return folder


@pytest.fixture(scope="module")
def make(fresh: Path) -> Make:
    """Init in a folder that has DVC already, and what the tool remembers of its own code: both only save time."""

    def _make(folder: Path, kind: Kind = "python", source: Path | None = None) -> Made:
        prepared(folder, fresh)
        return init(folder, kind, source, AT)

    return _make


@pytest.fixture
def project(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the fresh project for one test, as the current folder."""
    shutil.copytree(fresh, tmp_path / "shop", ignore=shutil.ignore_patterns(".git"))
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """The Git repository of a product, with a project that was made in its folder `evals`, once."""
    top = tmp_path_factory.mktemp("nested")
    subprocess.run(["git", "init", "--quiet"], cwd=top, check=True)
    (top / "params.yaml").write_text("the product's own")
    (top / "evals").mkdir()
    (top / "evals/README.md").write_bytes(b"Ours.\r\n\xff")
    (top / "evals/.gitignore").write_bytes(b"*.log")
    return top, init(top / "evals", "python", None, AT)


def prepared(folder: Path, fresh: Path) -> None:
    """Give a folder what `dvc init` writes, and the tool's memory of its own code."""
    for name in (".dvc", ".assay"):
        shutil.copytree(fresh / name, folder / name)


def run(*words: str) -> Result:
    """Run the command in the current folder."""
    return CliRunner().invoke(app, list(words))


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file of a project with its bytes, but those of Git and DVC and the tool's memory."""
    hidden = {".git", ".dvc", ".assay", "__pycache__"}
    there = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in there
        if not hidden & set(file.relative_to(folder).parts)
    }


# What is refused


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("folder", [".", "shop"])
def test_what_a_project_needs_for_itself_is_never_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, folder: str
) -> None:
    """Where one of a project's own names is taken, nothing is written, and a folder of its own is proposed."""
    monkeypatch.chdir(tmp_path)
    taken = tmp_path / folder / name
    taken.parent.mkdir(exist_ok=True)
    if "." in name:
        taken.write_text("mine")
    else:
        taken.mkdir()
    done = run("init", folder)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"{folder} holds {name} already" in done.stderr
    assert f"`assay init {Path(folder) / 'evals'}`" in done.stderr
    assert [path.name for path in taken.parent.iterdir()] == [name]
    assert not taken.is_file() or taken.read_text() == "mine"


def test_a_file_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the project is to be is refused by its name and stays as it is."""
    monkeypatch.chdir(tmp_path)
    Path("evals").write_text("mine")
    done = run("init", "evals")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "evals is a file" in done.stderr
    assert tree(tmp_path) == {"evals": b"mine"}


def test_a_folder_beneath_a_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leads through a file is refused by its name."""
    monkeypatch.chdir(tmp_path)
    Path("evals").write_text("mine")
    done = run("init", "evals/first")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "evals" in done.stderr


def test_without_git_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project is kept in Git: where that is not installed, it is refused before anything is written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="git is not installed"):
        init(tmp_path / "evals", "python", None, AT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cases.csv", "colour,size\nred,1\n"),
        ("cases.json", '{"colour": "red"}'),
        ("cases.jsonl", '{"colour": "red"}\n'),
        ("cases.yaml", "colour: red\n"),
        ("cases.yaml", "cases: [\n"),
        ("cases.yaml", "- {case_id: hours-1}\n"),
        ("cases.txt", "Are you open?\n"),
        ("cases.json", ""),
    ],
)
def test_a_file_that_nobody_recognises_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """Cases that cannot be read are refused by the file's name before the project's folder is made."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    with pytest.raises((ConfigError, DataError), match=re.escape(name)):
        init(Path("evals"), "python", Path(name), AT)
    assert run("init", "evals", "--from", name).exit_code == 2
    assert list(tree(tmp_path)) == [name]
    assert not Path("evals").exists()


@pytest.mark.parametrize("option", [("--target", "python"), ("--from", "cases.csv")])
def test_the_sample_has_its_own_product_and_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, str]
) -> None:
    """`--sample` beside `--target` or `--from` is refused, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    Path("cases.csv").write_text("question,category\nOpen?,general\n")
    done = run("init", "evals", "--sample", *option)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "--sample" in done.stderr
    assert list(tree(tmp_path)) == ["cases.csv"]


@pytest.mark.parametrize("words", [("upgrade",), ("lock",), ("repro",)])
def test_outside_a_project_there_is_nothing_to_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Commands about a project are refused in a folder that is none, which stays empty."""
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "has no params.yaml" in done.stderr
    assert list(tmp_path.iterdir()) == []


# A new project


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, kind: Kind) -> None:
    """For each kind of product the parameters are valid, dvc.yaml and assay.lock fresh, and a night may begin."""
    made = make(tmp_path / "shop", kind)
    monkeypatch.chdir(tmp_path / "shop")
    settings = read_settings()
    assert settings["execute"].target.kind == {"openai": "chat"}.get(kind, kind)
    assert settings["execute"].target.name == "shop"
    assert Path("dvc.yaml").read_text() == dvc_yaml.render(settings)
    assert code_lock.changes() == []
    validate(FIRST_NIGHT)
    assert (made.cases, made.product, made.kept) == (3, PRODUCTS[kind][1], [])
    assert Path(made.product).is_file()
    assert upgrade() == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_placeholder_is_left(tmp_path: Path, make: Make, kind: Kind) -> None:
    """In no file of a new project stands a name that was to be filled in."""
    make(tmp_path, kind)
    texts = {name: content for name, content in tree(tmp_path).items() if not name.endswith(".schema.json")}
    left = {name: re.findall(rb"\$\{?[a-z_]\w*", content) for name, content in texts.items()}
    assert {name: found for name, found in left.items() if found} == {}


def test_recorded_answers_are_an_input_of_execute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, fresh: Path
) -> None:
    """DVC knows the file of recorded answers, and of no such file where the product is asked."""
    make(tmp_path, "recorded")
    monkeypatch.chdir(tmp_path)
    assert "product/answers.jsonl" in dvc.declarations()["execute"]["deps"]
    monkeypatch.chdir(fresh)
    assert [name for name in dvc.declarations()["execute"]["deps"] if not name.startswith("data/")] == []


def test_the_product_is_code_of_execute(project: Path) -> None:
    """The function that a new project asks is fingerprinted from the start."""
    file = Path("product/answer.py")
    file.write_text(file.read_text().replace("9 to 17", "9 to 18"))
    assert code_lock.changes() == ["the code of execute changed"]


def test_the_first_cases_are_admitted(project: Path) -> None:
    """The three cases of cases.yaml stand in the log, signed by who made the project, of the one category there is."""
    log = DECISIONS.read()
    assert [one.candidate_id for one in log] == ["hours-1", "hours-2", "hours-3"]
    assert {(one.decision, one.reviewer, one.decided_at) for one in log} == {("admit", "ada", AT)}
    assert {(one.case.category, one.case.owner) for one in log if one.case} == {("general", "ada")}
    assert [(one.category, one.owner) for one in read_taxonomy()] == [("general", "ada")]
    assert Path("cases.yaml").is_file()


def test_a_folder_outside_git_becomes_a_repository(fresh: Path) -> None:
    """Git and DVC are initialised in the folder, DVC with its analytics off; the workflow runs at the top."""
    assert (fresh / ".git").is_dir()
    assert "analytics = false" in (fresh / ".dvc/config").read_text()
    assert "no_scm" not in (fresh / ".dvc/config").read_text()
    workflow = yaml.safe_load((fresh / ".github/workflows/assay.yml").read_text())
    assert workflow["jobs"]["evaluate"]["defaults"]["run"]["working-directory"] == "."


def test_git_ignores_what_dvc_keeps(fresh: Path) -> None:
    """Of what stages write, Git is told to leave alone what lies in DVC's cache, and nothing that people own."""
    ignored = (fresh / ".gitignore").read_text().splitlines()
    assert {"/data/evalset/cases.parquet", "/data/responses/responses.parquet", "/data/reports/report.html"} <= {
        *ignored
    }
    own = {"/data/decisions", "/data/labels", "/data/baseline", "/data/calibration", "/data/reports/gate.json"}
    assert not own & {*ignored}


def test_in_a_repository_the_project_is_a_folder_of_it(nested: tuple[Path, Made]) -> None:
    """Within a repository the project gets a DVC of its own and no second Git; its workflow lies at the top."""
    top, _ = nested
    assert not (top / "evals/.git").exists()
    assert not (top / ".dvc").exists()
    config = (top / "evals/.dvc/config").read_text()
    assert "no_scm" not in config
    assert "analytics = false" in config
    assert not (top / "evals/.github").exists()
    workflow = yaml.safe_load((top / ".github/workflows/assay.yml").read_text())
    assert workflow["jobs"]["evaluate"]["defaults"]["run"]["working-directory"] == "evals"


def test_in_a_repository_dvc_knows_the_pipeline(nested: tuple[Path, Made], monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC reads the pipeline of a project within a repository, with its stages in their order."""
    from dvc.repo import Repo

    monkeypatch.chdir(nested[0] / "evals")
    with Repo() as repository:
        assert [stage.name for stage in repository.index.stages] == list(code_lock.STAGES)


def test_files_that_are_there_stay_as_they_are(nested: tuple[Path, Made]) -> None:
    """README.md and .gitignore keep every byte and are named; what lies outside the folder is not touched."""
    top, made = nested
    assert (top / "evals/README.md").read_bytes() == b"Ours.\r\n\xff"
    assert (top / "evals/.gitignore").read_bytes() == b"*.log"
    assert made.kept == ["README.md", ".gitignore"]
    assert "README.md was there already and stays as it is." in command.lines(made)
    assert (top / "params.yaml").read_text() == "the product's own"


@pytest.mark.parametrize("name", ["AGENTS.md", "pyproject.toml", "cases.yaml", "product/answer.py"])
def test_no_file_is_written_over(tmp_path: Path, make: Make, name: str) -> None:
    """Whatever else a new project would have is kept where it is there already, and named."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"mine\r\n")
    assert make(tmp_path).kept == [name]
    assert file.read_bytes() == b"mine\r\n"


def test_a_workflow_that_is_there_stays(tmp_path: Path, make: Make) -> None:
    """A second project of a repository leaves the first one's workflow as it is."""
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    make(tmp_path / "one")
    before = (tmp_path / ".github/workflows/assay.yml").read_bytes()
    assert make(tmp_path / "two").kept == [".github/workflows/assay.yml"]
    assert (tmp_path / ".github/workflows/assay.yml").read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        'Ada "Countess" Lovelace',
        "ops: the night shift",
        "Zoë Müßig",
        "C:\\ada",
        "#ada",
        "{ada}",
        "null",
        "12",
        "it's",
        "李",
    ],
)
def test_a_name_is_a_name_in_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, name: str) -> None:
    """Whatever Git calls a person, the taxonomy and the log say exactly that, as valid YAML."""
    for variable, value in {"COUNT": "1", "KEY_0": "user.name", "VALUE_0": name}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{variable}", value)
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert [one.owner for one in read_taxonomy()] == [name]
    assert {(one.reviewer, one.case.owner) for one in DECISIONS.read() if one.case} == {(name, name)}
    validate(FIRST_NIGHT)


@pytest.mark.parametrize(
    ("folder", "name"), [("Our Shop", "our-shop"), ("ümlaut", "umlaut"), ("李", "evals"), ("a.b_c", "a-b-c")]
)
def test_the_folder_names_the_product(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, folder: str, name: str
) -> None:
    """The product is called as the folder, in letters that an identifier may have."""
    make(tmp_path / folder)
    monkeypatch.chdir(tmp_path / folder)
    assert read_settings()["execute"].target.name == name


@pytest.mark.parametrize("folder", ["2026", "no", "null", "2026-11-01"])
def test_a_folder_s_name_is_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, folder: str) -> None:
    """A folder whose name YAML reads as a number, a date or nothing gives a product of that name."""
    make(tmp_path / folder)
    monkeypatch.chdir(tmp_path / folder)
    assert read_settings()["execute"].target.name == folder


def test_what_comes_next_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Path) -> None:
    """The command ends with 0, the number of cases, and the next commands, with `cd` only where that is needed."""
    monkeypatch.chdir(tmp_path)
    prepared(tmp_path / "evals", fresh)
    done = run("init", "evals", "--target", "http")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "3 cases, and product/server.py" in done.stdout
    assert "  cd evals\n" in done.stdout
    prepared(tmp_path / "here", fresh)
    monkeypatch.chdir(tmp_path / "here")
    done = run("init")
    assert done.exit_code == 0
    assert "  cd " not in done.stdout
    assert "  assay nightly" in done.stdout


# Cases of another tool, and the sample


def cases_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the category and first turn of each case that a new project's log admits, after it was validated."""
    monkeypatch.chdir(folder)
    validate(FIRST_NIGHT)
    assert not Path("cases.yaml").exists()
    admitted = [one.case for one in DECISIONS.read() if one.case]
    known = {one.category for one in read_taxonomy()}
    assert {one.category for one in admitted} <= known
    return [(one.category, one.turns[0]) for one in admitted]


def test_cases_of_promptfoo_come_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """A configuration of promptfoo in place of the first cases: its tests are admitted, and there is no cases.yaml."""
    (tmp_path / "promptfooconfig.yaml").write_text(PROMPTFOO)
    made = make(tmp_path / "evals", "python", tmp_path / "promptfooconfig.yaml")
    assert made.cases == 2
    assert cases_of(tmp_path / "evals", monkeypatch) == [
        ("general", "May I send it back?"),
        ("general", "Where is my parcel?"),
    ]


def test_rubrics_of_promptfoo_bring_their_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """Tests that a model grades are admitted with the judge for it, which is told; what nothing can fail stays out."""
    (tmp_path / "promptfooconfig.yaml").write_text(GRADED)
    made = make(tmp_path / "evals", "python", tmp_path / "promptfooconfig.yaml")
    assert made.cases == 1
    assert any("1 case that nothing can fail" in line for line in made.left_out)
    assert any(line.startswith("data/judges/rubric is written") for line in made.left_out)
    assert (tmp_path / "evals/data/judges/rubric/judge.yaml").is_file()


def test_a_file_of_cases_that_nothing_can_fail_makes_nothing(tmp_path: Path, make: Make) -> None:
    """Where nothing can fail any case of the file, no project is made."""
    (tmp_path / "promptfooconfig.yaml").write_text(GRADED.replace("llm-rubric", "javascript"))
    with pytest.raises(DataError, match="2 cases that nothing can fail"):
        make(tmp_path / "evals", "python", tmp_path / "promptfooconfig.yaml")
    assert not (tmp_path / "evals/params.yaml").exists()
    assert not (tmp_path / "evals/data").exists()


def test_a_category_that_the_file_names_is_one_of_the_taxonomy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    """Whatever categories the cases of another tool have, the first night can make the evaluation set of them."""
    (tmp_path / "promptfooconfig.yaml").write_text(f"{PROMPTFOO}  metadata: {{category: parcels}}\n")
    make(tmp_path / "evals", "python", tmp_path / "promptfooconfig.yaml")
    cases_of(tmp_path / "evals", monkeypatch)
    assert review.run() == 2


def test_a_newcomer_s_cases_come_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """The configuration that a newcomer really had gives its twenty cases, and says what has no place in them."""
    if not NEWCOMER.is_file():
        pytest.skip("the newcomer's file is not on this machine")
    made = make(tmp_path / "evals", "python", NEWCOMER)
    assert made.cases == 20
    assert any("javascript" in line for line in made.left_out)
    assert len(cases_of(tmp_path / "evals", monkeypatch)) == 20
    assert review.run() == 20


def test_cases_by_hand_come_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """Our own YAML is taken as well, and a case that names its owner keeps it."""
    (tmp_path / "mine.yaml").write_text(
        "- {case_id: a-1, layer: unit, category: general, turns: [Open?], reference: Yes., owner: care}\n"
        "- {case_id: a-2, layer: unit, category: general, turns: [Closed?], reference: No.}\n"
    )
    made = make(tmp_path / "evals", "python", tmp_path / "mine.yaml")
    assert made.cases == 2
    assert cases_of(tmp_path / "evals", monkeypatch) == [("general", "Open?"), ("general", "Closed?")]
    assert [one.case.owner for one in DECISIONS.read() if one.case] == ["care", "ada"]


def test_the_sample_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Path) -> None:
    """The sample project may begin its first night, with a lock and a pipeline of its own."""
    prepared(tmp_path, fresh)
    made = init_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert (made.cases, made.product, made.kept) == (0, "", [])
    assert code_lock.changes() == []
    validate(FIRST_NIGHT)
    assert upgrade() == []


# Upgrade


def test_upgrade_of_a_fresh_project_changes_nothing(project: Path) -> None:
    """What this version wrote it finds as it would write it: not a byte changes."""
    before = tree(project)
    assert upgrade() == []
    assert run("upgrade").exit_code == 0
    assert tree(project) == before


@pytest.mark.parametrize(
    "name",
    [
        "flows/nightly.py",
        "tasks/judge.py",
        "data/judges/grounding/rubric.md",
        "data/judges/judge.schema.json",
        "dvc.yaml",
        "assay.lock",
        "data/runs/.gitignore",
    ],
)
def test_upgrade_brings_back_what_is_missing(project: Path, name: str) -> None:
    """A file of the tool's that was deleted is there again as it was, and named; nothing else changes."""
    before = tree(project)
    Path(name).unlink()
    changed = upgrade()
    assert len(changed) == 1
    assert name in changed[0]
    assert tree(project) == before


def test_upgrade_brings_back_no_judge_that_was_taken_out(project: Path) -> None:
    """A judge's folder that a team has deleted stays away; an edited schema of judges is this version's again."""
    shutil.rmtree("data/judges/preference")
    schema = Path("data/judges/judge.schema.json")
    whole = schema.read_bytes()
    schema.write_text("{}")
    assert upgrade() == ["data/judges/judge.schema.json is this version's"]
    assert (Path("data/judges/preference").exists(), schema.read_bytes()) == (False, whole)
    assert project.is_dir()


def test_upgrade_keeps_what_was_edited(project: Path) -> None:
    """Flows, tasks and rubrics are the project's: an edited one stays, and only the lock follows its code."""
    flow, rubric, task = Path("flows/nightly.py"), Path("data/judges/correctness/rubric.md"), Path("tasks/judge.py")
    flow.write_text(flow.read_text() + "\nMINE = 1\n")
    rubric.write_text(rubric.read_text() + "\nBe kind.\n")
    task.write_text(task.read_text().replace("run(now, max_cost_usd)", "run(now, None)"))
    before = tree(project)
    *yours, lock = upgrade()
    assert [line.split(" ", 1)[0] for line in yours] == ["flows/nightly.py", "tasks/judge.py"]
    assert lock == "assay.lock: the code of judge changed"
    assert {name for name, content in tree(project).items() if before[name] != content} == {"assay.lock"}


def test_upgrade_keeps_stages_of_one_s_own(project: Path) -> None:
    """In dvc.yaml a stage and a key of one's own stay, while a stage of the tool's is what it declares again."""
    known = yaml.safe_load(Path("dvc.yaml").read_text())
    mine = {"cmd": "python deliver.py", "deps": ["data/reports/report.html"]}
    known["stages"]["deliver"] = mine
    known["stages"]["judge"]["deps"].remove("data/judges")
    known["stages"]["publish"]["metrics"].append({"other.json": {"cache": False}})
    known["vars"] = [{"region": "eu"}]
    Path("dvc.yaml").write_text(yaml.safe_dump(known, sort_keys=False))
    assert upgrade() == [
        "dvc.yaml: judge.deps has data/judges now",
        "dvc.yaml: publish.metrics had {other.json: {cache: false}}, which the stage does not declare: taken out",
    ]
    found = dvc.whole()
    assert found["stages"]["deliver"] == mine
    assert "data/judges" in found["stages"]["judge"]["deps"]
    assert found["vars"] == [{"region": "eu"}]
    assert upgrade() == []


def test_upgrade_says_each_change_of_a_key(project: Path) -> None:
    """A command, a description, a flag and the type of an artifact are put right, and each is said in a line."""
    known = yaml.safe_load(Path("dvc.yaml").read_text())
    known["stages"]["judge"] |= {"cmd": "true", "always_changed": True}
    del known["stages"]["review"]["desc"]
    known["artifacts"]["evalset"] |= {"type": "model", "labels": ["mine"]}
    known["artifacts"]["other"] = {"path": "x"}
    Path("dvc.yaml").write_text(yaml.safe_dump(known, sort_keys=False))
    lines = upgrade()
    assert [line.split(" ", 2)[1] for line in lines] == [
        "review.desc",
        "judge.cmd",
        "judge.always_changed",
        "artifacts.evalset",
    ]
    assert "python -m tasks.judge now, was true" in lines[1]
    found = dvc.whole()
    assert found["stages"]["judge"]["cmd"] == "python -m tasks.judge"
    assert "always_changed" not in found["stages"]["judge"]
    assert found["artifacts"]["evalset"] | {"type": "dataset", "labels": ["mine"]} == found["artifacts"]["evalset"]
    assert found["artifacts"]["other"] == {"path": "x"}
    assert upgrade() == []


def test_comments_of_own_stages_survive_and_others_are_named(project: Path) -> None:
    """A stage of one's own keeps its lines and comments, wherever it stands; a comment in a tool's stage is told."""
    text = Path("dvc.yaml").read_text()
    mine = "  # To the archive.\n  deliver:\n    cmd: cp a b  # by hand\n    # nothing else\n    deps: [a]"
    text = text.replace("stages:\n", f"stages:\n{mine}\n\n", 1)
    text = text.replace("    cmd: python -m tasks.judge\n", "    # mine\n    cmd: python -m tasks.judge\n", 1)
    Path("dvc.yaml").write_text(text)
    (line,) = upgrade()
    assert "# mine" in line
    written = Path("dvc.yaml").read_text()
    assert mine in written
    assert "# mine" not in written
    assert dvc.declarations()["deliver"] == {"cmd": "cp a b", "deps": ["a"]}
    assert upgrade() == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("assay.lock", b"x: ["),
        ("tasks/judge.py", b"\xff\xfe"),
        ("tasks/judge.py", b"def ("),
        ("dvc.yaml", b"stages: \xff"),
        ("params.yaml", b"execute: ["),
        (".assay/journal.sqlite", b"no database " * 400),
    ],
)
def test_an_upgrade_that_is_refused_has_written_nothing(project: Path, name: str, data: bytes) -> None:
    """What any step of an upgrade would refuse is refused before the first: no file comes, goes or changes."""
    known = yaml.safe_load(Path("dvc.yaml").read_text())
    known["stages"]["judge"]["cmd"] = "true"
    Path("dvc.yaml").write_text(yaml.safe_dump(known))
    Path("flows/monitor.py").unlink()
    files.private("x")
    Path(name).write_bytes(data)

    def there() -> dict[Path, bytes]:
        found = [path for folder in (".", "flows", "tasks", "data/runs") for path in Path(folder).glob("*")]
        return {path: path.read_bytes() for path in found if path.is_file()}

    before = there()
    done = CliRunner().invoke(app, ["upgrade"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert Path(name).name in done.stderr or name in done.stderr
    assert there() == before


@pytest.mark.parametrize("text", ["stages: [a]\n", "stages: {}\nartifacts: [a]\n"])
def test_upgrade_refuses_a_pipeline_that_is_none(project: Path, text: str) -> None:
    """A dvc.yaml whose stages or artifacts are no mapping is refused by its name and stays as it is."""
    Path("dvc.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"dvc\.yaml"):
        upgrade()
    assert Path("dvc.yaml").read_text() == text


def test_upgrade_follows_the_parameters(project: Path) -> None:
    """A product that becomes a file of recorded answers becomes an input of execute."""
    whole = yaml.safe_load(Path("params.yaml").read_text())
    whole["execute"]["target"] = {"kind": "recorded", "name": "shop", "path": "answers.jsonl"}
    Path("params.yaml").write_text(yaml.safe_dump(whole))
    changed = upgrade()
    assert changed[0] == "dvc.yaml: execute.deps has answers.jsonl now"
    assert "answers.jsonl" in dvc.declarations()["execute"]["deps"]


def test_the_starter_s_folders_are_kept_in_git(fresh: Path) -> None:
    """Folders that a stage reads and that hold nothing yet are there after a clone."""
    kept = {path for path in tree(fresh) if path.endswith("/.gitkeep")}
    assert {f"data/{name}/.gitkeep" for name in ("baseline", "labels", "traces", "releases", "calibration")} <= kept


def test_judges_of_a_file_begin_a_project_with_its_cases(tmp_path: Path, make: Make) -> None:
    """The first cases of a project bring the judges of their file; a file of judges alone begins none."""
    (tmp_path / "grader.json").write_text(json.dumps(DEPTH))
    with pytest.raises(DataError, match="grader.json holds judges and no case"):
        make(tmp_path / "evals", "python", tmp_path / "grader.json")
    assert not (tmp_path / "evals/params.yaml").exists()
    rows = [{"id": "lamp", "question": "May I send it back?", "tier": "gold"}]
    (tmp_path / "evals.json").write_text(json.dumps(evals(TONE, rows=rows)))
    made = make(tmp_path / "more", "python", tmp_path / "evals.json")
    assert made.cases == 1
    assert (tmp_path / "more/data/judges/tone-of-voice/judge.yaml").is_file()
    assert [line for line in made.left_out if "data/judges/tone-of-voice is written" in line]
