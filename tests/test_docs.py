"""What the documents say is true: commands exist, files exist, links lead somewhere."""

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import jsonschema_rs
import pytest
import yaml

from assay.calibration.certificate import Certificate
from assay.checks import reference as checks
from assay.checks.registry import KINDS, read, validate
from assay.cli.main import app
from assay.interchange import cases_yaml
from assay.judges import declaration
from assay.project.distribution import DISTRIBUTION
from assay.records.case import Case
from assay.report.gate import EXIT
from assay.stages import judge_clients
from assay.stages.execute import Settings
from tests.layout import ROOT

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "data/README.md", "data/labels/README.md"]
DOCUMENTS += sorted(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").glob("*.md"))
TEXT = {name: (ROOT / name).read_text(encoding="utf8") for name in DOCUMENTS}
README = TEXT["README.md"]


def make_targets() -> set[str]:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf8"), re.MULTILINE)
    assert phony
    return set(phony[1].split())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Every link to a file of the project points at one that is there."""
    links = re.findall(r"\]\((?!#)([^)#]+)", TEXT[name])
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_make_targets_are_few_and_true() -> None:
    """The Makefile has six targets at most, and every one that a document names exists."""
    named = {word for text in TEXT.values() for word in re.findall(r"`?make ([a-z-]+)`?(?= |`|\n|$)", text)}
    assert len(make_targets()) <= 6
    assert named & {"nightly", "test", "check", "serve"} == {"nightly", "test", "check", "serve"}
    assert set(re.findall(r"`make ([a-z-]+)`", "".join(TEXT.values()))) <= make_targets()


@pytest.mark.parametrize("target", ["nightly", "test", "check", "serve", "bench", "local-llm"])
def test_make_knows_how(target: str) -> None:
    """Each target can be made from a checkout as it is; what the night itself does is run in tests/flows."""
    plan = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    runs = {"nightly": "assay nightly", "serve": "assay serve", "bench": "benchmarks", "local-llm": "local_llm"}
    assert runs.get(target, "pytest") in plan


def test_the_first_command_comes_early() -> None:
    """A reader meets the first command within 25 lines, and it is the main job; the second one runs the tests."""
    lines = README.splitlines()
    first = next(number for number, line in enumerate(lines, 1) if line.startswith("make "))
    assert first <= 25
    assert (lines[first - 1].split()[1], lines[first].split()[1]) == ("nightly", "test")


def test_every_command_named_exists() -> None:
    """Each `assay ...` in the documents is a command of the program."""
    named = set(re.findall(r"`assay ([a-z]+)", "".join(TEXT.values())))
    assert named
    assert named <= set(app.commands)


def test_exit_codes_are_the_documented_ones() -> None:
    """The README's exit codes are the gate's."""
    listed = {
        word.strip().replace(" ", "-").replace("\n", "-"): int(code)
        for code, word in re.findall(r"(\d) ([a-z][a-z \n]+?)(?=[,.])", README[README.index("`assay gate`") :][:300])
    }
    assert listed.pop("bad-input") == 2
    assert listed == dict(EXIT)


def test_changed_files_named_in_the_add_one_thing_table_exist() -> None:
    """The places that the table sends a reader to are there."""
    rows = README[README.index("## Add one thing") :]
    for path in re.findall(r"`((?:assay|data)/[\w/.<>]+)`", rows):
        assert (ROOT / path.partition("<")[0]).exists()


def test_no_document_names_a_host_that_is_not_loopback() -> None:
    """Nothing a reader copies from a document calls anywhere but this machine."""
    hosts = {host for text in TEXT.values() for host in re.findall(r"https?://([^/:\s)`]+)", text)}
    assert hosts <= {"127.0.0.1", "localhost"}


@pytest.mark.parametrize("name", sorted(app.commands))
def test_every_command_explains_itself(name: str) -> None:
    """`assay COMMAND --help` answers at once with a sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "assay.cli.main", name, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.split("\n\n")[1].strip()) > 30


def test_no_file_names_this_machine() -> None:
    """No committed text holds a path of a developer's machine."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = done.stdout.splitlines()
    homes = re.compile(r"/(home|Users|work|root)/\w+/")
    texts = [name for name in listed if Path(name).suffix in {".py", ".md", ".yaml", ".toml", ".json", ".lock", ""}]
    assert [name for name in texts if homes.search((ROOT / name).read_text(encoding="utf8", errors="ignore"))] == []


EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT["docs/execute.md"], re.DOTALL)
OF_CASES = [example for example in EXAMPLES if "execute" not in yaml.safe_load(example)]


@pytest.mark.parametrize("example", OF_CASES)
def test_every_example_of_an_expectation_can_be_scored(example: str) -> None:
    """What the document shows as expectations of a case are sound ones."""
    for fields in yaml.safe_load(example)["expectations"]:
        validate(read(fields))


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example not in OF_CASES])
def test_every_example_of_parameters_is_accepted(example: str) -> None:
    """What the document shows as the section `execute` is one."""
    Settings.model_validate(yaml.safe_load(example)["execute"])


def test_every_example_of_a_case_is_accepted() -> None:
    """What the document of cases shows is what a file of cases may hold."""
    examples = re.findall(r"```yaml\n(.*?)```", TEXT["docs/cases.md"], re.DOTALL)
    assert [len(cases_yaml.parse(example, "cases.md")) for example in examples] == [1] * len(examples)
    fields = set(re.findall(r"`(\w+)`", TEXT["docs/cases.md"]))
    assert Case.model_fields.keys() <= fields


def test_the_example_of_judges_is_accepted() -> None:
    """What the document shows as the section `judge` is one."""
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT["docs/calibrate.md"], re.DOTALL)
    assert len(judge_clients.Settings.model_validate(yaml.safe_load(example)["judge"]).models) == 3


def test_the_schema_of_certificates_is_the_one_published() -> None:
    """Whoever reads a certificate elsewhere can rely on the schema beside the documents."""
    published = json.loads((ROOT / "docs/certificate.schema.json").read_text(encoding="utf8"))
    assert published == Certificate.model_json_schema()


def test_the_schema_of_judges_is_the_one_published() -> None:
    """An editor completes a declaration by the schema beside the judges, and each example of the docs is one."""
    published = json.loads((ROOT / "data/judges/judge.schema.json").read_text(encoding="utf8"))
    assert published == declaration.schema()
    asked, model = re.findall(r"```yaml\n(.*?)```", TEXT["docs/judges.md"], re.DOTALL)
    every = yaml.safe_load(asked)
    scales = {"labels": {"labels", "passing_labels"}, "score": {"range", "pass_threshold"}}
    for question, own in scales.items():
        others = set.union(*scales.values()) - own
        fields = {name: value for name, value in every.items() if name not in others}
        fields |= {"question": question, "input": ["response", "reference"]} | yaml.safe_load(model)
        assert declaration.Declaration.model_validate(fields).verdicts


def options(command: click.Command) -> set[str]:
    """Return every option of a command and of those within it."""
    within = command.commands.values() if isinstance(command, click.Group) else ()
    return set.union({option for one in command.params for option in one.opts}, *map(options, within))


def shown_commands(text: str) -> list[list[str]]:
    """Return the words behind `assay` of each command line, in a block or within a sentence."""
    lines = re.findall(r"^(?:.*&& )?assay ([a-z].*)$|`assay ([a-z][^`]*)`", text, re.MULTILINE)
    return [(block or inline).split() for block, inline in lines]


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_every_option_named_exists(name: str) -> None:
    """Each option that a page shows behind `assay COMMAND` is one of that command; others are of some command."""
    for first, *rest in shown_commands(TEXT[name]):
        command = app.commands[first]
        if isinstance(command, click.Group) and rest and rest[0].isalpha():
            command = command.commands[rest[0]]
        assert set(re.findall(r"--[a-z-]+", " ".join(rest))) <= options(command)
    alone = set(re.findall(r"`(--[a-z-]+)[^`]*`", TEXT[name]))
    assert alone <= set.union(*map(options, app.commands.values()))


def test_command_lines_are_found_on_most_pages() -> None:
    """The pages are read as they are written: in blocks, behind another command, and within sentences."""
    assert ["labels", "plan", "--judge", "tone"] in shown_commands(TEXT["docs/labels.md"])
    assert ["gate", "--max-age", "HOURS"] in shown_commands(TEXT["docs/project.md"])
    assert shown_commands("assay init evals && cd evals && assay nightly --fresh  # as new") == [
        ["nightly", "--fresh", "#", "as", "new"]
    ]
    assert sum(bool(shown_commands(TEXT[name])) for name in DOCUMENTS) >= 14


def test_the_checks_and_their_schema_are_the_ones_published() -> None:
    """The page of checks and the JSON Schema of an expectation are those of the forms by which cases are read."""
    assert TEXT["docs/checks.md"] == checks.render()
    published = json.loads((ROOT / "docs/checks.schema.json").read_text(encoding="utf8"))
    assert published == checks.schema()
    validator = jsonschema_rs.validator_for(published)
    for example in (*OF_CASES, *re.findall(r"```yaml\n(.*?)```", TEXT["docs/checks.md"], re.DOTALL)):
        for fields in yaml.safe_load(example)["expectations"]:
            validator.validate(fields)
            validate(read(fields))


def test_every_check_is_listed() -> None:
    """The table of checks names each kind there is, and no other."""
    table = TEXT["docs/execute.md"].partition("## Checks")[2].partition("##")[0]
    named = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall("`([a-z-]+)`", row[: row.index("|", 2)])
    }
    assert named == set(KINDS)


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", TEXT["docs/project.md"], re.DOTALL))
def test_every_example_of_a_project_is_accepted(example: str) -> None:
    """What the document shows of params.yaml is accepted."""
    Settings.model_validate(yaml.safe_load(example)["execute"])


def test_nobody_is_told_to_install_a_stranger_s_package() -> None:
    """Other products are named assay-something: every text that a reader copies from names our distribution alone."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    copied = re.compile(r"(?:pip install|uv add(?: --dev)?|uvx|pipx install) +[\"']?(assay[\w-]*)")
    named = {
        name
        for file in listed
        if Path(file).suffix in {".md", ".py", ".yaml", ".yml", ".toml"} and (ROOT / file).is_file()
        for name in copied.findall((ROOT / file).read_text(encoding="utf8"))
    }
    assert named == {DISTRIBUTION}
    assert f'name = "{DISTRIBUTION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf8")
