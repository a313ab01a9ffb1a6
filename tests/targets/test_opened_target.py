"""Opening a target: its key, its start and its version come from where the parameters say, and from nowhere else."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from raw_product import Asked, Says, says, serving

from assay.errors import ConfigError, DataError, EndpointError
from assay.models.limits import Limits
from assay.records.response import Response
from assay.targets.open import opened
from assay.targets.settings import ChatSettings, HttpSettings, RecordedSettings, TargetSettings
from tests.cast import case

LIMITS = Limits(concurrency=4, deadline_s=5, max_retries=0, patience_s=1)
COMPLETION = {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}], "model": "m"}


def fingerprint(settings: TargetSettings, environ: Mapping[str, str] | None = None) -> str:
    """Open a target, ask nothing, and return who would be asked."""

    async def read() -> str:
        async with opened(settings, environ or {}, limits=LIMITS) as target:
            return target.fingerprint

    return asyncio.run(read())


def chat(**changes: Any) -> ChatSettings:
    """Return a chat product at an address where nobody listens."""
    fields = {"name": "support", "model": "support-2", "base_url": "http://127.0.0.1:9/v1"}
    return ChatSettings.model_validate(fields | changes)


def http(**changes: Any) -> HttpSettings:
    """Return a product behind an address of its own where nobody listens."""
    fields = {"kind": "http", "name": "support", "url": "http://127.0.0.1:9/ask", "body": {"q": "{{turn}}"}}
    return HttpSettings.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("settings", "fault", "found"),
    [
        (chat(base_url="127.0.0.1:9"), EndpointError, "base_url is '127.0.0.1:9'"),
        (chat(environment="no.such.module"), ConfigError, "no.such.module"),
        (chat(version={"path": "/version"}), EndpointError, "cannot be reached"),
        (http(version={"path": "/version"}), EndpointError, "start it, or correct execute.target.url"),
        (chat(base_url="http://127.0.0.1:{port}/v1", start=("false",)), EndpointError, "`false` ended"),
        (chat(base_url="http://127.0.0.1:{port}/v1", start=("no-such-program",)), EndpointError, "cannot be started"),
        (RecordedSettings(kind="recorded", name="x", path="no/such/file.jsonl"), DataError, "no/such/file.jsonl"),
    ],
)
def test_what_cannot_be_opened_is_told_before_anything_is_asked(
    settings: TargetSettings, fault: type[Exception], found: str
) -> None:
    """Address, environment, version, command and file are looked at when the run begins."""
    with pytest.raises(fault) as caught:
        fingerprint(settings)
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("name", "environ", "key"),
    [
        ("", {"": "sk-odd", "SUPPORT_API_KEY": "sk-cleo"}, "none"),
        ("SUPPORT_API_KEY", {"SUPPORT_API_KEY": "sk-cleo"}, "sk-cleo"),
        ("SUPPORT_API_KEY", {"OPENAI_API_KEY": "sk-cleo"}, "none"),
    ],
)
def test_the_key_comes_from_the_named_variable(name: str, environ: dict[str, str], key: str) -> None:
    """Only the variable that the parameters name is read: the judge's key never reaches the product."""
    asked: list[Asked] = []

    async def played() -> Response:
        async with serving(lambda one: asked.append(one) or says(COMPLETION)) as address:  # type: ignore[func-returns-value]
            settings = chat(base_url=f"{address}/v1", api_key_env=name)
            async with opened(settings, environ, limits=LIMITS) as target:
                return await target.respond(case(1), 0, "2026-11-02")

    assert asyncio.run(played()).text == "hi"
    assert asked[0].headers["authorization"] == f"Bearer {key}"


def test_the_version_of_a_chat_product_is_asked_for_with_its_key() -> None:
    """The probe goes to the product's host with the product's key, and its answer is who was asked."""
    asked: list[Asked] = []

    def script(one: Asked) -> Says:
        asked.append(one)
        return says({"build": 17})

    async def read() -> str:
        async with serving(script) as address:
            version = {"path": "/health", "find": "$.build"}
            settings = chat(base_url=f"{address}/v1", api_key_env="KEY", version=version)
            async with opened(settings, {"KEY": "sk-cleo"}, limits=LIMITS) as target:
                return target.fingerprint

    assert asyncio.run(read()).startswith("support@17-")
    assert [(one.line, one.headers["authorization"]) for one in asked] == [("GET /health HTTP/1.1", "Bearer sk-cleo")]


def test_a_product_is_started_and_stopped() -> None:
    """`python` is this very interpreter and `{port}` one free port, in command and address, for chat and HTTP alike."""
    start = ("python", "-m", "http.server", "{port}", "--bind", "127.0.0.1")
    version = {"path": "/pyproject.toml", "find": ""}
    fields = {"name": "support", "start": start, "version": version}
    http = HttpSettings.model_validate({"kind": "http", "url": "http://127.0.0.1:{port}/ask?q={{turn}}", **fields})
    for settings in (chat(base_url="http://127.0.0.1:{port}/v1", **fields), http):
        with pytest.raises(EndpointError, match="told no version"):  # the file is there, and longer than any version
            fingerprint(settings)


def test_the_host_is_in_no_fingerprint() -> None:
    """A product that is started elsewhere tomorrow is the same target; another path of it is another."""
    url = "http://127.0.0.1:{port}/ask?q={{turn}}"
    settings = HttpSettings.model_validate({"kind": "http", "name": "support", "url": url, "version": "2"})
    moved = settings.model_copy(update={"url": url.replace("127.0.0.1:{port}", "support.test")})
    other = settings.model_copy(update={"url": url.replace("ask", "answer")})
    assert fingerprint(moved) == fingerprint(settings) != fingerprint(other)
