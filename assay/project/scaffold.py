"""The scaffold: the files of a new project, and how they are written without overwriting any.

Flows, tasks and default judges are the very files of the tool's repository: in a wheel they lie beside this module, in
a source checkout they are the root's.
"""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Literal

import assay
from assay.errors import ConfigError
from assay.project.archive import IGNORED, RUNS
from assay.storage import atomic

Kind = Literal["python", "http", "openai", "recorded"]
STARTER = Path(__file__).parent / "starter"
PRODUCTS: dict[Kind, tuple[str, str]] = {
    "python": ("product/python.py", "product/answer.py"),
    "http": ("product/http.py", "product/server.py"),
    "openai": ("product/openai.py", "product/server.py"),
    "recorded": ("product/answers.jsonl", "product/answers.jsonl"),
}
"""By kind of target: the example product, and where it lies in a project."""
SHARED = ("flows", "tasks", "data/judges")
"""Folders of the tool's repository that every project has."""
SAMPLE = (
    *("params.yaml", "examples/__init__.py", "examples/support", "data/README.md", "data/lexicon.yaml"),
    *("data/taxonomy", "data/decisions", "data/labels", "data/baseline", "data/traces", "data/candidates"),
    "data/evalset/manifest.json",
)
"""What the sample project has besides."""
EMPTY = ("data/baseline", "data/labels", "data/traces", "data/releases", "data/decisions", "data/calibration")
"""Folders that a stage reads, and that hold nothing yet."""
GENERAL_ABOUT = {
    "definition": "The user asks what the product has to know, and the answer is wrong, missing or evasive.",
    "example": "A question about opening hours is answered with those of another shop.",
}
IMPORTED_ABOUT = {"definition": "Say which failure this is.", "example": "Give an example of it."}
KEEP = ".gitkeep"
OWN = ("flows", "flows.py", "tasks", "tasks.py", "params.yaml", "dvc.yaml", "assay.lock", "data")
"""What a project needs for itself: where one of them exists, another folder is proposed."""
SKIPPED = {"__pycache__", ".DS_Store"}


def template() -> Path:
    """Return the folder that holds the files of a project: in the wheel, or the root of a source checkout.

    Raises:
        ConfigError: Neither is there: the installation is not whole.
    """
    packaged, checkout = Path(__file__).parent / "template", Path(assay.__file__).parent.parent
    for folder in (packaged, checkout):
        if (folder / "flows/nightly.py").is_file():
            return folder
    raise ConfigError(f"{packaged} is missing, expected the files of a new project: install the tool again")


def shared_files() -> dict[str, bytes]:
    """Return the files that every project has, by their path in it."""
    return {**_copied(SHARED), f"{RUNS}/.gitignore": IGNORED}


def sample_files() -> dict[str, bytes]:
    """Return the files of the sample project, by their path in it."""
    return {**shared_files(), **_copied(SAMPLE)}


def starter_files(kind: Kind, values: Mapping[str, str], *, has_cases: bool) -> dict[str, bytes]:
    """Return the files of a project that are its own, by their path in it.

    Args:
        kind: How its product is asked.
        values: Of the placeholders: name, package, owner, distribution, version, tracked, folder.
        has_cases: It begins with three cases of the example product.
    """
    target = _filled(f"target.{kind}.yaml", values).rstrip()
    source, place = PRODUCTS[kind]
    files = {
        "params.yaml": _filled("params.yaml", {**values, "target": target}),
        place: (STARTER / source).read_text(encoding="utf8"),
        **common_files(values),
    }
    if has_cases:
        files["cases.yaml"] = (STARTER / "cases.yaml").read_text(encoding="utf8")
    folders = {f"{folder}/{KEEP}": b"" for folder in EMPTY}
    general = {"data/taxonomy/general.yaml": category("general", values["owner"])}
    return {name: text.encode() for name, text in files.items()} | general | folders


def category(name: str, owner: str) -> bytes:
    """Return the file of a category to begin with; `owner` is quoted for YAML."""
    about = GENERAL_ABOUT if name == "general" else IMPORTED_ABOUT
    return _filled("general.yaml", {"category": name, "owner": owner, **about}).encode()


def common_files(values: Mapping[str, str]) -> dict[str, str]:
    """Return the files that people may have already, and keep then."""
    named = {"gitignore": ".gitignore"}
    names = ("README.md", "AGENTS.md", "pyproject.toml", "gitignore")
    return {named.get(name, name): _filled(name, values) for name in names}


def workflow(values: Mapping[str, str]) -> bytes:
    """Return the workflow of the continuous integration."""
    return _filled("workflow.yml", values).encode()


def taken(folder: Path) -> list[str]:
    """Return what lies in a folder and belongs to a project, or would be in its way."""
    return [name for name in OWN if (folder / name).exists()]


def write(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write files where there are none; return those that were there and stay as they are."""
    kept = []
    for name, content in files.items():
        file = folder / name
        if file.exists():
            kept.append(name)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(file) as target:
            target.write(content)
    return kept


def _copied(names: tuple[str, ...]) -> dict[str, bytes]:
    root = template()
    files: dict[str, bytes] = {}
    for name in names:
        source = root / name
        inside = [source] if source.is_file() else sorted(source.rglob("*"))
        for file in inside:
            if file.is_file() and not SKIPPED & set(file.parts) and file.suffix != ".pyc":
                files[file.relative_to(root).as_posix()] = file.read_bytes()
    return files


def _filled(name: str, values: Mapping[str, str]) -> str:
    return Template((STARTER / name).read_text(encoding="utf8")).substitute(values)
