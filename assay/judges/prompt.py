"""Prompts of the judges: one folder a judge, with the question it is asked and the rubric it goes by.

`prompt.md` opens with the question's kind and the names of the judged texts, then holds the two messages as Jinja
blocks. `rubric.md` opens with its version; people who label are shown the same rubric.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from jinja2 import Environment, StrictUndefined, Template, TemplateError
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from assay.errors import ConfigError
from assay.judges.delimiters import neutralise
from assay.records.record import digest
from assay.text import first_fault, one_line

JUDGES_FOLDER = "data/judges"
"""Folder of the project with one folder a judge; they are the team's to edit."""
PROMPT, RUBRIC = "prompt.md", "rubric.md"
Question = Literal["pairwise", "pass-fail"]
Head = TypeVar("Head")
Text = str | Sequence[str]
VERDICTS: dict[Question, tuple[str, ...]] = {"pairwise": ("A", "B", "tie"), "pass-fail": ("pass", "fail")}
"""What a judge may answer, first verdict first: a probability is that of the first."""

SEGMENT = "segment"
"""The delimiter around each part of a text that comes in parts: turns of a conversation, retrieved contexts."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
"""Of a judge: it becomes part of a path."""
_ENVIRONMENT = Environment(
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - no HTML is made; every inserted text is neutralised
    trim_blocks=True,
    lstrip_blocks=True,
)


@validated(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class _Head:
    question: Question
    texts: tuple[str, ...]


@validated(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class _RubricHead:
    version: str


@dataclass(frozen=True, kw_only=True)
class JudgePrompt:
    """One judge's prompt: what it asks, of which texts, by which rubric."""

    name: str
    question: Question
    texts: tuple[str, ...]
    """Names of the judged texts; each is also the name of its delimiter."""
    rubric: str
    """Markdown, as the judge and the annotators read it."""
    rubric_version: str
    prompt_hash: str
    """Hash of both files, so that no edit of either goes unseen."""
    source: str
    """Of the whole prompt, as its file has it."""
    template: Template
    system: str
    """The system message: it holds no judged text, so it is the same in every call."""

    def render(self, **texts: Text) -> list[dict[str, str]]:
        """Return the system and the user message in OpenAI's shape.

        Args:
            **texts: One for each of `texts`, with no other; a sequence of several strings is shown part by part.

        Raises:
            ConfigError: A text is missing or is not known to this judge.
        """
        if set(texts) != set(self.texts):
            raise ConfigError(f"judge {self.name}: got the texts {sorted(texts)}; pass exactly {sorted(self.texts)}")
        shown = {name: self._show(text) for name, text in texts.items()}
        user = _block(self.template, "user", rubric=self.rubric, **shown)
        return [{"role": "system", "content": self.system}, {"role": "user", "content": user}]

    def response_format(self) -> dict[str, Any]:
        """Return the `response_format` of the request: one JSON object with one legal verdict."""
        schema = {
            "type": "object",
            "properties": {"verdict": {"type": "string", "enum": list(VERDICTS[self.question])}},
            "required": ["verdict"],
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema}}

    def _show(self, text: Text) -> str:
        parts = [text] if isinstance(text, str) else list(text)
        safe = [neutralise(part, (*self.texts, SEGMENT)) for part in parts]
        if len(safe) == 1:
            return safe[0]
        return "\n".join(f"<{SEGMENT}>\n{part}\n</{SEGMENT}>" for part in safe)


def names() -> list[str]:
    """Return the names of all judges of the project, sorted: the folders that hold a prompt."""
    return sorted(file.parent.name for file in Path(JUDGES_FOLDER).glob("*/prompt.md"))


def load(name: str) -> JudgePrompt:
    """Return the prompt of the judge `name`, as its folder of the project has it now.

    Raises:
        ConfigError: There is no such judge, or one of its files is not what it has to be.
    """
    folder = Path(JUDGES_FOLDER) / name
    try:
        if not _NAME.fullmatch(name):
            raise FileNotFoundError(name)
        marks = [(file.stat().st_mtime_ns, file.stat().st_size) for file in (folder / PROMPT, folder / RUBRIC)]
    except OSError as error:
        if name in names():
            raise ConfigError(
                f"{JUDGES_FOLDER}/{name}/{RUBRIC} is missing, expected the rubric of the judge: restore it from Git, "
                "or run `assay upgrade`, which writes the default judges' again"
            ) from error
        known = ", ".join(names()) or "none yet"
        raise ConfigError(
            f"judge {name[:80]!r} has no {PROMPT} and {RUBRIC} in {JUDGES_FOLDER}, expected one of {known}: correct "
            "the name, or restore the files; `assay upgrade` writes the default judges"
        ) from error
    return _load(name, str(folder.resolve()), str(marks))


@lru_cache(maxsize=64)
def _load(name: str, folder: str, marks: str) -> JudgePrompt:  # noqa: ARG001 - marks tell one edit from the next
    prompt = (Path(folder) / PROMPT).read_text(encoding="utf-8")
    rubric = (Path(folder) / RUBRIC).read_text(encoding="utf-8")
    where = f"{JUDGES_FOLDER}/{name}"
    asked, body = _headed(prompt, _Head, f"{where}/{PROMPT}")
    version, rubric_body = _headed(rubric, _RubricHead, f"{where}/{RUBRIC}")
    try:
        template = _ENVIRONMENT.from_string(body)
        system = _block(template, "system", rubric=rubric_body.strip())
        _block(template, "user", rubric="", **dict.fromkeys(asked.texts, ""))
    except (TemplateError, KeyError) as error:
        raise ConfigError(
            f"{where}/{PROMPT} is no template of the blocks system and user ({one_line(error)}): correct it"
        ) from error
    return JudgePrompt(
        name=name,
        question=asked.question,
        texts=asked.texts,
        rubric=rubric_body.strip(),
        rubric_version=version.version,
        prompt_hash=digest([prompt, rubric]),
        source=body,
        template=template,
        system=system,
    )


def _block(template: Template, role: str, **texts: str) -> str:
    return "".join(template.blocks[role](template.new_context(texts))).strip()


def _headed(text: str, head: type[Head], where: str) -> tuple[Head, str]:
    """Return a file's TOML head, between two lines of `+++`, and its body."""
    try:
        _, fields, body = text.split("+++\n", maxsplit=2)
        return TypeAdapter(head).validate_python(tomllib.loads(fields)), body
    except (ValueError, ValidationError) as error:
        fault = first_fault(error) if isinstance(error, ValidationError) else one_line(error)
        raise ConfigError(f"{where} has no TOML head between two lines of +++ ({fault}): correct it") from error
