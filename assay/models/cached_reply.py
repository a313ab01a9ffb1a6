"""What a model said, as the journal keeps it: the parts of a reply that anybody reads, or why there is none."""

import json
from typing import Any

import orjson

from assay.errors import CallError
from assay.models.chat import Asks
from assay.models.engine import Answer


async def said(chat: Asks, **request: Any) -> Answer:  # noqa: ANN401 - OpenAI's parameters
    """Ask a model; return an object with `content`, `refusal`, `finish_reason`, `model` and `tokens`, or with `error`.

    `tokens` are the log-probabilities of the reply's tokens, None where the endpoint gives none.

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
    return Answer(orjson.dumps({**kept, "tokens": (choice["logprobs"] or {}).get("content")}).decode())
