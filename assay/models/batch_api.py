"""The Files and Batches endpoints: patient with a service that comes back, and never the maker of a batch twice."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, NamedTuple, TypeVar

import aiohttp
import openai
from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from assay.errors import EndpointError
from assay.models import openai_package
from assay.models.chat import Endpoint
from assay.models.secrets import Secrets
from assay.models.transport import SERVER_FAULT, SHOWN

Found = TypeVar("Found")

ENDED = {"completed", "expired", "cancelled", "failed"}
FIRST_S = 1.0
"""The first wait; each further one is twice as long, up to `poll_s`."""
LONGEST_S = 26 * 3600.0
"""A batch that waits longer than its window of 24 hours, and then some, will not end."""
TRANSFER_S = 600.0
"""How long one request may take; a file has up to 200 MB."""
_PASSING = {408, 409, 425, 429}
_ABSENT = {404, 405, 501}
_NOBODY = aiohttp.ClientConnectorError | aiohttp.InvalidURL
_MARK = "assay"
"""The metadata key under which a batch carries the digest of what is in it."""


class Counts(NamedTuple):
    """How far one batch is, in requests, as its endpoint says."""

    batch: str
    completed: int
    failed: int
    total: int


def _or_none(found: object, read: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - whatever `read` makes of it
    try:
        return read(found)
    except ValidationError:
        return None


_IF_KNOWN = WrapValidator(_or_none)
"""Of what decides nothing, services have shapes of their own; they are left out."""


class _Error(BaseModel):
    code: str | None = None
    message: str | None = None
    line: int | None = None


class _Errors(BaseModel):
    data: list[_Error] | None = None


class _RequestCounts(BaseModel):
    completed: int = 0
    failed: int = 0
    total: int = 0


class _File(BaseModel):
    id: str = Field(min_length=1)


class Batch(_File):
    """What we read of a batch."""

    status: str
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: Annotated[_Errors | None, _IF_KNOWN] = None
    request_counts: Annotated[_RequestCounts | None, _IF_KNOWN] = None
    metadata: Annotated[dict[str, Any] | None, _IF_KNOWN] = None

    def total(self) -> int:
        """Return how many requests it has, 0 when nobody says."""
        return self.request_counts.total if self.request_counts else 0

    def is_over_limit(self) -> bool:
        """Tell whether it was turned away because too much waits already."""
        return any(error.code == "token_limit_exceeded" for error in self._errors())

    def why(self) -> str:
        """Return why it failed, in the endpoint's words."""
        return "; ".join(f"{error.code}: {error.message}" for error in self._errors()) or "no reason given"

    def _errors(self) -> list[_Error]:
        return (self.errors.data if self.errors else None) or []


class _Page(BaseModel):
    data: list[Batch]
    has_more: bool = False


class Batches:
    """The batches of one endpoint.

    A connection that breaks and a service that is down or busy are waited for, `patience_s` seconds at most. All
    methods raise EndpointError when that was in vain, and when waiting cannot help: wrong key, no quota, no such route.
    The package itself repeats nothing: it would pay for a second batch whenever the reply to the first is lost.
    """

    def __init__(
        self, endpoint: Endpoint, *, poll_s: float, patience_s: float, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        """Prepare the connection pool; nothing is contacted yet."""
        self._endpoint, self._poll_s, self._patience_s, self._sleep = endpoint, poll_s, patience_s, sleep
        self._is_reached, self._secrets = False, Secrets((endpoint.api_key,))
        self._client = openai_package.client(
            endpoint.base_url, endpoint.api_key, TRANSFER_S, endpoint.query, endpoint.headers
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def send(self, mark: str, lines: bytes) -> str:
        """Upload the lines and have them worked through; return the batch's id.

        Args:
            mark: What `find` knows the batch by; no other batch may carry it.
            lines: The request file, JSON Lines.
        """
        uploads, batches = self._client.files.with_raw_response, self._client.batches.with_raw_response
        is_tried = False

        async def upload() -> _File:
            reply = await uploads.create(file=(f"assay-{mark}.jsonl", lines), purpose="batch")
            return _File.model_validate_json(reply.content)

        async def create() -> str:
            nonlocal is_tried
            if is_tried and (found := await self._marked(mark)):
                return found
            is_tried = True
            reply = await batches.create(
                input_file_id=uploaded.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={_MARK: mark},
            )
            return Batch.model_validate_json(reply.content).id

        uploaded = await self._insist(upload)
        return await self._insist(create)

    async def find(self, mark: str) -> str | None:
        """Return the id of the batch with this mark, or None when the endpoint has none."""
        return await self._insist(lambda: self._marked(mark))

    async def ended(self, batch: str, progress: Callable[[Counts], None]) -> Batch | None:
        """Return the batch when it has come to its end, however that was, or None when the endpoint lost it.

        Raises:
            EndpointError: It does not end.
        """
        waited = 0.0
        for delay in self._delays():
            found = await self._insist(lambda: self._retrieved(batch))
            if found is None:
                return None
            counts = found.request_counts or _RequestCounts()
            progress(Counts(batch, counts.completed, counts.failed, counts.total))
            if found.status in ENDED:
                return found
            if waited > LONGEST_S:
                raise EndpointError(
                    f"batch {self.quoted(batch)} at {self._endpoint} is {self.quoted(found.status)} after "
                    f"{waited:.0f} s, expected an end within 24 hours: cancel it there, then run again"
                )
            await self._sleep(delay)
            waited += delay
        raise AssertionError  # the delays do not end

    async def content(self, file: str | None) -> bytes:
        """Return a file's bytes; none when there is no such file."""
        files = self._client.files.with_raw_response

        async def download() -> bytes:
            try:
                return self._secrets.removed((await files.content(file)).content) if file else b""
            except openai.NotFoundError:
                return b""

        return await self._insist(download)

    async def rest(self) -> None:
        """Wait as long as between two looks at a batch."""
        await self._sleep(self._poll_s)

    def quoted(self, found: object) -> str:
        """Return somebody else's text on one short line, without the key, whoever repeats it."""
        return self._secrets.hidden(" ".join(str(found).split()))[:SHOWN]

    async def _retrieved(self, batch: str) -> Batch | None:
        try:
            reply = await self._client.batches.with_raw_response.retrieve(batch)
        except openai.NotFoundError:
            return None
        return Batch.model_validate_json(reply.content)

    async def _marked(self, mark: str) -> str | None:
        after: str | openai.Omit = openai.omit
        while True:
            reply = await self._client.batches.with_raw_response.list(limit=100, after=after)
            page = _Page.model_validate_json(reply.content)
            for batch in page.data:
                if (batch.metadata or {}).get(_MARK) == mark:
                    return batch.id
            # A service that does not know `after` repeats its first page for ever.
            if not (page.has_more and page.data) or page.data[-1].id == after:
                return None
            after = page.data[-1].id

    async def _insist(self, ask: Callable[[], Awaitable[Found]]) -> Found:
        """Return what `ask` returns; while it fails in a way that may pass, ask again."""
        waited = 0.0
        for delay in self._delays():
            try:
                async with asyncio.timeout(TRANSFER_S):
                    found = await ask()
            except (openai.OpenAIError, aiohttp.ClientError, ValidationError, TimeoutError) as error:
                self._is_reached |= isinstance(error, openai.APIStatusError | ValidationError)
                fault = self._hopeless(error)
                if not fault and waited + delay > self._patience_s:
                    fault = f"failed for {waited:.0f} s on end ({self._said(error)}): run again later, nothing is lost"
                if fault:
                    raise EndpointError(f"{self._endpoint} {fault}") from error
                await self._sleep(delay)
                waited += delay
            else:
                self._is_reached = True
                return found
        raise AssertionError  # the delays do not end

    def _hopeless(self, error: Exception) -> str:
        """Return why waiting cannot help and what can; empty where it may help."""
        text = self._said(error)
        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return f"refused the key ({text}), expected one that may send batches: set the variable that holds it"
            case openai.RateLimitError(code="insufficient_quota"):
                return f"has no quota left ({text}): add credit, then run again"
            case openai.APIStatusError(status_code=status) if status in _ABSENT:
                return f"knows no Files and Batches endpoints ({text}): set `mode: interactive`"
            case openai.APIStatusError(status_code=status) if status < SERVER_FAULT and status not in _PASSING:
                return f"refused the batch ({text}), expected one that it takes: mend that or set `mode: interactive`"
        if not self._is_reached and any(isinstance(cause, _NOBODY) for cause in openai_package.causes(error)):
            return f"cannot be reached ({text}): start it, or correct base_url"
        return ""

    def _said(self, error: BaseException) -> str:
        if isinstance(error, ValidationError):
            return "the reply is of another shape"
        cause = list(openai_package.causes(error))[-1]
        return self.quoted(cause if str(cause) else type(cause).__name__)

    def _delays(self) -> Iterator[float]:
        delay = min(FIRST_S, self._poll_s)
        while True:
            yield delay
            delay = min(2 * delay, self._poll_s)
