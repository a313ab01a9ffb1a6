"""Init: a project in a folder, ready for its first night.

Writes files of a new project, never over one that is there; initialises Git and DVC where they are not.
"""

import getpass
import json
import os
import re
import shlex
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from contextlib import chdir
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from assay.commands import accept, exchange, imported_judges, intake, judges
from assay.commands.upgrade import write_dvc_yaml
from assay.errors import ConfigError, DataError
from assay.evalset import unfailing
from assay.interchange import cases_yaml
from assay.interchange.sets import registry
from assay.interchange.sets.builder import RUBRIC_JUDGE, Filling
from assay.judges.draft import JudgeDraft
from assay.judges.prompt import JUDGES_FOLDER, load_all
from assay.project import code_lock, programs, scaffold
from assay.project.distribution import DISTRIBUTION, tool_version
from assay.project.scaffold import Kind
from assay.project.taxonomy import TAXONOMY
from assay.records.case import Case
from assay.stages.registry import STAGES
from assay.storage import attachments
from assay.text import counted

GENERAL = "general"
"""The first category of a new project."""
PYPROJECT = "pyproject.toml"
WORKFLOW = ".github/workflows/assay.yml"
DVC_CONFIG = "[core]\n    analytics = false\n    check_update = false\n"


class Made(NamedTuple):
    """A project that was made."""

    folder: Path
    cases: int
    kept: list[str]
    """Files that were there already and stay as they are."""
    left_out: list[str]
    """What of an imported file has no place in a case, one sentence a kind."""
    product: str
    """File of the example product; empty for the sample project."""


def init(folder: Path, kind: Kind, source: Path | None, now: datetime) -> Made:
    """Make a project of one's own in a folder.

    Args:
        folder: Where; it may exist, unless it holds what a project needs for itself.
        kind: How the product is asked.
        source: A file of another tool whose cases come in; None for three first cases.
        now: When the cases are admitted.

    Raises:
        ConfigError: The folder is in the way, Git is missing, or the file cannot be read.
        DataError: The file is not what its format asks for.
    """
    top = _repository(folder)
    owner = _owner(folder)
    reading = _read(source, owner) if source else None
    if reading:
        exchange.require_files(reading.cases, reading.files)
    drafts = reading.judges if reading else ()
    cases, left_out = _sifted(reading.cases, drafts, source) if reading and source else (_first_cases(), [])
    values = _values(folder, top, owner)
    planned = scaffold.shared_files() | scaffold.starter_files(kind, values, has_cases=reading is None)
    if reading and kind == "recorded":
        planned[scaffold.PRODUCTS[kind][1]] = _answers(cases)
    kept = scaffold.write(folder, planned)
    kept += scaffold.write(top or folder, {WORKFLOW: scaffold.workflow(values)})
    with chdir(folder):
        _begin(top)
        attachments.keep(reading.files if reading else {})
        fresh = [case if case.owner else case.model_copy(update={"owner": owner}) for case in cases]
        made = imported_judges.write(imported_judges.planned(drafts)) + _admit(fresh, owner, now)
    told = [*reading.not_understood, *left_out, *exchange.table(reading.became)] if reading else []
    return Made(folder, len(cases), kept, [*told, *made], scaffold.PRODUCTS[kind][1])


def init_sample(folder: Path) -> Made:
    """Make the sample project in a folder: a support assistant with a planted regression.

    Raises:
        ConfigError: The folder is in the way, or Git is missing.
    """
    top = _repository(folder)
    values = _values(folder, top, _owner(folder))
    common = {name: text.encode() for name, text in scaffold.common_files(values).items()}
    kept = scaffold.write(folder, scaffold.sample_files() | common | _empty_folders())
    with chdir(folder):
        _begin(top)
    return Made(folder, 0, kept, [], "")


def lines(made: Made) -> list[str]:
    """Return what was made, and what to do next, as a person reads it."""
    here = made.folder.resolve() == Path.cwd()
    what = (
        f"{counted(made.cases, 'case')}, and {made.product} as a product to replace"
        if made.product
        else "the sample product"
    )
    step = [] if here else [f"  cd {shlex.quote(str(made.folder))}"]
    return [
        *made.left_out,
        *(f"{name} was there already and stays as it is." for name in made.kept if name != PYPROJECT),
        *([f"{PYPROJECT} was there already: add {_pin()} to it."] if PYPROJECT in made.kept else []),
        f"{made.folder.resolve()} is a project of Assay now, with {what}.",
        "Next:",
        *step,
        "  assay nightly   # ask, judge and report: no key, no network",
        "  assay status    # what is covered, what waits, what each judge is worth",
        "  git add --all && git commit -m 'Evaluation project'",
        *(["Then point params.yaml, section execute, at your own product."] if made.product else []),
    ]


def _pin() -> str:
    """Return the requirement that pins the tool."""
    return f"{DISTRIBUTION}=={tool_version()}"


def _repository(folder: Path) -> Path | None:
    """Return the top of the Git repository around a folder; None where a new one is to be made.

    Raises:
        ConfigError: The folder holds what a project needs for itself, or Git is missing.
    """
    if shutil.which("git") is None:
        raise ConfigError("git is not installed, expected it: a project is kept in Git; install it first")
    nearest = _nearest(folder)
    if not nearest.is_dir():
        raise ConfigError(f"{nearest} is a file, expected a folder: name another one")
    if not os.access(nearest, os.W_OK):
        raise ConfigError(f"{nearest} cannot be written, expected a folder of yours: name another one")
    if taken := scaffold.taken(folder):
        raise ConfigError(
            f"{folder} holds {', '.join(taken)} already, which a project needs for itself: make it in a folder "
            f"of its own, `assay init {folder / 'evals'}`"
        )
    done = subprocess.run(
        ["git", "rev-parse", "--show-toplevel"], cwd=_nearest(folder), capture_output=True, text=True, check=False
    )
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def _nearest(folder: Path) -> Path:
    """Return the folder itself where it exists, else the nearest thing above it that does."""
    return next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())


def _owner(folder: Path) -> str:
    """Return who makes the project: the name that Git knows, else the user's."""
    done = subprocess.run(
        ["git", "config", "user.name"], cwd=_nearest(folder), capture_output=True, text=True, check=False
    )
    if name := " ".join(done.stdout.split())[:100]:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "owner"


def _values(folder: Path, top: Path | None, owner: str) -> dict[str, str]:
    """Return what the placeholders of a new project's files stand for."""
    root = folder.resolve()
    folded = unicodedata.normalize("NFKD", root.name.casefold()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", folded)[:60].strip("-") or "evals"
    tracked = [output.path for stage in STAGES.values() for output in stage.writes if not output.in_git]
    return {
        "name": name,
        "package": name,
        "owner": _quoted(owner),
        "distribution": DISTRIBUTION,
        "version": tool_version(),
        "tracked": "\n".join(f"/{path}" for path in tracked),
        "folder": root.relative_to(top).as_posix() if top else ".",
    }


def _quoted(text: str) -> str:
    """Return a text as a YAML scalar in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(source: Path, owner: str) -> registry.Reading:
    """Return the cases of a file: another tool's, or our own YAML."""
    given = Filling(GENERAL, "unit", owner)
    try:
        reading = registry.read(source, None, given)
    except ConfigError:
        if source.suffix not in (".yaml", ".yml"):
            raise
        return cases_yaml.reading(source, lambda _: True)
    if not reading.cases:
        raise DataError(
            f"{source.name} holds judges and no case, expected cases: make the project without it, then `assay import` "
            "it there"
        )
    return reading


def _answers(cases: Sequence[Case]) -> bytes:
    """Return a file of recorded answers to replace, a line for each case."""
    replace = "replace this by what your product answered"
    return b"".join(json.dumps({"case_id": case.case_id, "text": replace}).encode() + b"\n" for case in cases)


def _first_cases() -> list[Case]:
    text = (scaffold.STARTER / "cases.yaml").read_text(encoding="utf8")
    return cases_yaml.parse(text, "cases.yaml")


def _sifted(cases: Sequence[Case], drafts: Sequence[JudgeDraft], source: Path) -> tuple[list[Case], list[str]]:
    """Return the cases of a file that something can fail in a new project, and a sentence about the others."""
    files = {name: data for name, data in scaffold.shared_files().items() if name.startswith(JUDGES_FOLDER)}
    with TemporaryDirectory() as folder, chdir(folder):
        scaffold.write(Path(), files)
        default = load_all()
    default += [draft.named(draft.name) for draft in drafts]
    sifted = intake.sift(cases, default, source.name, RUBRIC_JUDGE)
    told = [unfailing.sentence(sifted.left_out, "left out")] if sifted.left_out else []
    return sifted.cases, told


def _begin(top: Path | None) -> None:
    """Initialise Git and DVC in the current folder where they are not there, then write dvc.yaml and assay.lock."""
    if top is None:
        programs.git("init", "--quiet")
    if not Path(".dvc").is_dir():
        within = ["--subdir"] if top is not None and top.resolve() != Path.cwd() else []
        programs.dvc("init", *within)
        config = Path(".dvc/config")
        config.write_text(config.read_text(encoding="utf8") + DVC_CONFIG, encoding="utf8")
    write_dvc_yaml()
    code_lock.refresh()


def _admit(cases: Sequence[Case], owner: str, now: datetime) -> list[str]:
    """Admit the first cases, with each category and judge that they need and that is not there; say which judge."""
    for category in sorted({case.category for case in cases} - {GENERAL}):
        file = Path(TAXONOMY) / f"{category}.yaml"
        scaffold.write(Path(), {str(file): scaffold.category(category, _quoted(owner))})
    made = [judges.make_rubric_judge()] if exchange.judge_to_come(cases) else []
    accept.admit(cases, owner, "the first cases of the project", now)
    return made


def _empty_folders() -> dict[str, bytes]:
    return {f"{folder}/{scaffold.KEEP}": b"" for folder in scaffold.EMPTY}
