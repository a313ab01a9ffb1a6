"""docs/compare.md shows what really happens: each of its commands is run, and its output is the one shown."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands import runs
from assay.interchange.results.registry import FORMATS
from assay.report.version_words import EXIT
from tests.layout import ROOT

PAGE = (ROOT / "docs/compare.md").read_text(encoding="utf8")
COMMANDS = [
    line.partition(" #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
FLIPS = {
    "refunds": (1, 31),
    "billing": (2, 8),
    "delivery": (1, 7),
    "returns": (2, 7),
    "account": (2, 7),
    "allergens": (1, 7),
    "orders": (2, 8),
    "tone": (1, 7),
}
"""By category how many of 125 cases are fixed and newly fail; ten fail in both."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the page names."""
    monkeypatch.chdir(tmp_path)
    rows: dict[str, list[tuple[str, bool, str]]] = {"before": [], "after": []}
    for category, (fixed, lost) in FLIPS.items():
        for at in range(125):
            is_open = fixed <= at < 115
            rows["before"].append((f"{category}-{at:03}", is_open, category))
            rows["after"].append((f"{category}-{at:03}", at < fixed or (is_open and at >= fixed + lost), category))
    for name, cases in rows.items():
        _write(f"{name}.csv", "id,passed,category", [f"{case_id},{int(one)},{group}" for case_id, one, group in cases])
    _write("other.csv", "id,passed", [f"{case_id},{int(one)}" for case_id, one, _ in rows["before"]])
    for name, words in (("old", "gut"), ("new", "schlecht")):
        _write(f"{name}.csv", "nummer,urteil,thema", [f"{at},{words},Rechnung" for at in range(30)])
    (tmp_path / "weights.json").write_text(json.dumps(dict.fromkeys(FLIPS, 0.125)))
    return tmp_path


def _write(name: str, header: str, rows: list[str]) -> None:
    Path(name).write_text("\n".join([header, *rows]) + "\n", encoding="utf8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_runs(folder: Path, command: str) -> None:
    """Each command is a comparison of files that ends well, or with the code of a regression where it asks for that."""
    name, *words = shlex.split(command)
    done = CliRunner().invoke(app, words)
    assert name == "assay"
    assert done.exit_code == ("--gate" in words), done.stderr
    assert folder.is_dir()


def test_the_output_of_the_page_is_the_real_one(folder: Path) -> None:
    """What the page shows is the beginning of what the first command prints."""
    shown = next(iter(re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)))
    assert CliRunner().invoke(app, shlex.split(COMMANDS[0])[1:]).stdout.startswith(shown)
    assert folder.is_dir()


def test_the_words_and_tools_of_the_page_are_all_there_are() -> None:
    """Each word has its exit code in the table, each tool its row, and a run is named as the runs are."""
    codes = {word: int(code) for word, code in re.findall(r"^\| ([a-z ]+) \|.*\| (\d) \|$", PAGE, re.MULTILINE)}
    assert codes == EXIT
    rows = {row.casefold() for row in re.findall(r"^\| ([\w-]+) \|", PAGE, re.MULTILINE)}
    assert set(FORMATS) <= rows
    assert f"`{runs.LAST}`" in PAGE
