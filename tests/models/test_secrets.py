"""Secrets: however an endpoint spells a key that it repeats, nothing of it comes through; other texts are untouched."""

import asyncio
import base64
import json
from urllib.parse import quote

import pytest

from assay.errors import CallError
from assay.models.chat import Chat, Endpoint
from assay.models.limits import Limits
from assay.models.secrets import SHOWN, Secrets, of_environment
from tests.endpoint import Reply, as_json, completion, serving

KEY = 'sk-CANARY/7Qx9+"=='
LIMITS = Limits(concurrency=2, deadline_s=5, max_retries=0, patience_s=1)


def spellings() -> dict[str, bytes]:
    """Return the ways in which an endpoint may write a key."""
    return {
        "as it is": KEY.encode(),
        "in JSON": json.dumps({"x": KEY}).encode(),
        "in JSON as PHP writes it": json.dumps({"x": KEY}).replace("/", "\\/").encode(),
        "in an address": quote(KEY, safe="").encode(),
        **{f"in base64 after {before}": base64.b64encode(b"u" * before + KEY.encode() + b":z") for before in range(4)},
        "in base64 of addresses": base64.urlsafe_b64encode(b"user:" + KEY.encode()),
    }


@pytest.mark.parametrize("spelling", spellings())
def test_no_spelling_comes_through(spelling: str) -> None:
    """Of a key nothing is left that could be put together again, and what stands around it stays."""
    found = Secrets((KEY,)).removed(b"before " + spellings()[spelling] + b" after")
    assert SHOWN.encode() in found
    assert found.startswith(b"before ")
    assert found.endswith(b" after")
    for secret in (KEY.encode(), base64.b64encode(KEY.encode())[4:-8], quote(KEY, safe="").encode()):
        assert secret not in found


@pytest.mark.parametrize("key", ["", "none", "EMPTY", "x"])
def test_what_is_no_secret_is_left_in_answers(key: str) -> None:
    """Local servers want any key at all: a short one may be a word of an answer, and is no secret."""
    assert Secrets((key,)).removed(b"none of the x is EMPTY") == b"none of the x is EMPTY"


def test_a_value_is_searched_all_over() -> None:
    """Names and values of what was read from JSON are searched, at any depth; numbers and nulls stay."""
    found = Secrets((KEY,)).removed_from({KEY: [1, None, {"a": f"Bearer {KEY}"}], "b": "fine", "half": "\ud83d"})
    assert found == {SHOWN: [1, None, {"a": f"Bearer {SHOWN}"}], "b": "fine", "half": "\ud83d"}


def test_variables_are_secret_by_name() -> None:
    """What a product finds in its environment under the name of a key is one, and nothing else is."""
    found = of_environment({"OPENAI_API_KEY": "sk-" + "7" * 20, "GITHUB_TOKEN": "short", "HOME": "/home/" + "7" * 20})
    assert found.hidden(f"sk-{'7' * 20} short /home/{'7' * 20}") == f"{SHOWN} short /home/{'7' * 20}"


def answered(reply: Reply) -> str:
    """Ask an endpoint whose key is the secret; return all that a caller sees."""

    async def ask(url: str) -> str:
        async with Chat(Endpoint(base_url=url, model="m", api_key=KEY), LIMITS) as chat:
            return json.dumps(await chat.complete(messages=[]), ensure_ascii=False)

    with serving(lambda _: reply) as served:
        try:
            return asyncio.run(ask(served.url))
        except CallError as error:
            return str(error)


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in KEY).encode()
ECHOES = {
    "an answer": completion(f"You sent Bearer {KEY}, is that right?"),
    "an answer in escapes": Reply(body=completion("MARK").body.replace(b"MARK", ESCAPED)),
    "half an answer": Reply(body=b'{"choices": "' + KEY.encode()),
    "a page": Reply(body=f"<html>Authorization: Bearer {KEY}".encode()),
    "a model's name": completion("hi", model=KEY),
    "an error": as_json({"error": {"message": f"you sent {KEY}"}}, 400),
    "an error as a page": Reply(500, f"<html>{KEY}".encode()),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_no_reply_brings_the_key_back(echo: str) -> None:
    """Neither what is kept of an answer nor what is said of a fault holds the key that was sent along."""
    seen = answered(ECHOES[echo])
    assert KEY not in seen
    assert json.dumps(KEY)[1:-1] not in seen
    assert SHOWN in seen or echo in {"half an answer", "a page"}
