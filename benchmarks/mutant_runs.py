"""Pytest in forks of one process that has the large packages loaded, in a copy of the repository.

`Tests.record` says which tests enter which function: every module is written anew with one line more that does
nothing, so a test that fails at any change of the code (the lock is stale) counts for no mutant. `Tests.killer` runs
those that enter a mutant's function until one fails: first those of the module's room, then the others, quickest first.
"""

import ast
import hashlib
import importlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import pytest

ROOMS = ("report", "evalset", "calibration", "judges", "desk", "stats", "stages", "commands")
"""Of tests; the room of a module's own tests is the first word of its folder."""
LOADED = ("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "scipy.optimize", "pydantic", "jinja2", "rapidfuzz")
NEAR_S, FAR_S, LIMIT_S = 60.0, 45.0, 15.0
"""Seconds of the room's tests and of the others for one mutant; a longer test is left out."""
SLACK = 4.0
"""A run that takes so many times longer than it did is hanging: its mutant is dead."""
PASSED, NONE_RAN = 0, 5
HARMLESS = "\n_ = None\n"
CLOCK = 1_000_000_000


class Ran(NamedTuple):
    """One test: how long it takes, and what it enters, as `path` and `path:function`."""

    name: str
    seconds: float
    entered: frozenset[str]

    @property
    def file(self) -> str:
        """Return the file of tests that it is in."""
        return self.name.split("::")[0]


class Tests:
    """The tests of the copy that is the current folder."""

    def __init__(self, sources: list[str], kept: Path) -> None:
        self.sources, self.kept, self.runs = sources, kept, 0
        self.all: list[Ran] = []
        for name in LOADED:
            importlib.import_module(name)

    def record(self) -> None:
        """Run every test once; a file of tests that is as it was when it was recorded last is not run again."""
        old = (
            {row["digest"]: row for row in map(json.loads, self.kept.read_text().splitlines())}
            if self.kept.exists()
            else {}
        )
        texts = {path: Path(path).read_text(encoding="utf8") for path in self.sources}
        for path, text in texts.items():
            Path(path).write_text(ast.unparse(ast.parse(text)) + HARMLESS, encoding="utf8")
        files = [str(file) for room in ROOMS for file in sorted(Path("tests", room).glob("test_*.py"))]
        for file in files:
            digest = hashlib.sha256(file.encode() + Path(file).read_bytes()).hexdigest()
            if digest not in old:
                recorder = Recorder(self.sources)
                _forked([file], [recorder], 900.0, recorder.save)
                tests = json.loads(Path(".recorded").read_text(encoding="utf8"))
                old[digest] = {"digest": digest, "file": file, "tests": tests}
                with self.kept.open("a", encoding="utf8") as log:
                    log.write(json.dumps(old[digest]) + "\n")
            self.all += [Ran(name, seconds, frozenset(entered)) for name, seconds, entered in old[digest]["tests"]]
        for path, text in texts.items():
            Path(path).write_text(text, encoding="utf8")

    def killer(self, path: str, function: str, text: str) -> str | None:
        """Return the first test that fails with another text of a module, or None if all pass."""
        self.runs += 1
        source = Path(path)
        before = source.read_bytes()
        source.write_text(text, encoding="utf8")
        os.utime(source, (CLOCK + self.runs, CLOCK + self.runs))
        try:
            return next((name for tests in self._rings(path, function) if (name := _first_failure(tests))), None)
        finally:
            source.write_bytes(before)
            os.utime(source, (CLOCK, CLOCK))

    def _rings(self, path: str, function: str) -> Iterator[list[Ran]]:
        """Yield the tests to run after one another: those of the room, the module's own file first, then the others."""
        place, room = f"{path}:{function}" if function else path, f"tests/{path.split('/')[1]}/"
        entering = {test.name for test in self.all if place in test.entered}
        files = {test.file for test in self.all if place in test.entered}
        own = f"test_{Path(path).stem}.py"
        chosen = [test for test in self.all if test.name in entering or (not function and test.file in files)]
        chosen.sort(key=lambda test: (Path(test.file).name != own, test.name not in entering, test.seconds))
        for near, seconds in ((True, NEAR_S), (False, FAR_S)):
            tests, total = [], 0.0
            for test in chosen:
                if test.name.startswith(room) == near and test.seconds < LIMIT_S and total + test.seconds < seconds:
                    tests.append(test)
                    total += test.seconds
            yield tests


class Recorder:
    """A plugin of pytest that keeps what each test enters."""

    def __init__(self, sources: list[str]) -> None:
        self.files = {str(Path(path).resolve()): path for path in sources}
        self.codes: dict[CodeType, str | None] = {}
        self.entered: set[str] = set()
        self.failed: set[str] = set()
        self.rows: list[tuple[str, float, list[str]]] = []

    def trace(self, frame: FrameType, _event: str, _argument: Any) -> None:
        """Keep the function whose frame begins."""
        code = frame.f_code
        if code not in self.codes:
            path = self.files.get(code.co_filename)
            self.codes[code] = path and f"{path}:{code.co_qualname}"
        if name := self.codes[code]:
            self.entered |= {name, name.split(":")[0]}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Trace one test, its fixtures included."""
        self.entered = set()
        began = time.monotonic()
        threading.settrace(self.trace)
        sys.settrace(self.trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            if item.nodeid not in self.failed:
                self.rows.append((item.nodeid, round(time.monotonic() - began, 3), sorted(self.entered)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave out a test that fails or is skipped."""
        if not report.passed:
            self.failed.add(report.nodeid)

    def save(self) -> None:
        """Write what was recorded."""
        Path(".recorded").write_text(json.dumps(self.rows), encoding="utf8")


class Selected:
    """A plugin of pytest that runs the named tests alone, in their order, and keeps the first that fails."""

    def __init__(self, tests: list[Ran]) -> None:
        self.order = {test.name: place for place, test in enumerate(tests)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop what is not named."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda item: self.order[item.nodeid]
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first failure."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def save(self) -> None:
        """Write the name of the first failure."""
        Path(".failed").write_text(self.failed, encoding="utf8")


def _first_failure(tests: list[Ran]) -> str | None:
    if not tests:
        return None
    Path(".failed").unlink(missing_ok=True)
    selected = Selected(tests)
    files = sorted({test.file for test in tests})
    seconds = 30 + SLACK * sum(test.seconds for test in tests)
    code = _forked(["-x", *files], [selected], seconds, selected.save)
    if code in {PASSED, NONE_RAN}:
        return None
    failed = Path(".failed")
    return (failed.read_text(encoding="utf8") if failed.exists() else "") or f"pytest: {code}"


def _forked(words: list[str], plugins: list[object], seconds: float, then: Callable[[], None]) -> int | str:
    """Run pytest in a fork; return its exit code, or that it did not end."""
    child = os.fork()
    if not child:
        os.setsid()
        log = os.open(".pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = int(pytest.main(["-n", "0", "--tb=line", *words], plugins))
        then()
        os._exit(code)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "it hangs"


def copied(top: Path, folder: Path) -> Path:
    """Copy the repository into a folder; return the copy."""
    copy = folder / "copy"
    shutil.copytree(
        top, copy, symlinks=True, ignore=shutil.ignore_patterns(".venv", ".hypothesis", ".assay", "*_cache")
    )
    return copy
