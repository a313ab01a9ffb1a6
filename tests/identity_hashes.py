"""How each kind of record is hashed: makes tests/golden/identity-1.json of the records of tests/identities.py.

It made that file once, before the law stood in the code, and goes on to make the same. A kind or a record that comes
later goes to a file of its own, identity-2.json.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from jinja2 import Template

from assay.desk import label_queue
from assay.evalset import versions
from assay.evalset.admission import BatchEvent, batch_name
from assay.judges import prompt, questions
from assay.judges.before import declaration_of
from assay.judges.declaration import Declaration
from assay.judges.fingerprint import fingerprint
from assay.judges.prompt import JudgePrompt
from assay.models.chat import Chat, Endpoint
from assay.models.embedded import protocol
from assay.models.embedded.protocol import ChatMessage, ChatRequest, certain, completion
from assay.models.transport import Wire
from assay.records.candidate import Candidate, Source
from assay.records.case import Case, Expectation, SimulatedUser, ToolCall
from assay.records.category import Category
from assay.records.decision import Decision
from assay.records.label import BEFORE, Answer, Item, Label, Span
from assay.records.record import Record, digest
from assay.stages import review
from assay.targets.chat import ChatTarget, Product
from assay.targets.http import HttpTarget
from assay.targets.python import PythonTarget
from assay.targets.settings import Answer as AnswerPlaces
from assay.targets.settings import ChatSettings, HttpSettings, PromptMessage, PythonSettings
from assay.targets.workers import FunctionVersion, Workers
from tests import identities
from tests.identities import EACH, Fields

JUDGE_FILES = {
    "correctness/prompt.md": '+++\nquestion = "pass-fail"\ntexts = ["question", "reference", "response"]\n+++\n'
    "{% block system %}Judge by this: {{ rubric }}{% endblock %}\n"
    "{% block user %}{{ question }} {{ reference }} {{ response }}{% endblock %}\n",
    "correctness/rubric.md": '+++\nversion = "1"\n+++\nIt says what the reference says.\n',
    "preference/prompt.md": '+++\nquestion = "pairwise"\n'
    'texts = ["question", "reference", "response_a", "response_b"]\n+++\n'
    "{% block system %}Judge by this: {{ rubric }}{% endblock %}\n"
    "{% block user %}{{ question }} {{ reference }} {{ response_a }} {{ response_b }}{% endblock %}\n",
    "preference/rubric.md": '+++\nversion = "2"\n+++\nThe better one.\n',
}
"""The judges of the questions, below data/judges, as they were before they had a declaration."""


def judge_files() -> dict[str, str]:
    """Return them with the declarations that an upgrade gives them."""
    prompts = {name: text for name, text in JUDGE_FILES.items() if name.endswith("prompt.md")}
    return JUDGE_FILES | {
        name.replace("prompt.md", "judge.yaml"): declaration_of(text, name) for name, text in prompts.items()
    }


def _chat_fingerprint(fields: Fields) -> str:
    settings = ChatSettings.model_validate(fields)
    product = Product(
        name=settings.name,
        messages=settings.messages,
        parameters=settings.parameters,
        tools=settings.tools,
        version=str(settings.version),
    )

    class Asked:
        endpoint = Endpoint(base_url=settings.base_url, model=settings.model, api_key="none")

    return ChatTarget(product, cast("Chat", Asked()), deadline_s=1).fingerprint


def _http_fingerprint(fields: Fields) -> str:
    settings = HttpSettings.model_validate(fields)
    target = HttpTarget(settings, cast("Wire", None), url=settings.url, headers={}, version=str(settings.version))
    return target.fingerprint


def _python_fingerprint(fields: Fields) -> str:
    settings = PythonSettings.model_validate(fields["settings"])
    version = FunctionVersion(name=fields["version"], source=fields["source"], is_known=True)
    return PythonTarget(settings, cast("Workers", None), version).fingerprint


def _judge_fingerprint(fields: Fields) -> str:
    known = JudgePrompt(
        name=fields["name"],
        declared=Declaration(reasoning="none"),
        texts=(),
        moving={},
        examples=(),
        rubric="",
        rubric_version=fields["rubric_version"],
        prompt_hash=fields["prompt_hash"],
        source="",
        template=Template(""),
        system="",
    )
    return fingerprint(known, fields["model"], fields["reported"], fields["parameters"], "1")


def _call_key(fields: Fields) -> str:
    item = Item.model_validate(fields["item"])
    asked = questions.of_item(prompt.load(BEFORE[item.question]), item, fields["night"])
    who = questions.Asked(fields["model"], fields["reported"], questions.Manner(*fields["manner"]))
    keys = [questions.key(asked, texts, who) for texts in asked.shown]
    return "+".join(keys)


def _completion_id(fields: Fields) -> str:
    answer = protocol.Answer(model="embedded", tokens=[certain("yes")])
    return str(completion(ChatRequest.model_validate(fields), answer)["id"])


def _batch_name(rows: list[Fields]) -> str:
    return batch_name([Candidate.model_validate(row) for row in rows])


def _labels_hash(rows: Fields) -> str:
    items, labels = [Item.model_validate(row) for row in rows["items"]], map(Label.model_validate, rows["labels"])
    return digest([*items, *labels])


def _set_content(rows: list[Fields]) -> str:
    return str(review.manifest([Case.model_validate(row) for row in rows], [], "", 0)["content"])


def _taxonomy(fields: Fields) -> str:
    return versions.content([], [Category.model_validate(fields)]).taxonomy[fields["category"]]


def _expectation(number: int) -> Fields:
    return dict(identities.case(2 * (number // 2) + 1)["expectations"][number % 2])


def _first(make: Callable[[int], Fields], number: int) -> list[Fields]:
    return [make(at) for at in range(number + 1) if at % 3 == number % 3]


KINDS: dict[str, tuple[Callable[[int], Any], Callable[[Any], str]]] = {
    "case revision": (identities.case, lambda fields: Case.model_validate(fields).revision()),
    "case digest": (identities.case, lambda fields: Case.model_validate(fields).digest()),
    "request": (identities.case, lambda fields: Case.model_validate(fields).request()),
    "candidate": (identities.candidate, lambda fields: Candidate.model_validate(fields).digest()),
    "batch name": (lambda number: _first(identities.candidate, number), _batch_name),
    "set content": (lambda number: _first(identities.case, number), _set_content),
    "expectation": (_expectation, lambda fields: digest(Expectation.model_validate(fields))),
    "category": (identities.category, _taxonomy),
    "item as shown": (identities.item, lambda fields: label_queue.shown(Item.model_validate(fields), "cleo")),
    "labels": (
        lambda number: {"items": _first(identities.item, number), "labels": _first(identities.label, number)},
        _labels_hash,
    ),
    "judge": (identities.judge, _judge_fingerprint),
    "judge's call": (identities.question, _call_key),
    "chat target": (identities.chat, _chat_fingerprint),
    "http target": (identities.http, _http_fingerprint),
    "python target": (identities.python, _python_fingerprint),
    "embedded completion": (identities.completed, _completion_id),
}
"""By kind: what makes the record of a number, and its hash; a judge's call needs the judges' files in its folder."""


LOGS: dict[str, tuple[type[Record], Callable[[int], Fields]]] = {
    "decisions": (Decision, identities.decision),
    "batches": (BatchEvent, identities.event),
    "answers": (Answer, identities.answer),
}
"""By log: what a row is, and what makes the row of a number."""
HASHED: tuple[type[Record], ...] = (
    *(Case, Expectation, ToolCall, SimulatedUser, Candidate, Source, Category, Item, Label, Span),
    *(HttpSettings, AnswerPlaces, PromptMessage, ChatRequest, ChatMessage),
)
"""Records that are hashed, by themselves or within another one."""


def fields_of(record: type[Record]) -> dict[str, str]:
    """Return how each field of a record enters its hash: always, or but for a default that therefore never changes."""
    kinds: dict[str, str] = {}
    for name, field in record.model_fields.items():
        value = None if field.is_required() else field.get_default(call_default_factory=True)
        default = (
            "" if field.is_required() else f"{type(value).__name__}()" if isinstance(value, Record) else repr(value)
        )
        is_always = field.is_required() or name in record.always_hashed
        kinds[name] = f"always {default}".strip() if is_always else f"unless it is {default}"
    return kinds


def golden() -> str:
    """Return the golden file: by kind, each record and its hash, a record a line."""
    kinds: dict[str, list[Any]] = {
        kind: [[make(number), hashed(make(number))] for number in range(EACH)] for kind, (make, hashed) in KINDS.items()
    }
    kinds |= {f"log of {name}": identities.log(make) for name, (_, make) in LOGS.items()}
    kinds["fields"] = [[record.__name__, fields_of(record)] for record in HASHED]
    rows = [
        f"{json.dumps(kind)}: [\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"
        for kind, rows in kinds.items()
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"
