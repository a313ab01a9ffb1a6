"""The wheel in an empty environment and folder: a project from nothing, a second one, a product with its own names."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from assay.project import scaffold
from tests.flows.sample import can_cut_network
from tests.layout import ROOT

pytestmark = pytest.mark.slow
STEP = """
from pathlib import Path

from assay.orchestration.steps import task


@task
def announce(sentence: str) -> None:
    Path("announced.txt").write_text(sentence)

"""


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and nothing else of ours."""

    python: Path

    def start(self, folder: Path, *words: str, offline: bool = False) -> "subprocess.Popen[str]":
        """Start `assay` in a folder, with a configuration of Git of its own."""
        command = [str(self.python), "-m", "assay.cli.main", *words]
        if offline and can_cut_network():
            command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "PREFECT_"))}
        environ |= {"GIT_CONFIG_GLOBAL": str(self.python.parent.parent / "gitconfig")}
        return subprocess.Popen(
            command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, folder: Path, *words: str, code: int = 0, offline: bool = False) -> str:
        """Run `assay` in a folder; return what it printed."""
        return self.ended(self.start(folder, *words, offline=offline), code)

    @staticmethod
    def ended(process: "subprocess.Popen[str]", code: int = 0) -> str:
        """Wait for a started `assay`; return what it printed."""
        printed, errors = process.communicate(timeout=300)
        assert process.returncode == code, f"{process.args} exited {process.returncode}:\n{printed}\n{errors}"
        return printed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new environment with the wheel; what it depends on is borrowed from the tests' own, which has no `assay`."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (folder / "gitconfig").write_text("[user]\n\tname = Cleo\n\temail = cleo@example.org\n")
    subprocess.run([str(folder / "bin/python"), "-m", "compileall", "-q", str(site / "assay")], check=False)
    return Installed(folder / "bin/python")


@pytest.fixture(scope="module")
def evals(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project made in an empty folder, and what its first night said, without network where the machine allows."""
    folder = tmp_path_factory.mktemp("empty")
    installed.run(folder, "init", "my-evals", offline=True)
    return folder / "my-evals", installed.run(folder / "my-evals", "nightly", offline=True)


def test_the_wheel_has_one_name(wheel: Path) -> None:
    """The wheel puts one package at the top level, and no file of the repository's own runs."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"assay"}
    assert not [name for name in names if "/calibration/" in name and "/template/" in name]


def test_the_template_is_what_the_scaffold_copies() -> None:
    """The wheel takes in exactly the folders that `assay init` copies: there is no second list."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf8")
    included = text.partition("force-include]")[2].partition("[tool.ruff]")[0]
    assert {line.split('"')[1] for line in included.splitlines() if line} == {*scaffold.SHARED, *scaffold.SAMPLE}


def test_a_project_from_nothing_has_a_verdict(evals: tuple[Path, str]) -> None:
    """`assay init`, then `assay nightly`, in an empty folder: a verdict on three cases, and a report."""
    folder, said = evals
    assert "Of 3 planned cases" in said
    assert (folder / "data/reports/report.html").is_file()
    assert json.loads((folder / "data/reports/metrics.json").read_text())["cases"]["planned"] == 3


def test_two_projects_side_by_side(installed: Installed, evals: tuple[Path, str], tmp_path: Path) -> None:
    """A night of the sample beside one of another project: the README's sentence, and each has its own results."""
    installed.run(tmp_path, "init", "--sample", "sample")
    nights = [installed.start(folder, "nightly", "--set", "execute.concurrency=2") for folder in (evals[0],)]
    nights.append(installed.start(tmp_path / "sample", "nightly"))
    mine, sample = (Installed.ended(night) for night in nights)
    quoted = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("REGRESSION"))
    assert sample.startswith(quoted.removesuffix(" ..."))
    assert "Of 3 planned cases" in mine


def test_a_product_keeps_its_own_names(installed: Installed, tmp_path: Path) -> None:
    """A product with Celery's usual tasks.py at its root, the project in evals/: each imports its own `tasks`."""
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "tasks.py").write_text('HOURS = "from 9 to 17, says the module of the product"\n')
    (shop / "shop.py").write_text("import tasks\n\n\ndef answer(messages):\n    return f'Open {tasks.HOURS}.'\n")
    subprocess.run(["git", "init", "-q"], cwd=shop, check=True)
    (shop / "flows").mkdir()
    assert "assay init evals" in installed.start(shop, "init").communicate()[1]
    installed.run(shop, "init", "evals")
    params = yaml.safe_load((shop / "evals/params.yaml").read_text())
    params["execute"]["target"] |= {"root": "..", "function": "shop:answer", "processes": 1}
    (shop / "evals/params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert "Of 3 planned cases" in installed.run(shop / "evals", "nightly")
    import pyarrow.parquet as pq

    texts = pq.read_table(shop / "evals/data/responses/responses.parquet").column("text").to_pylist()
    assert set(texts) == {"Open from 9 to 17, says the module of the product."}


def test_a_step_of_one_s_own(installed: Installed, evals: tuple[Path, str]) -> None:
    """A step that a team adds to its own flow runs in `assay nightly`, without any server."""
    flow = evals[0] / "flows/nightly.py"
    text = flow.read_text()
    head, marker, rest = text.partition("\n\n@flow")
    calls = rest.replace(
        "        optional(monitor, now)\n", '        optional(monitor, now)\n        announce("done")\n'
    )
    flow.write_text(f"{head}{STEP}{marker}{calls}")
    try:
        installed.run(evals[0], "nightly")
    finally:
        flow.write_text(text)
    assert (evals[0] / "announced.txt").read_text() == "done"


def test_a_newer_wheel_changes_no_fingerprint_by_itself(installed: Installed, evals: tuple[Path, str]) -> None:
    """A tool that says something else in its docstrings only leaves every fingerprint, and says its version."""
    site = installed.python.parent.parent / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    file = site / "site-packages/assay/stages/judge.py"
    before, code = file.read_text(), yaml.safe_load((evals[0] / "assay.lock").read_text())["code"]
    try:
        file.write_text(before.replace('"""Judge:', '"""Judge (newer):', 1))
        assert "fresh" in installed.run(evals[0], "lock")
        file.write_text(before + "\nNEWER = 1\n")
        installed.run(evals[0], "lock")
        newer = yaml.safe_load((evals[0] / "assay.lock").read_text())["code"]
    finally:
        file.write_text(before)
        installed.run(evals[0], "lock")
    assert {stage for stage in code if code[stage] != newer[stage]} == {"judge"}
