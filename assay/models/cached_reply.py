"""What a model said, as the journal keeps it: the parts of a reply that anybody reads, or why there is none."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from assay.errors import CallError
from assay.models.chat import Asks
from assay.models.engine import Answer


async def said(
    chat: Asks,
    *,
    is_readable: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    **request: Any,  # noqa: ANN401 - OpenAI's parameters
) -> Answer:
    """Ask a model; return an object with `content`, `refusal`, `finish_reason`, `model` and `tokens`, or with `error`.

    `tokens` are the log-probabilities of the reply's tokens, None where the endpoint gives none.

    Args:
        chat: Whom to ask.
        is_readable: Told the object; what nobody can read is kept, and never final: the next run asks again.
        request: OpenAI's parameters.

    Raises:
        EndpointError: No call can succeed.
    """
    try:
        reply = await chat.complete(**request)
    except CallError as error:
        return Answer(json.dumps({"error": f"{error.kind}: {error}"}), fault=error.kind)
    choice = reply["choices"][0]
    kept = {name: choice["message"][name] for name in ("content", "refusal")}
    kept |= {"finish_reason": choice["finish_reason"], "model": reply["model"] or ""}
    tokens = choice["logprobs"].get("content") if isinstance(choice["logprobs"], dict) else None
    text = orjson.dumps({**kept, "tokens": tokens if isinstance(tokens, list) else None}).decode()
    return Answer(text, fault="" if is_readable(kept) else "malformed")
