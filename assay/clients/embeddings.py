"""What two texts have in common by meaning: the cosine of their embeddings, each asked once and kept."""

import json
from collections.abc import Iterator

import numpy as np

from assay.clients.chat import Chat
from assay.clients.engine import Answer, Call
from assay.clients.journal import Journal
from assay.errors import CallError
from assay.records import digest

DIGITS = 6
"""Of a number in a vector; more would only make the journal long."""


def key(model: str, text: str) -> str:
    """Return the journal's key of a text's embedding."""
    return digest(["embed", model, text])


def calls(chat: Chat, model: str, texts: Iterator[str]) -> Iterator[Call]:
    """Yield the call that asks for each text's embedding."""

    def call(text: str) -> Call:
        async def ask() -> Answer:
            try:
                vector = await chat.embed(model, text)
            except CallError as error:
                return Answer(json.dumps({"error": f"{error.kind}: {error}"}), fault=error.kind)
            return Answer(json.dumps([round(number, DIGITS) for number in vector]))

        return Call(key(model, text), ask)

    return map(call, texts)


def cosine(journal: Journal, model: str, first: str, second: str) -> float:
    """Return the cosine of two texts' embeddings, from -1 to 1.

    Raises:
        CallError: One of them could not be embedded.
    """
    found = [json.loads(journal.outcome(key(model, text))) for text in (first, second)]
    for outcome in found:
        if isinstance(outcome, dict):
            raise CallError("malformed", outcome["error"])
    left, right = (np.asarray(vector, dtype=float) for vector in found)
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    if left.shape != right.shape or not size:
        raise CallError("malformed", f"the embeddings have {len(left)} and {len(right)} numbers, or nothing but zeros")
    return float(left @ right) / size
