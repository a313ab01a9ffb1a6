"""The sample product over HTTP, in the shape of OpenAI's chat completions (non-streaming)."""

import hashlib
import hmac
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from examples.support.assistant import VERSIONS, assistant
from examples.support.reply import Reply
from examples.support.talk import MalformedRequestError, Talk, parse
from examples.support.version import version as own_version

CREATED = 1_793_577_600
"""Unix time of the sample's day, 2026-11-02: an answer never depends on the clock."""
LARGEST_BODY = 2_000_000
"""Bytes of a request body that are read."""


def application(api_key: str) -> Starlette:
    """Return the server; with an empty `api_key` anyone may ask."""
    running = own_version()

    async def models(request: Request) -> JSONResponse:
        if not _is_allowed(request, api_key):
            return _wrong_key()
        data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "pantry-lane"} for name in VERSIONS]
        return JSONResponse({"object": "list", "data": data})

    async def version(request: Request) -> JSONResponse:
        if not _is_allowed(request, api_key):
            return _wrong_key()
        return JSONResponse({"version": running})

    async def completions(request: Request) -> JSONResponse:
        if not _is_allowed(request, api_key):
            return _wrong_key()
        try:
            body = _body(await request.body())
            if body["model"] not in VERSIONS:
                return _error(404, f"the model {body['model'][:60]!r} does not exist", "model_not_found")
            return JSONResponse(complete(body))
        except MalformedRequestError as error:
            return _error(400, str(error), "invalid_request_error")

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", completions, methods=["POST"]),
            Route("/version", version),
        ],
    )


def complete(body: dict[str, Any]) -> dict[str, Any]:
    """Answer one request body; equal bodies give equal completions.

    Raises:
        MalformedRequestError: The messages are no conversation that waits for an answer.
    """
    talk = parse(body.get("messages"), _tool_names(body.get("tools")))
    reply = _reply(body["model"], talk)
    asked = json.dumps(body, sort_keys=True)
    identity = hashlib.sha256(asked.encode()).hexdigest()[:24]
    prompt, completion = len(json.dumps(body["messages"]).split()), len((reply.text or str(reply.arguments)).split())
    return {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion",
        "created": CREATED,
        "model": body["model"],
        "choices": [_choice(reply, identity)],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }


def _reply(model: str, talk: Talk) -> Reply:
    try:
        return assistant(model).reply(talk)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if not talk.now.calls:
            raise
        # The only data that the assistant trusts to have a form are the tool results, and they come from the caller.
        raise MalformedRequestError("a tool message does not hold what its tool returns; send it unchanged") from error


def _choice(reply: Reply, identity: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "contexts": list(reply.contexts)}
    if reply.tool:
        function = {"name": reply.tool, "arguments": json.dumps(reply.arguments)}
        message["tool_calls"] = [{"id": f"call_{identity}", "type": "function", "function": function}]
    return {"index": 0, "message": message, "finish_reason": "tool_calls" if reply.tool else "stop", "logprobs": None}


def _body(raw: bytes) -> dict[str, Any]:
    if len(raw) > LARGEST_BODY:
        raise MalformedRequestError(f"the body has {len(raw)} bytes; send at most {LARGEST_BODY}")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MalformedRequestError("the body is not JSON; send a JSON object with model and messages") from error
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise MalformedRequestError("the body has no model; send a JSON object with model and messages")
    if body.get("stream"):
        raise MalformedRequestError("stream is true; this server answers only in one piece, leave stream out")
    return body


def _tool_names(tools: Any) -> frozenset[str]:  # noqa: ANN401 - any JSON value
    if tools is None:
        return frozenset()
    functions = (
        [tool.get("function") if isinstance(tool, dict) else None for tool in tools]
        if isinstance(tools, list)
        else [None]
    )
    if not all(isinstance(function, dict) and isinstance(function.get("name"), str) for function in functions):
        raise MalformedRequestError("tools is not a list of functions with names; send them in OpenAI's format")
    return frozenset(function["name"] for function in functions if function)


def _is_allowed(request: Request, api_key: str) -> bool:
    sent = request.headers.get("authorization", "")
    return not api_key or hmac.compare_digest(sent.encode(), f"Bearer {api_key}".encode())


def _wrong_key() -> JSONResponse:
    return _error(401, "the API key is missing or wrong; send it as a bearer token", "invalid_api_key")


def _error(status: int, message: str, code: str) -> JSONResponse:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)
