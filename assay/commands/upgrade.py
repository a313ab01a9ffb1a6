"""Upgrade: what the tool writes into a project, as this version writes it; everything on file stays valid.

Reads what the project holds. Writes dvc.yaml, assay.lock, flows and tasks that nobody has changed, and what is missing;
files what the product answered where this version finds it. What a person has written or changed stays, and is named.
"""

import difflib
import json
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.code.source_scan import short_digest
from assay.commands.earlier_answers import file_earlier_answers
from assay.commands.validate import read_settings
from assay.errors import ConfigError
from assay.judges import prompt
from assay.judges.before import declaration_of
from assay.judges.declaration import SCHEMA
from assay.project import code_lock, dvc, files, scaffold
from assay.project.journal import JOURNAL, has_journal, open_journal
from assay.project.tables.evalset import CASES
from assay.stages import dvc_yaml

WRITTEN_BEFORE = scaffold.STARTER.parent / "written_before.json"
"""By file of flows and tasks: the hash of each text that any version has written, this one's too."""
GENERATED = f"{prompt.JUDGES_FOLDER}/{SCHEMA}"
"""Nobody's to change: what a judge's declaration may hold, for editors."""
OURS = ("flows/", "tasks/")
"""Files that follow the tool as long as nobody has changed them. Judges are a team's from their first day."""


def upgrade() -> list[str]:
    """Return the lines of `changes`, once everything is written."""
    return list(changes())


def changes() -> Iterator[str]:
    """Write again what the tool writes into a project, and bring its journal to this version.

    Yields:
        What changed, and what a person has to look at, one line each, as soon as it has.

    Raises:
        ConfigError: Parameters, dvc.yaml, assay.lock, the code of a stage or the journal are at fault.
        DataError: The evaluation set, by which earlier answers are found again, is damaged.
    """
    root = files.root()
    _require_readable()
    yield from _judges()
    shared = {name: text for name, text in scaffold.shared_files().items() if not _is_taken_out(name)}
    for name, text in shared.items():
        if not scaffold.write(root, {name: text}):
            yield f"{name} was missing and is written"
    yield from _templates(shared)
    moved = _dvc_changes() if files.exists("dvc.yaml") else ["dvc.yaml was missing and is written"]
    if write_dvc_yaml():
        yield from moved or ["dvc.yaml is laid out as this version does"]
    for line in code_lock.write():
        yield f"{code_lock.LOCK}: {line}"
    yield from _journal()


def _require_readable() -> None:
    """Refuse, before anything is written, what any later step of an upgrade would refuse.

    Raises:
        ConfigError: The text names the file.
        DataError: The evaluation set is damaged.
    """
    read_settings()
    if files.exists("dvc.yaml"):
        dvc.whole()
    code_lock.read()
    code_lock.compute()
    if has_journal():
        deque(CASES.stream(may_be_absent=True), maxlen=0)
        with open_journal():
            pass


def difference(name: str) -> str:
    """Return how a project's file differs from what the tool writes, as a unified diff; empty where it does not.

    Raises:
        ConfigError: The tool writes no file of this name.
    """
    shared = scaffold.shared_files()
    if name not in shared:
        raise ConfigError(
            f"{name!r} is no file that assay writes, expected one of {', '.join(sorted(shared))}: name one of them"
        )
    mine = files.path(name).read_text(encoding="utf8", errors="replace") if files.exists(name) else ""
    sides = mine.splitlines(keepends=True), shared[name].decode().splitlines(keepends=True)
    return "".join(difflib.unified_diff(*sides, f"{name} (yours)", f"{name} (assay)"))


def write_dvc_yaml() -> bool:
    """Write dvc.yaml from the declarations; tell whether that changed it."""
    text, before = _dvc_yaml(), _dvc_yaml_before()
    if text == before:
        return False
    files.write_bytes("dvc.yaml", text.encode())
    return True


def _is_taken_out(name: str) -> bool:
    """Tell whether a file is one of a judge that the team has taken out; without any judge all come back."""
    folder = Path(name).parent
    is_judge_s = str(folder.parent) == prompt.JUDGES_FOLDER
    return is_judge_s and bool(prompt.names()) and not (files.root() / folder).is_dir()


def _judges() -> Iterator[str]:
    """Declare each judge of before there were declarations, as the head of its prompt has it; yield a line on each."""
    for folder in sorted((files.root() / prompt.JUDGES_FOLDER).glob("*")):
        written = f"{prompt.JUDGES_FOLDER}/{folder.name}/{prompt.DECLARATION}"
        if (folder / prompt.PROMPT).is_file() and not files.exists(written):
            name = f"{prompt.JUDGES_FOLDER}/{folder.name}/{prompt.PROMPT}"
            text = (folder / prompt.PROMPT).read_text(encoding="utf8", errors="replace")
            files.write_bytes(written, declaration_of(text, name).encode())
            yield f"{written} says what the head of {prompt.PROMPT} said: the judge is the one that it was"


def _dvc_yaml() -> str:
    """Return dvc.yaml as it has to be."""
    return dvc_yaml.render(read_settings(), dvc.whole() if files.exists("dvc.yaml") else None, _dvc_yaml_before())


def _dvc_yaml_before() -> str:
    """Return dvc.yaml as it is; empty where there is none."""
    return files.path("dvc.yaml").read_text(encoding="utf8") if files.exists("dvc.yaml") else ""


def _templates(shared: Mapping[str, bytes]) -> Iterator[str]:
    """Write flows and tasks anew that are as an earlier version wrote them; yield a line on each that differs."""
    before: dict[str, list[str]] = json.loads(WRITTEN_BEFORE.read_bytes())
    for name, text in shared.items():
        mine = files.path(name).read_bytes()
        if mine == text or not name.startswith((*OURS, GENERATED)):
            continue
        if name == GENERATED:
            files.write_bytes(name, text)
            yield f"{name} is this version's"
            continue
        if short_digest(mine) in before.get(name, []):
            files.write_bytes(name, text)
            yield f"{name} was as an earlier version wrote it, and is this one's now"
        else:
            yield f"{name} is yours and stays as it is: `assay upgrade --diff {name}` shows what this version writes"


def _journal() -> Iterator[str]:
    """Bring the journal to this version; yield a line where that changed it."""
    if not has_journal():
        return
    with open_journal() as journal:
        filed = file_earlier_answers(journal)
    if filed.answers:
        yield (
            f"{files.PRIVATE}/{JOURNAL} has {filed.answers} answers of {filed.nights} nights by their run, and none "
            f"was lost; of {filed.of_known_version} the product's version is known, so that a later run may keep them "
            "(execute.reuse)"
        )


def _dvc_changes() -> list[str]:
    """Return each change that the stages' declarations make to dvc.yaml, one line each."""
    known, settings = dvc.whole(), read_settings()
    lines: list[str] = []
    for name, stage in dvc_yaml.declared(settings).items():
        before = known["stages"].get(name)
        lines += [f"dvc.yaml: the stage {name} is written"] if before is None else _stage_changes(name, before, stage)
    entries = known.get("artifacts") or {}
    for name, entry in dvc_yaml.artifacts(entries).items():
        if name not in entries:
            lines.append(f"dvc.yaml: artifacts.{name} is written")
        elif entries[name] != entry:
            shown = dvc_yaml.shown(entry), dvc_yaml.shown(entries[name])
            lines.append(f"dvc.yaml: artifacts.{name} is {shown[0]} now, was {shown[1]}")
    lost = dvc_yaml.lost_comments(_dvc_yaml_before(), _dvc_yaml())
    return lines + [f"dvc.yaml: a comment inside of what assay writes is not kept: {comment}" for comment in lost]


def _stage_changes(name: str, before: Mapping[str, Any], declared: Mapping[str, Any]) -> list[str]:
    """Return how a stage of the tool's comes to be as it is declared, one line a key or an entry of a list."""
    lines: list[str] = []
    for key in [*declared, *(key for key in before if key not in declared)]:
        where, mine, theirs = f"dvc.yaml: {name}.{key}", declared.get(key), before.get(key)
        if mine == theirs:
            continue
        if key in dvc_yaml.LISTS:
            entries, there = mine or [], theirs if isinstance(theirs, list) else []
            gone = [entry for entry in there if entry not in entries]
            lines += [f"{where} has {dvc_yaml.shown(entry)} now" for entry in entries if entry not in there]
            lines += [
                f"{where} had {dvc_yaml.shown(entry)}, which the stage does not declare: taken out" for entry in gone
            ]
        elif key in declared:
            lines.append(f"{where} is {dvc_yaml.shown(mine)} now, was {dvc_yaml.shown(theirs)}")
        else:
            lines.append(f"{where} was {dvc_yaml.shown(theirs)}, which the stage does not declare: taken out")
    return lines
