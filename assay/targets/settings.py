"""How a target is described in params.yaml: one shape for each kind of product that can be asked."""

import re
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from assay.records.record import Record
from assay.targets import json_path, template
from assay.targets.tool_calls import ToolCalls

MOST_BYTES = 8 * 1024 * 1024
"""How long one answer may be, where the parameters do not say."""
OWN_PARAMETERS = {"model", "messages", "tools", "stream", "n"}
"""Fields of a chat request that are Assay's to fill."""
FILES = ("attachments", "attachment_url", "attachment_data")
"""Placeholders by which an HTTP product is given a case's files: each with name, type, data URL and Base64; the first
one's data URL, and its Base64."""
SAID = frozenset(
    {
        *("turn", "turns", "history", "messages", "conversation_id"),
        *(template.INPUTS, template.KEYED, template.CONTEXTS, *FILES),
    }
)
"""What a request to an HTTP product may hold: the turn; all turns so far; what was said before it, with roles; both
together; an identifier that is new for every conversation; its case's named values, all or one, documents and files."""
IN_URL = frozenset({"turn", "conversation_id", template.KEYED})
IN_PROMPT = frozenset({"turn", template.INPUTS, template.KEYED, template.CONTEXTS})
SESSION = frozenset({"conversation_id"})
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,99})\}")


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or template.placeholders(parts.netloc):
        raise ValueError(f"found {text[:200]!r}, expected an address such as http://127.0.0.1:8000/chat: correct it")
    if said := sorted(template.placeholders(parts.path) - SESSION):
        raise ValueError(
            f"found {{{{{said[0]}}}}} in the path, where a text like .. would lead elsewhere: put it after the ?"
        )
    return template.checked(text, IN_URL)


def _header(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("found a character that no header can carry, expected plain ASCII on one line: correct it")
    return template.checked(text, SESSION)


def _body(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return template.checked(value, SAID)


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    taken = sorted(OWN_PARAMETERS & set(given))
    if taken:
        raise ValueError(f"found {taken[0]!r}, which Assay fills itself: take it out of the parameters")
    return given


Start = Annotated[
    tuple[str, ...],
    Field(description="The command that serves the address, `{port}` replaced; left out when the product runs already"),
]


class Probe(Record):
    """Where a product says which version of it is running, asked once when a run begins."""

    path: Annotated[str, StringConstraints(pattern=r"^/")]
    """On the host of the product, such as /version."""
    find: json_path.Path = "$.version"
    """Where in the JSON it stands; empty when the whole body is the version."""


Version = Annotated[str, StringConstraints(max_length=80)] | Probe
"""A version as declared by hand, or where the product tells it."""


class PromptMessage(Record):
    """One message of a prompt; `{{turn}}` is what the user says, `{{inputs.<name>}}` a value of the case."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, AfterValidator(lambda text: template.checked(text, IN_PROMPT))]


def _prompt(messages: tuple[PromptMessage, ...]) -> tuple[PromptMessage, ...]:
    if messages and not (messages[-1].role == "user" and "turn" in template.placeholders(messages[-1].content)):
        raise ValueError("the last message is how each turn is said: expected role user and {{turn}} in its content")
    return messages


ProductRoot = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    Field(
        description="The product's own folder, from the project's: its modules are imported from there and it is "
        "started there; `..` where the project lies inside the product's repository"
    ),
]


class ChatSettings(Record):
    """A product behind an OpenAI-compatible chat endpoint."""

    kind: Literal["chat"] = "chat"
    name: str
    root: ProductRoot = "."
    model: str
    base_url: str
    """`{port}` stands for a free port of this machine."""
    start: Start = ()
    api_key_env: str = ""
    """Name of the variable that holds the key; empty for a product without one."""
    environment: str = ""
    """Module with the class `Environment` that the product's tools act on; empty for a product without tools."""
    messages: Annotated[tuple[PromptMessage, ...], AfterValidator(_prompt)] = ()
    """The prompt: the last message is how each turn is said, the others open the conversation."""
    parameters: Annotated[dict[str, Any], AfterValidator(_parameters)] = Field(default={})
    """Sent with every request, as OpenAI's API names them: temperature, seed, response_format and so on."""
    tools: tuple[dict[str, Any], ...] = ()
    """Tools as OpenAI's API spells them, in place of those that the environment names."""
    version: Version = ""


class Answer(Record):
    """Where in an HTTP product's JSON its answer stands; each is a JSONPath, empty when there is no such thing."""

    always_hashed: ClassVar = (
        *("text", "tool_calls", "contexts", "prompt_tokens"),
        *("completion_tokens", "finish_reason", "version", "final_state"),
    )
    text: json_path.Path = "$.text"
    """Several texts are joined; of a stream, those of all events."""
    tool_calls: ToolCalls = ""
    """Objects with `name` and `arguments`, as OpenAI nests them or flat, of which `failed` or `error` marks one that
    failed; or `{path, name, arguments, failed}`, which says where these stand in calls of another shape."""
    contexts: json_path.Path = ""
    prompt_tokens: json_path.Path = ""
    completion_tokens: json_path.Path = ""
    finish_reason: json_path.Path = ""
    version: json_path.Path = ""
    final_state: json_path.Path = ""
    """The world after the turn, as the product tells it."""


class HttpSettings(Record):
    """A product behind an HTTP endpoint of its own shape."""

    always_hashed: ClassVar = ("method", "headers", "body", "answer", "stream")
    kind: Literal["http"]
    name: str
    root: ProductRoot = "."
    method: Literal["POST", "PUT", "PATCH", "GET"] = "POST"
    url: Annotated[str, AfterValidator(_url)]
    """`{port}` stands for a free port; `{{conversation_id}}` and, after the ?, `{{turn}}` and
    `{{inputs.<name>}}` are escaped."""
    start: Start = ()
    headers: dict[str, Annotated[str, AfterValidator(_header)]] = Field(default={})
    """`${NAME}` stands for that variable of the environment, and for no other text; `{{conversation_id}}` is known."""
    body: Annotated[Any, AfterValidator(_body)] = None
    """JSON with placeholders: `{{turn}}`, `{{turns}}`, `{{history}}`, `{{messages}}`, `{{conversation_id}}`,
    `{{inputs}}`, `{{inputs.<name>}}`, `{{contexts}}`, `{{attachments}}`, `{{attachment_url}}` and
    `{{attachment_data}}`."""
    answer: Answer = Answer()
    stream: Literal["none", "sse", "jsonl"] = "none"
    repeatable: bool = False
    """May a request be sent again although the product may have acted on it? A real refund may not."""
    max_bytes: int = Field(default=MOST_BYTES, ge=1)
    version: Version = ""

    @model_validator(mode="after")
    def _says_the_turn(self) -> Self:
        if not self.holds() & {"turn", "turns", "messages"}:
            raise ValueError("url and body hold no {{turn}}, {{turns}} or {{messages}}: say where the question goes")
        return self

    def holds(self) -> set[str]:
        """Return the names of all placeholders of the request."""
        return template.placeholders([self.url, self.body, list(self.headers.values())])


def _data(pattern: str) -> str:
    if not pattern or PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts or "\0" in pattern:
        raise ValueError(
            f"found {pattern[:200]!r}, expected a glob of files inside the product's folder, as seen from there, such "
            "as prompts/*.md: correct it"
        )
    return pattern


class PythonSettings(Record):
    """A product that is a function, run in processes of its own."""

    kind: Literal["python"]
    name: str
    root: ProductRoot = "."
    function: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", max_length=300)]
    """`module:name` of `def answer(messages: list[dict], **context) -> str | dict`, plain or async."""
    data: tuple[Annotated[str, StringConstraints(max_length=1000), AfterValidator(_data)], ...] = ()
    """Files that the function reads (prompts, configuration), as globs from `root`; they are part of its version."""
    processes: int = Field(default=2, ge=1, le=64)
    max_bytes: int = Field(default=MOST_BYTES, ge=1)
    version: Annotated[str, StringConstraints(max_length=80)] = ""
    """Empty: the `__version__` of the function's module. The hash of its code and data is added to either."""


class RecordedSettings(Record):
    """Answers that were collected before: nobody is asked."""

    kind: Literal["recorded"]
    name: str
    path: str
    """JSON Lines or Parquet (`.parquet`) with the columns of Response, or at least case_id and text."""


def _kind(value: Any) -> str:  # noqa: ANN401 - whatever params.yaml holds
    found = value.get("kind", "chat") if isinstance(value, dict) else getattr(value, "kind", "chat")
    return str(found)


TargetSettings = Annotated[
    Annotated[ChatSettings, Tag("chat")]
    | Annotated[HttpSettings, Tag("http")]
    | Annotated[PythonSettings, Tag("python")]
    | Annotated[RecordedSettings, Tag("recorded")],
    Discriminator(_kind),
]
"""The section `execute.target` of params.yaml; without `kind` it is a chat endpoint."""


def is_version_told(settings: TargetSettings) -> bool:
    """Tell whether the product itself is asked for its version, which no person can raise then."""
    return isinstance(settings, ChatSettings | HttpSettings) and isinstance(settings.version, Probe)


def input_names(settings: TargetSettings) -> set[str]:
    """Return the named values that a product's request takes from every case."""
    match settings:
        case ChatSettings():
            return template.input_names([message.content for message in settings.messages])
        case HttpSettings():
            return template.input_names([settings.url, settings.body])
    return set()
