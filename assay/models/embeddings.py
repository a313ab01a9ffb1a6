"""What two texts have in common by meaning: the cosine of their embeddings, each asked once and kept."""

import json
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assay.errors import CallError
from assay.models.chat import Chat
from assay.models.engine import Answer, Call
from assay.models.journal import Journal
from assay.records.record import digest

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


def vector(journal: Journal, model: str, text: str) -> NDArray[np.float64]:
    """Return a text's embedding, made one long.

    Raises:
        CallError: It could not be embedded, or the vector is nothing but zeros.
    """
    found = json.loads(journal.outcome(key(model, text)).answer)
    if isinstance(found, dict):
        raise CallError("malformed", found["error"])
    numbers: NDArray[np.float64] = np.asarray(found, dtype=np.float64)
    length = float(np.linalg.norm(numbers))
    if not length:
        raise CallError("malformed", f"the embedding has {len(numbers)} numbers, and nothing but zeros")
    return numbers / length


def cosine(journal: Journal, model: str, first: str, second: str) -> float:
    """Return the cosine of two texts' embeddings, from -1 to 1.

    Raises:
        CallError: One of them could not be embedded, or they are not of one length.
    """
    left, right = (vector(journal, model, text) for text in (first, second))
    if left.shape != right.shape:
        raise CallError("malformed", f"the embeddings have {len(left)} and {len(right)} numbers, or nothing but zeros")
    return float(left @ right)
