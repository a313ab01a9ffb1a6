"""The processes of a Python product: many calls at once in each, and none that can harm another.

A call that is late costs its process: that one takes no more calls, another takes its place, and it ends with the last
call in flight. When a process ends under its calls, or its event loop stands still, nobody knows which call did it: so
each of them is asked again, alone in a process of its own, and the one that does it again is the one.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Self, cast

from assay.errors import CallError, ConfigError, EndpointError
from assay.models.secrets import Secrets
from assay.records.record import digest
from assay.targets.file_reads import MOST_FILES
from assay.targets.processes import EndedError, WorkerProcess
from assay.targets.product_code import ProductCode, ProductSource

PATIENCE_S = 120.0
"""How long the function's module may take to load."""


@dataclass(frozen=True)
class FunctionVersion:
    """What tells one version of a function from another."""

    name: str
    """`__version__` of its module; empty where there is none."""
    source: str
    """Digest of its code and data, or of its own file where more is not known."""
    is_known: bool

    @classmethod
    def of(cls, code: ProductCode, told: dict[str, Any]) -> Self:
        """Return the version by what the function is made of, and what its process told of it."""
        source = code.digest if code.is_known else digest([code.digest, told["source"]])
        return cls(told["version"], source, code.is_known)


class Workers:
    """A fixed number of processes that run one function."""

    def __init__(
        self,
        product: ProductSource,
        *,
        processes: int,
        deadline_s: float,
        max_bytes: int,
        secrets: Secrets | None = None,
    ) -> None:
        """Prepare; `open` starts them.

        Args:
            product: The function, and the folder that it is imported from and runs in.
            processes: How many.
            deadline_s: How long one call may take.
            max_bytes: How long one answer may be, as JSON in UTF-8.
            secrets: Texts that no answer may repeat.
        """
        self._product, self._processes = product, processes
        self._deadline_s, self._max_bytes = deadline_s, max_bytes
        self._secrets = secrets or Secrets(())
        self._all: list[WorkerProcess] = []
        self.undeclared: set[str] = set()
        """Files in the product's folder that the function was seen to read and that are not declared."""
        self._version: FunctionVersion | None = None
        self._starting = asyncio.Lock()
        self._alone = asyncio.Semaphore(processes)

    async def open(self) -> FunctionVersion:
        """Start the first process; return the version of the function.

        Raises:
            EndpointError: The function cannot be loaded.
            ConfigError: A module that it imports is no Python, or a data file is not there.
        """
        self._all.append(await self._started())
        return cast("FunctionVersion", self._version)

    async def close(self) -> None:
        """End all processes."""
        await asyncio.gather(*(process.close() for process in self._all))

    async def call(self, messages: list[dict[str, str]], context: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
        """Return what the function returns.

        Raises:
            CallError: `timeout`, `too-long`, `malformed` or `crash`.
            EndpointError: No process can be started any more.
        """
        process = await self._free()
        try:
            return await self._asked(process, messages, context)
        except EndedError:
            async with self._alone:
                return await self._asked_alone(messages, context)

    async def _asked(self, process: WorkerProcess, messages: list[dict[str, str]], context: dict[str, Any]) -> Any:  # noqa: ANN401
        try:
            async with asyncio.timeout(self._deadline_s):
                return _read(self._secrets.removed_from(await process.ask(messages, context)))
        except TimeoutError as error:
            if await process.retire():
                raise self._late() from error
            raise EndedError from error

    async def _asked_alone(self, messages: list[dict[str, str]], context: dict[str, Any]) -> Any:  # noqa: ANN401
        process = await self._started()
        try:
            async with asyncio.timeout(self._deadline_s):
                return _read(self._secrets.removed_from(await process.ask(messages, context)))
        except TimeoutError as error:
            raise self._late() from error
        except EndedError as error:
            raise CallError("crash", self._secrets.hidden(f"the function ended its process: {process.end}")) from error
        finally:
            await process.close()

    def _late(self) -> CallError:
        return CallError("timeout", f"no answer within {self._deadline_s:g} s")

    async def _free(self) -> WorkerProcess:
        """Return the process with the fewest calls, after as many are there as were asked for."""
        async with self._starting:
            await self._bury()
            while sum(process.is_open for process in self._all) < self._processes:
                self._all.append(await self._started())
        return min((process for process in self._all if process.is_open), key=lambda process: process.load)

    async def _bury(self) -> None:
        gone = [process for process in self._all if not process.is_open and not process.load]
        self._all = [process for process in self._all if process not in gone]
        for process in gone:
            await process.close()

    async def _started(self) -> WorkerProcess:
        code, fault = await asyncio.to_thread(self._read_code)
        process = await WorkerProcess.started(
            self._product.function,
            self._product.root,
            self._max_bytes,
            declared=code.files,
            note_read=self._note_read,
            patience_s=PATIENCE_S,
        )
        if fault:
            await process.close()
            raise fault
        version = FunctionVersion.of(code, process.told)
        self._version = self._version or version
        if version != self._version:
            await process.close()
            raise EndpointError(
                f"{self._product.function} changed during the run, from {self._version} to {version}: run it again"
            )
        return process

    def _read_code(self) -> tuple[ProductCode, ConfigError | None]:
        """Return what the function is made of; a fault of it comes after one that keeps it from being loaded."""
        try:
            return self._product.read(), None
        except ConfigError as error:
            return ProductCode("", (), is_known=False), error

    def _note_read(self, name: str) -> None:
        if len(self.undeclared) < MOST_FILES:
            self.undeclared.add(name)


def _read(answer: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    if "answer" in answer:
        return answer["answer"]
    if "too_long" in answer:
        raise CallError("too-long", f"the function returned {answer['too_long']} bytes")
    if "odd" in answer:
        raise CallError("malformed", f"the function returned what is no JSON value: {answer['odd']}")
    raise CallError("crash", f"the function raised {answer.get('raised')}")
