"""Checks of the project's own: their modules, and the processes that their functions run in."""

import ast
import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from assay.checks import python, python_answer
from assay.checks.finding import Finding, unknown
from assay.checks.python import OwnCheck
from assay.code.fingerprint import source_file
from assay.errors import AssayError, CallError, ConfigError, DataError, EndpointError
from assay.project import files
from assay.records.case import Case, Expectation
from assay.records.response import Response
from assay.records.verdict import Subject
from assay.targets.processes import EndedError, WorkerProcess
from assay.text import one_line

TOOL = "assay"
"""Package that is no part of a project, also where both lie in one folder."""
FUNCTION = f"{python_answer.__name__}:{python_answer.called.__name__}"
"""What the processes run: it loads and calls the checks."""
PROCESSES = 2
"""Each has one call at a time, so that no check is late, or ends, because of another one."""
PATIENCE_S = 120.0
"""How long a process may take to be ready."""
MOST_BYTES = 64 * 1024
"""Of what a function returns."""
PARAMETERS = ["answer", "case"]
"""Of a function that is a check; no other one of the project is ever called."""


class Asked(NamedTuple):
    """One answer that a function of the project is asked about; its place says which verdict it is for."""

    subject: Subject
    case_id: str
    trial: int
    number: int
    """Of the expectation, from 1."""


Findings = Mapping[Asked, Finding]


def require(cases: Iterable[Case], modules: Sequence[str]) -> None:
    """Refuse cases of which a check could not be called, before anybody is paid.

    Args:
        cases: The evaluation set.
        modules: Those that `judge.check_modules` names.

    Raises:
        ConfigError: A module is not in the project, is the tool's, or is no Python.
        DataError: A case names a module that is not among them, or a function that is not there.
    """
    known = {name: _functions(name) for name in modules}
    for case in cases:
        for expectation in case.expectations:
            if own := python.own_check(expectation):
                _require_function(case, own, known)


def lacking(cases: Iterable[Case], modules: Sequence[str]) -> list[str]:
    """Return the functions, as `module:name`, that checks of these cases call and that are not there, sorted."""
    named: dict[str, Case] = {}
    for case in cases:
        for expectation in case.expectations:
            if own := python.own_check(expectation):
                named.setdefault(own.function, case.model_copy(update={"expectations": [expectation]}))
    return sorted(function for function, case in named.items() if not _is_there(case, modules))


def _is_there(case: Case, modules: Sequence[str]) -> bool:
    try:
        require([case], modules)
    except AssayError:
        return False
    return True


def _require_function(case: Case, own: OwnCheck, known: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    where, name = f"case {case.case_id}: the check {own.function}", own.function.partition(":")[2]
    if own.module not in known:
        listed = ", ".join(known) or "none"
        raise DataError(
            f"{where} is of a module that judge.check_modules does not name ({listed}): add it to params.yaml, or "
            "correct the case"
        )
    if known[own.module].get(name) != PARAMETERS:
        raise DataError(
            f"{where} is not there, expected `def {name}(answer, case):` in {own.module}: write it, or correct the case"
        )


def _functions(module: str) -> dict[str, list[str]]:
    """Return the functions that a module of the project defines, each with the names of its parameters."""
    where = f"judge.check_modules names {module}"
    file = None if module.partition(".")[0] == TOOL else source_file(module, files.root())
    if file is None:
        raise ConfigError(f"{where}, expected a module in the project's folder: write it, or take the name out")
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"{where}, but {file} is no Python ({error}): fix it") from error
    return {
        one.name: [parameter.arg for parameter in (*one.args.posonlyargs, *one.args.args)]
        for one in tree.body
        if isinstance(one, ast.FunctionDef)
    }


def findings(played: Iterable[tuple[Case, Iterable[tuple[Subject, Response]]]]) -> Findings:
    """Call every check of the project's own; one that fails is a finding that nobody can tell.

    Args:
        played: Each case with the responses of both versions.
    """
    return asyncio.run(_findings(played))


async def _findings(played: Iterable[tuple[Case, Iterable[tuple[Subject, Response]]]]) -> Findings:
    found: dict[Asked, Finding] = {}
    processes = [_Process() for _ in range(PROCESSES)]
    jobs = _jobs(played)

    async def work(process: _Process) -> None:
        for asked, call in jobs:
            found[asked] = await process.finding(call)

    try:
        async with asyncio.TaskGroup() as group:
            for process in processes:
                group.create_task(work(process))
    finally:
        for process in processes:
            await process.close()
    return found


class _Call(NamedTuple):
    """One call of a check."""

    own: OwnCheck
    expectation: Expectation
    case: Case
    response: Response


def _jobs(played: Iterable[tuple[Case, Iterable[tuple[Subject, Response]]]]) -> Iterator[tuple[Asked, _Call]]:
    """Yield every call, with the verdict that it is for; a response that is an error has no answer to look at."""
    for case, versions in played:
        numbered = [(n, one, python.own_check(one)) for n, one in enumerate(case.expectations, 1)]
        for subject, response in versions:
            for number, expectation, own in numbered:
                if own and response.status == "ok":
                    asked = Asked(subject, case.case_id, response.trial, number)
                    yield asked, _Call(own, expectation, case, response)


class _Process:
    """A process that calls checks one by one; one that is late or has ended is replaced with the next call."""

    def __init__(self) -> None:
        self._process: WorkerProcess | None = None

    async def finding(self, call: _Call) -> Finding:
        """Return what a check says of an answer, or that it failed."""
        try:
            given = await self._called(call)
        except (CallError, EndpointError) as error:
            return unknown(f"check failed: {call.own.function}: {one_line(error)}")
        return python.finding(call.expectation, given)

    async def close(self) -> None:
        """End the process."""
        if self._process:
            await self._process.close()
        self._process = None

    async def _called(self, call: _Call) -> dict[str, Any]:
        is_fresh = self._process is None
        process = self._process = self._process or await self._started()
        shown = {"response": call.response.model_dump(mode="json"), "case": call.case.model_dump(mode="json")}
        try:
            async with asyncio.timeout(call.own.deadline_s):
                return _read(await process.ask([], {"function": call.own.function, **shown}))
        except TimeoutError as error:
            await self.close()
            raise CallError("timeout", f"no result within {call.own.deadline_s:g} s") from error
        except EndedError as error:
            await self.close()
            if not is_fresh:  # something that an earlier call left behind may have done it
                return await self._called(call)
            raise CallError("crash", f"it ended its process: {process.end}") from error

    async def _started(self) -> WorkerProcess:
        root = str(files.root())
        return await WorkerProcess.started(
            FUNCTION, root, MOST_BYTES, declared=(), note_read=lambda _: None, patience_s=PATIENCE_S
        )


def _read(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what the process says that a check came to.

    Raises:
        CallError: It raised.
    """
    if "answer" in answer:
        return dict(answer["answer"])
    raise CallError("crash", str(answer.get("raised") or answer))
