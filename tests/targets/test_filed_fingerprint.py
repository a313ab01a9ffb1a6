"""Filed fingerprints: the version of a product is read from one only where another version would have made another."""

import pytest

from assay.targets import http
from assay.targets.chat import Product
from assay.targets.filed_fingerprint import tells_version
from assay.targets.settings import (
    ChatSettings,
    HttpSettings,
    PromptMessage,
    PythonSettings,
    RecordedSettings,
    TargetSettings,
)

TURN = PromptMessage(role="user", content="{{turn}}")
TOOLS = ({"type": "function", "function": {"name": "refund"}},)
CHAT = ChatSettings(name="shop", model="m", base_url="http://localhost/v1", messages=(TURN,), tools=TOOLS)
HTTP = HttpSettings(kind="http", name="shop", url="http://localhost/{{conversation_id}}", body="{{turn}}")


def made(settings: TargetSettings, version: str) -> str:
    """Return the fingerprint that a run would file."""
    if isinstance(settings, HttpSettings):
        return http.fingerprint(settings, version)
    assert isinstance(settings, ChatSettings)
    product = Product.of(settings, version)
    return product.fingerprint(settings.model, product.offered_tools())


@pytest.mark.parametrize("settings", [CHAT, HTTP])
@pytest.mark.parametrize("version", ["", " ", "\n"])
def test_no_version_is_told(settings: TargetSettings, version: str) -> None:
    """Of a product without a version, or with a blank one, none is read, although one seems to stand there."""
    assert not tells_version(made(settings, version), settings)


@pytest.mark.parametrize(
    ("fingerprint", "settings"),
    [
        (made(CHAT, "7"), CHAT.model_copy(update={"model": "m-2"})),
        (made(CHAT, "7"), CHAT.model_copy(update={"messages": ()})),
        (made(CHAT, "7"), CHAT.model_copy(update={"environment": "shop.tools"})),
        (made(CHAT, "7"), HTTP),
        (made(HTTP, "7"), HTTP.model_copy(update={"url": "http://localhost/chat/{{conversation_id}}"})),
        (made(HTTP, "7"), CHAT),
        (made(CHAT, "7").replace("@7", "@8"), CHAT),
        (made(CHAT, "7").replace("shop", "shop.x"), CHAT),
        ("shop@7-0123abcd", PythonSettings(kind="python", name="shop", function="shop:answer", version="7")),
        ("shop@recorded-0123abcd", RecordedSettings(kind="recorded", name="shop", path="answers.jsonl")),
        *((text, CHAT) for text in ("", "shop", "shop@", "shop@-0123abcd", "@7-0123abcd", "+user-m-0123abcd")),
    ],
)
def test_another_product_tells_nothing(fingerprint: str, settings: TargetSettings) -> None:
    """A fingerprint of other settings, of code, of a file, or of nothing is not taken for one with a version."""
    assert not tells_version(fingerprint, settings)


@pytest.mark.parametrize("settings", [CHAT, HTTP])
@pytest.mark.parametrize("version", ["7", "2026-11-02", "m", "http", "a@b", "1-0123abcd", "v 1", "+users"])
@pytest.mark.parametrize("user", ["", "+user-m-0123abcd"])
def test_a_version_is_told(settings: TargetSettings, version: str, user: str) -> None:
    """Whatever a version looks like it is read, also with a simulated user beside the product."""
    assert tells_version(made(settings, version) + user, settings)
