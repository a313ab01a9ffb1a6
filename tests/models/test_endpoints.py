"""Endpoints: which model is asked, under which name and with which key."""

import httpx
import pytest

from assay.models import endpoints
from assay.models.endpoints import HOSTED, Model
from assay.project.tables.labels import ITEMS, LABELS
from tests.cast import Project

MODEL = Model(hosted="gpt-4.1-mini", embedded="lexical-judge")


@pytest.mark.parametrize(
    ("environ", "address", "key"),
    [
        ({"OPENAI_API_KEY": "sk-cleo"}, HOSTED, "sk-cleo"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:8300/v1"}, "http://127.0.0.1:8300/v1", ""),
        ({"OPENAI_BASE_URL": "http://x/v1", "OPENAI_API_KEY": "sk-cleo"}, "http://x/v1", "sk-cleo"),
    ],
)
def test_the_user_s_model_is_asked_when_there_is_one(environ: dict[str, str], address: str, key: str) -> None:
    """A key or an address selects the hosted name, and nothing is started."""
    assert endpoints.is_hosted(environ)
    found = endpoints.hosted(MODEL, environ)
    assert (found.base_url, found.model, found.api_key) == (address, "gpt-4.1-mini", key)


def test_the_embedded_model_is_served_otherwise(project: Project) -> None:
    """Unset or empty, nothing is hosted: the embedded models answer on this machine while the block runs."""
    assert not endpoints.is_hosted({"OPENAI_API_KEY": ""})
    labels = LABELS.read()
    LABELS.write([one.model_copy(update={"split": "tune"}) for one in labels])
    with endpoints.embedded(items=ITEMS.file(), labels=LABELS.file(), judges=["correctness"]) as address:
        found = address()
        assert found.startswith("http://127.0.0.1:")
        assert "lexical-judge" in httpx.get(f"{found}/models").text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{found}/models")
