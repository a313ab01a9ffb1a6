"""Vectors: what texts mean, as an embedding model of the configured endpoint says; each text is asked about once."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from assay.errors import CallError, EndpointError
from assay.models import embeddings
from assay.models.chat import Chat, Endpoint
from assay.models.engine import Work, answer_all
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.project.progress import progress


def embedder(
    model: str, limits: Limits, endpoint: Endpoint, journal: Journal, run: str
) -> Callable[[Sequence[str]], np.ndarray]:
    """Return a function that gives the embeddings of texts, shape (n, d), each row of length 1.

    The function raises an EndpointError when a text could not be embedded; what was answered by then is kept.
    """

    async def ask(texts: Sequence[str]) -> None:
        different = dict.fromkeys(texts)
        work = Work(run, "generate", limits.conversations, journal.purse(run, None))
        async with Chat(endpoint, limits) as chat:
            with progress("embed", len(different)) as step:
                await answer_all(embeddings.calls(chat, model, iter(different)), journal, work, progress=step)

    def vectors(texts: Sequence[str]) -> np.ndarray:
        asyncio.run(ask(texts))
        try:
            return np.array([embeddings.vector(journal, model, text) for text in texts])
        except (CallError, ValueError) as error:
            raise EndpointError(
                f"{model} of {endpoint} gave no embeddings ({error}): mend it, then run again"
            ) from error

    return vectors
