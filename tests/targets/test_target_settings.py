"""How targets are described: what is at fault is told before anything is asked, and old parameters stay valid."""

from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from assay.targets.settings import ChatSettings, HttpSettings, PythonSettings, RecordedSettings, TargetSettings
from tests.layout import ROOT

SETTINGS: TypeAdapter[Any] = TypeAdapter(TargetSettings)
CHAT = {"name": "support", "model": "support-2", "base_url": "http://127.0.0.1:{port}/v1"}
HTTP = {"kind": "http", "name": "support", "url": "http://127.0.0.1:{port}/ask", "body": {"q": "{{turn}}"}}
PYTHON = {"kind": "python", "name": "support", "function": "my.product:answer"}
RECORDED = {"kind": "recorded", "name": "support", "path": "answers.jsonl"}

FAULTS: list[tuple[dict[str, Any], str]] = [
    ({**CHAT, "kind": "ftp"}, "'ftp'"),
    ({**CHAT, "kind": ["chat"]}, "kind"),
    ({**CHAT, "modle": "support-2"}, "modle"),
    ({**CHAT, "parameters": {"model": "other"}}, "'model'"),
    ({**CHAT, "parameters": {"stream": True}}, "'stream'"),
    ({**CHAT, "messages": [{"role": "system", "content": "{{turn}}"}]}, "the last message"),
    ({**CHAT, "messages": [{"role": "user", "content": "no placeholder"}]}, "the last message"),
    ({**CHAT, "messages": [{"role": "user", "content": "{{turn}} {{reference}}"}]}, "{{reference}}"),
    ({**CHAT, "version": {"path": "version"}}, "pattern"),
    ({**CHAT, "version": {"path": "/version", "find": "version"}}, "JSONPath"),
    ({**CHAT, "version": "x" * 81}, "80"),
    ({**HTTP, "url": "ftp://x/{{turn}}"}, "expected an address"),
    ({**HTTP, "url": "http://{{turn}}/ask"}, "expected an address"),
    ({**HTTP, "url": "http:///ask"}, "expected an address"),
    ({**HTTP, "url": "http://x/{{history}}"}, "{{history}}"),
    ({**HTTP, "url": "http://x/{{turn}}"}, "after the ?"),
    ({**HTTP, "body": {"a": [{"b": "{{reference}}"}]}}, "{{reference}}"),
    ({**HTTP, "body": {"q": "always the same"}}, "say where the question goes"),
    ({**HTTP, "headers": {"X-Turn": "{{turn}}"}}, "{{turn}}"),
    ({**HTTP, "headers": {"X": "a\r\nb"}}, "no header can carry"),
    ({**HTTP, "answer": {"text": "$.["}}, "JSONPath"),
    ({**HTTP, "answer": {"text": "answer"}}, "JSONPath"),
    ({**HTTP, "answer": {"txt": "$.answer"}}, "txt"),
    ({**HTTP, "stream": "chunks"}, "sse"),
    ({**HTTP, "max_bytes": 0}, "max_bytes"),
    ({**PYTHON, "function": "my.product"}, "function"),
    ({**PYTHON, "function": "my.product:answer;import os"}, "function"),
    ({**PYTHON, "processes": 0}, "processes"),
    ({**PYTHON, "model": "support-2"}, "model"),
    ({"kind": "recorded", "name": "support"}, "path"),
]


@pytest.mark.parametrize(("given", "found"), FAULTS)
def test_a_fault_is_named(given: dict[str, Any], found: str) -> None:
    """What cannot be asked is refused with what was found."""
    with pytest.raises(ValidationError) as caught:
        SETTINGS.validate_python(given)
    assert found in str(caught.value)


def test_the_kind_decides_the_shape() -> None:
    """Four kinds, four shapes; without a kind it is a chat endpoint, so that older parameters stay valid."""
    found = [SETTINGS.validate_python(given) for given in (CHAT, CHAT | {"kind": "chat"}, HTTP, PYTHON, RECORDED)]
    kinds = [ChatSettings, ChatSettings, HttpSettings, PythonSettings, RecordedSettings]
    assert [type(one) for one in found] == kinds
    assert [SETTINGS.validate_python(one) for one in found] == found
    assert SETTINGS.validate_json(found[2].model_dump_json()) == found[2]


def test_the_project_s_own_target_is_valid() -> None:
    """The target of params.yaml is one that can be opened."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf8"))
    assert SETTINGS.validate_python(params["execute"]["target"]).name == "support-assistant"


def test_nothing_harmful_is_the_default() -> None:
    """An HTTP request is not repeated unless it is declared that it may be."""
    assert SETTINGS.validate_python(HTTP).repeatable is False
