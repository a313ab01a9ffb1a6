"""Which model is asked: the user's, or the embedded one when there is neither key nor address."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from assay.models import process
from assay.models.chat import Endpoint
from assay.records.record import Record

HOSTED = "https://api.openai.com/v1"


class Model(Record):
    """One model by two names: as the user's endpoint knows it, and as the embedded endpoint does."""

    hosted: str
    """Asked when OPENAI_API_KEY or OPENAI_BASE_URL is set."""
    embedded: str
    """Asked when neither is set: a small statistical model that needs no network."""


def is_hosted(environ: Mapping[str, str]) -> bool:
    """Tell whether the user has a model of their own to ask."""
    return bool(environ.get("OPENAI_API_KEY") or environ.get("OPENAI_BASE_URL"))


def hosted(settings: Model, environ: Mapping[str, str]) -> Endpoint:
    """Return where the user's own model is asked."""
    key, address = environ.get("OPENAI_API_KEY", ""), environ.get("OPENAI_BASE_URL", "")
    return Endpoint(base_url=address or HOSTED, model=settings.hosted, api_key=key)


@contextmanager
def embedded(*, items: Path, labels: Path, judges: Sequence[str]) -> Iterator[Callable[[], str]]:
    """Serve the embedded models meanwhile; yield at once a function that waits for them and returns their address.

    Args:
        items: Labelled items, for the embedded judge to be fitted on.
        labels: Their labels; only those of the split `tune` are used. Without a file of either it is not fitted.
        judges: Whose labels are used: those that are shown a reference, as the embedded judge is.
    """
    start = ["python", "-m", "assay.models.embedded", "--port", process.PORT]
    if items.is_file() and labels.is_file():
        start += ["--items", str(items), "--labels", str(labels), *(f"--judge={name}" for name in judges)]
    with process.starting(f"http://127.0.0.1:{process.PORT}/v1", start) as address:
        yield address
