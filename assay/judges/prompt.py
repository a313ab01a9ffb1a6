"""Judges as the project declares them: one folder a judge, with the rubric it goes by and what it is asked.

`rubric.md` is what the judge and the people who label go by; `judge.yaml` says the rest (assay/judges/declaration.py).
The prompt around the rubric is the package's own; `prompt.md`, two messages as Jinja blocks, takes its place.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationError

from assay.errors import ConfigError
from assay.judges import inputs
from assay.judges.declaration import KEYED, OF_CASE, AppliesTo, Declaration, JudgeModel, Reasoning, moving, text_name
from assay.judges.delimiters import neutralise
from assay.judges.examples import Example, read_examples
from assay.records.record import Record, digest
from assay.text import first_fault, one_line
from assay.yaml_text import YamlError, parse_yaml

JUDGES_FOLDER = "data/judges"
"""Folder of the project with one folder a judge; they are the team's to edit."""
DECLARATION, RUBRIC, PROMPT, EXAMPLES = "judge.yaml", "rubric.md", "prompt.md", "examples.jsonl"
RESOURCES = ("default_prompt.md",)
DEFAULT_PROMPT = resources.files("assay.judges") / RESOURCES[0]
Text = str | Sequence[str]

SEGMENT = "segment"
"""The delimiter around each part of a text that comes in parts: turns of a conversation, retrieved contexts."""
WHY = "why, in at most three sentences"
ASKED_OF = {"applies_to", "requires", "scope"}
"""What moves no verdict and decides of which answers there is one: a certificate is for those."""
VERSION = 4
"""Digits of a judge's version."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
"""Of a judge: it becomes part of a path."""
_VERSION = re.compile(r'^version = "([^"\n]+)"$', re.MULTILINE)
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgePrompt:
    """One judge: what it asks, of which texts, by which rubric."""

    name: str
    declared: Declaration
    texts: tuple[str, ...]
    """Names of the judged texts; each is also the name of its delimiter."""
    rubric: str
    """Markdown, as the judge and the annotators read it."""
    rubric_version: str
    prompt_hash: str
    """Hash of rubric, prompt and examples, so that no edit of any goes unseen."""
    moving: Mapping[str, Any]
    """What else could move a verdict."""
    source: str
    """Of the whole prompt, as its file has it."""
    examples: tuple[Example, ...]
    template: Template
    system: str
    """The system message: it holds no judged text, so it is the same in every call."""

    @cached_property
    def form(self) -> str:
        """Return in words which replies are legal."""
        return wanted(self.declared)

    @cached_property
    def case_texts(self) -> Mapping[str, str]:
        """Return what it is shown of a case: by the name in its declaration the one in its prompt."""
        of_case = [name for name in self.declared.input if name in OF_CASE or name.startswith(KEYED)]
        return {name: text_name(name) for name in of_case}

    @cached_property
    def asked_rubric(self) -> str:
        """Return the rubric as a model is told it: what a case gives is named by its section and never stands in it."""
        return inputs.pointed(self.rubric)

    @property
    def version(self) -> str:
        """Return name and content hash, such as `tone@3f2a`."""
        declared = self.declared.model_dump(mode="json", include=ASKED_OF, exclude_defaults=True)
        return f"{self.name}@{digest([self.prompt_hash, dict(self.moving), declared])[:VERSION]}"

    def version_of_rubric(self, text: str) -> str:
        """Return the version of a rubric that people were shown: today's where that has the same words, or none was.

        Args:
            text: That rubric; empty where nobody knows.
        """
        is_todays = not text.strip() or text.split() == self.rubric.split()
        return self.rubric_version if is_todays else _rubric_version(text)

    def render(self, **texts: Text) -> list[dict[str, str]]:
        """Return the system and the user message in OpenAI's shape.

        Args:
            **texts: One for each of `texts`, with no other; a sequence of several strings is shown part by part.

        Raises:
            ConfigError: A text is missing or is not known to this judge.
        """
        if set(texts) != set(self.texts):
            raise ConfigError(f"judge {self.name}: got the texts {sorted(texts)}; pass exactly {sorted(self.texts)}")
        user = _user(self.template, self.declared.question, self.form, self.asked_rubric, self.shown(texts))
        return [{"role": "system", "content": self.system}, {"role": "user", "content": user}]

    def shown(self, texts: Mapping[str, Text]) -> dict[str, str]:
        """Return judged texts as the prompt shows them, in its order."""
        return {name: _safe(texts[name], self.texts) for name in self.texts}


def response_format(declared: Declaration) -> dict[str, Any]:
    """Return the `response_format` of a request: one JSON object with one legal verdict."""
    return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": form(declared)}}


def form(declared: Declaration) -> dict[str, Any]:
    """Return the JSON Schema of a reply; its fields stand in the order in which they are to be written."""
    legal: list[str | int] = list(declared.verdicts)
    if declared.question == "score":
        legal = [int(value) for value in declared.verdicts]
    verdict = {"type": "integer" if declared.question == "score" else "string", "enum": legal}
    fields = _ordered(declared, {"type": "string"}, verdict)
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def answer(declared: Declaration, verdict: str, why: str = WHY) -> str:
    """Return a legal reply with this verdict, as prompts and examples show it."""
    said: str | int = int(verdict) if declared.question == "score" else verdict
    return json.dumps(_ordered(declared, why, said), ensure_ascii=False)


def _ordered(declared: Declaration, why: object, verdict: object) -> dict[str, object]:
    """Return the fields of a reply in the order in which a judge writes them."""
    orders: dict[Reasoning, dict[str, object]] = {
        "none": {"verdict": verdict},
        "rationale-first": {"rationale": why, "verdict": verdict},
        "verdict-first": {"verdict": verdict, "rationale": why},
    }
    return orders[declared.reasoning]


def wanted(declared: Declaration) -> str:
    """Return in words which replies are legal."""
    values = declared.verdicts
    if declared.question == "score":
        return f"{answer(declared, values[0])}, where the verdict is a whole number from {values[0]} to {values[-1]}"
    if declared.reasoning == "none":
        said = [answer(declared, value) for value in values]
        return f"{', '.join(said[:-1])} or {said[-1]}"
    quoted = [json.dumps(value, ensure_ascii=False) for value in values]
    return f"{answer(declared, values[0])}, where the verdict is {', '.join(quoted[:-1])} or {quoted[-1]}"


def names() -> list[str]:
    """Return the names of all judges of the project, sorted: the folders that hold a declaration."""
    found = (file.parent.name for file in Path(JUDGES_FOLDER).glob(f"*/{DECLARATION}"))
    return sorted(name for name in found if _NAME.fullmatch(name))


def load_all() -> list[JudgePrompt]:
    """Return all judges of the project, by name.

    Raises:
        ConfigError: One of them is not what it has to be.
    """
    return [load(name) for name in names()]


def load(name: str) -> JudgePrompt:
    """Return the judge `name`, as its folder of the project has it now.

    Raises:
        ConfigError: There is no such judge, or one of its files is not what it has to be.
    """
    folder = Path(JUDGES_FOLDER) / name
    if not (_NAME.fullmatch(name) and (folder / DECLARATION).is_file()):
        known = ", ".join(names()) or "none yet"
        raise ConfigError(
            f"judge {name[:80]!r} has no {JUDGES_FOLDER}/<judge>/{DECLARATION}, expected one of {known}: correct the "
            "name, make it with `assay judges new NAME`, or restore the file from Git"
        )
    marks = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in sorted(folder.iterdir())]
    return _load(name, str(folder.resolve()), str(marks))


@lru_cache(maxsize=64)
def _load(name: str, folder: str, marks: str) -> JudgePrompt:  # noqa: ARG001 - marks tell one edit from the next
    where, files = f"{JUDGES_FOLDER}/{name}", Path(folder)
    declared = _declaration(files, where)
    rubric = _read(files / RUBRIC, f"{where}/{RUBRIC}", "the rubric of the judge")
    is_own = (files / PROMPT).is_file()
    prompt = _read(files / PROMPT, f"{where}/{PROMPT}", "the prompt") if is_own else None
    return composed(name, declared, rubric, prompt, _examples(files, declared, where))


def composed(
    name: str, declared: Declaration, rubric: str, prompt: str | None = None, examples: tuple[Example, ...] = ()
) -> JudgePrompt:
    """Return a judge of these parts, whether or not they are on file.

    Args:
        name: Of the judge.
        declared: What it is asked.
        rubric: What it goes by.
        prompt: Its own; None for the package's.
        examples: What it is shown besides.

    Raises:
        ConfigError: The parts do not go together.
    """
    where, is_own = f"{JUDGES_FOLDER}/{name}", prompt is not None
    _, body = _headless(rubric)
    if not body.strip():
        raise ConfigError(f"{where}/{RUBRIC} is empty, expected what the judge and people go by: write it")
    inputs.require_shown(body, declared, f"{where}/{RUBRIC}")
    prompt = DEFAULT_PROMPT.read_text("utf-8") if prompt is None else prompt
    texts = declared.texts()
    _, source = _headless(prompt)
    template, system = _template(source, declared, inputs.pointed(body.strip()), examples, f"{where}/{PROMPT}")
    hashed = [prompt, rubric, *(row.model_dump() for row in examples)]
    shaped = {} if is_own else {"input": list(declared.input)}
    return JudgePrompt(
        name=name,
        declared=declared,
        texts=texts,
        rubric=body.strip(),
        rubric_version=_rubric_version(rubric),
        prompt_hash=digest(hashed),
        moving={**moving(declared), **shaped},
        source=source,
        examples=examples,
        template=template,
        system=system,
    )


def _declaration(folder: Path, where: str) -> Declaration:
    try:
        given = parse_yaml(_read(folder / DECLARATION, f"{where}/{DECLARATION}", "the declaration of the judge"))
    except YamlError as error:
        raise ConfigError(f"{where}/{DECLARATION} is not YAML: {error}; correct it") from error
    try:
        return Declaration.model_validate({} if given is None else given)
    except ValidationError as error:
        raise ConfigError(f"{where}/{DECLARATION}: {fault(error)}; correct it") from error


def fault(error: ValidationError) -> str:
    """Return what is wrong with a declaration: what does not go together in its own words, a strange field by name."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":  # what stands there may be a key: it is not repeated
        *above, name = map(str, first["loc"])
        kinds: dict[str, type[Record]] = {"model": JudgeModel, "panel": JudgeModel, "applies_to": AppliesTo}
        fields = kinds.get(above[0] if above else "", Declaration)
        return f"{'.'.join([*above, name])[:80]} is no such name here (it has {', '.join(fields.model_fields)})"
    return first_fault(error)


def _examples(folder: Path, declared: Declaration, where: str) -> tuple[Example, ...]:
    name = declared.examples or (EXAMPLES if (folder / EXAMPLES).is_file() else "")
    if not name:
        return ()
    file = f"{where}/{name}"
    return read_examples(_read(folder / name, file, "the examples of the judge"), declared, file)


def _template(
    source: str, declared: Declaration, rubric: str, examples: Iterable[Example], where: str
) -> tuple[Template, str]:
    """Return a prompt's template and its system message, after a trial with empty texts."""
    shown = [
        {
            "texts": {name: _safe(text, declared.texts()) for name, text in row.texts.items()},
            "answer": answer(declared, row.label, row.why),
        }
        for row in examples
    ]
    try:
        template = _ENVIRONMENT.from_string(source)
        form = wanted(declared)
        common = {"rubric": rubric, "kind": declared.question, "form": form}
        system = _block(template, "system", **common, examples=shown)
        _user(template, declared.question, form, "", dict.fromkeys(declared.texts(), ""))
    except (TemplateError, KeyError, TypeError, ValueError, ArithmeticError, OverflowError) as error:
        raise ConfigError(
            f"{where} is no template of the blocks system and user ({one_line(error)}): correct it"
        ) from error
    return template, system


def _user(template: Template, kind: str, form: str, rubric: str, shown: Mapping[str, str]) -> str:
    about = {"kind": kind, "form": form, "rubric": rubric, "texts": shown}
    return _block(template, "user", **{**about, **shown})


def _safe(text: Text, names: Iterable[str]) -> str:
    """Return a judged text that closes no section; of several parts each in a section of its own."""
    parts = [text] if isinstance(text, str) else list(text)
    safe = [neutralise(part, (*names, SEGMENT)) for part in parts]
    if len(safe) == 1:
        return safe[0]
    return "\n".join(f"<{SEGMENT}>\n{part}\n</{SEGMENT}>" for part in safe)


def _block(template: Template, role: str, **values: Any) -> str:  # noqa: ANN401 - whatever a template shows
    return "".join(template.blocks[role](template.new_context(values))).strip()


def _read(file: Path, where: str, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{where} is missing, expected {what}: restore it from Git, or write it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where} cannot be read ({one_line(error)}), expected {what} in UTF-8: mend it") from error


def _headless(text: str) -> tuple[str, str]:
    """Return a file's TOML head, as versions before 0.3 wrote one between two lines of `+++`, and its body."""
    if not text.startswith("+++\n"):
        return "", text
    _, head, *rest = text.split("+++\n", maxsplit=2)
    return head, "".join(rest)


def _rubric_version(rubric: str) -> str:
    """Return the version of a rubric: the one that its head gives, else the hash of its text."""
    head, body = _headless(rubric)
    said = _VERSION.search(head)
    return said[1] if said else digest(body.strip())[:VERSION]
