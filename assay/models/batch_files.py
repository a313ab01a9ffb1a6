"""The lines of a batch's files: one request or one result each, matched by `custom_id` and by nothing else."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from pydantic import BaseModel, Field

from assay.errors import AssayError, CallError, EndpointError
from assay.models.transport import SERVER_FAULT, Sent

URL = "/v1/chat/completions"
_UNEXECUTED = {"batch_expired", "batch_cancelled"}

Result = dict[str, Any] | AssayError | Literal["unexecuted"]
"""A completion; what went wrong; or that the batch ended before the request's turn."""


class _Error(BaseModel, strict=True):
    code: str | None = None
    message: str | None = None


class _Response(BaseModel, strict=True):
    status_code: int
    body: Any = None


class _Line(BaseModel, strict=True):
    custom_id: str = Field(pattern="^[0-9a-f]{16}$")
    response: _Response | None = None
    error: _Error | None = None


def request(custom_id: str, body: dict[str, Any]) -> bytes:
    """Return one line of a request file.

    Raises:
        CallError: UTF-8 cannot hold the body, so it could not be sent directly either.
    """
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CallError("refused-request", "the request holds a character that cannot be sent as UTF-8") from error
    # Pure ASCII: there are services that split lines at U+2028 and its like, which JSON leaves as they are.
    line = {"custom_id": custom_id, "method": "POST", "url": URL, "body": body}
    return json.dumps(line).encode() + b"\n"


def results(lines: Iterable[bytes], read: Callable[[Sent], dict[str, Any]]) -> Iterator[tuple[str, Result]]:
    """Yield the custom_id and the result of every line that can be read; any other harms only itself.

    Args:
        lines: Of an output or error file.
        read: Returns the completion that an answer holds, or raises CallError or EndpointError.
    """
    for line in lines:
        try:
            found = _Line.model_validate(json.loads(line))
            body = json.dumps(found.response.body if found.response else None)
        except (ValueError, RecursionError):
            continue
        yield found.custom_id, _result(found, body, read)


def _result(line: _Line, body: str, read: Callable[[Sent], dict[str, Any]]) -> Result:
    error = line.error or _Error(message="a result with neither response nor error")
    if error.code in _UNEXECUTED:
        return "unexecuted"
    if line.error or line.response is None:
        sent = Sent(SERVER_FAULT, {}, json.dumps({"error": error.model_dump()}).encode())
    else:
        sent = Sent(line.response.status_code, {}, body.encode())
    try:
        return read(sent)
    except (CallError, EndpointError) as fault:
        return fault
