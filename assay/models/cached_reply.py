"""What a model said, as the journal keeps it: the parts of a reply that anybody reads, or why there is none."""

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
    kept, fault = await raw_reply(chat, **request)
    is_final = bool(fault) or is_readable(kept)
    return Answer(orjson.dumps(kept).decode(), fault=fault if is_final else "malformed")


async def raw_reply(chat: Asks, **request: Any) -> tuple[dict[str, Any], str]:  # noqa: ANN401 - OpenAI's parameters
    """Ask a model; return the object of `said` as it is, and what kind of failure it was, if any.

    Raises:
        EndpointError: No call can succeed.
    """
    try:
        reply = await chat.complete(**request)
    except CallError as error:
        return {"error": f"{error.kind}: {error}"}, error.kind
    choice = reply["choices"][0]
    kept = {name: choice["message"][name] for name in ("content", "refusal")}
    kept |= {"finish_reason": choice["finish_reason"], "model": reply["model"] or ""}
    tokens = choice["logprobs"].get("content") if isinstance(choice["logprobs"], dict) else None
    return {**kept, "tokens": tokens if isinstance(tokens, list) else None}, ""
