"""Model session: which model does a stage ask, and where are its answers kept?

Reads the environment's variables; the embedded models read labels. They take seconds to start, so a flow may let one
endpoint serve all its stages, and start it while the first of them still asks the product.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from assay.judges import prompt
from assay.models import endpoints
from assay.models.chat import Endpoint
from assay.models.journal import Journal
from assay.project.journal import open_journal
from assay.project.tables.labels import ITEMS, LABELS

REFERENCE = "reference"
"""The input by which a judge compares."""
_address: ContextVar[Callable[[], str] | None] = ContextVar("_address", default=None)
"""Waits for the embedded endpoint that serves this flow, and returns its address."""


@contextmanager
def embedded_throughout() -> Iterator[None]:
    """Start the embedded models, if they will be asked, for all stages inside the block; return at once.

    Inside the block of another one they are those.
    """
    if endpoints.is_hosted(os.environ) or _address.get():
        yield
        return
    with _embedded() as address:
        token = _address.set(address)
        try:
            yield
        finally:
            _address.reset(token)


def _embedded() -> AbstractContextManager[Callable[[], str]]:
    """Serve the embedded models meanwhile, the judge fitted to labels for judges that are shown a reference."""
    judges = [judge.name for judge in prompt.load_all() if REFERENCE in judge.declared.input]
    return endpoints.embedded(items=ITEMS.file(), labels=LABELS.file(), judges=judges)


@contextmanager
def consulting(model: endpoints.Model) -> Iterator[tuple[Endpoint, Journal]]:
    """Yield where a model is asked, and the journal of its answers.

    Raises:
        EndpointError: The embedded endpoint does not start.
    """
    with open_journal() as journal:
        if endpoints.is_hosted(os.environ):
            yield endpoints.hosted(model, os.environ), journal
        elif address := _address.get():
            yield Endpoint(base_url=address(), model=model.embedded, api_key=""), journal
        else:
            with _embedded() as address:
                yield Endpoint(base_url=address(), model=model.embedded, api_key=""), journal
