"""The template generator: it answers the generator's prompt with what can be made without a model.

It invents no situation that the prompt's examples and material do not have; what it varies is how the user speaks, and
what follows from a case by construction. The seed of the request decides which examples, which material and which
changes; equal requests get equal cases.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from assay.generation.contrasts import CONTRASTS
from assay.generation.perturbations import DECORATIONS, PERTURBATIONS, perturb
from assay.generation.prompt import MAX_CASES
from assay.generation.strategies import Material
from assay.models.embedded.protocol import Answer, ChatRequest, RequestError, certain
from assay.models.embedded.sections import sections
from assay.records.case import Case

MODEL = "template-generator-3"
"""The name it answers under: raise its number whenever what it makes of a prompt changes."""
QUESTIONS = (
    "Can you tell me about {topic}?",
    "I have a question on {topic}: what do I need to know?",
    "Hello, how does it work with {topic} at your place?",
)
OPENINGS = ("Hi, I need some help.", "Hello, I have a question.", "Good morning, something came up.")
PERSONAS = (
    "writes short messages without capitals",
    "polite, tells everything at length",
    "in a hurry, answers in a few words",
)
PASSAGE = 2
"""Sentences of a passage."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_TITLE = re.compile(r"^#+\s*(.+)$", re.MULTILINE)
_LINE = re.compile(r"^(USER|PRODUCT|RETRIEVED): (.*)$", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    way: str
    count: int
    examples: list[Case]
    existing: set[str]
    material: list[Material]


def template_generator(request: ChatRequest) -> Answer:
    """Answer with as many new cases as were asked for, or fewer when the prompt allows no more.

    Raises:
        RequestError: The prompt is not one of assay/generation, or shows nothing to make cases of.
    """
    asked = _asked(request.prompt)
    rng = np.random.default_rng(request.seed)
    proposed: dict[str, dict[str, Any]] = {}
    for item in _MAKERS[asked.way](asked, rng):
        if len(proposed) == asked.count:
            break
        text = "\n".join(item["turns"])
        if text not in asked.existing:
            proposed.setdefault(json.dumps([text, item.get("user")]), item)
    text = json.dumps({"cases": list(proposed.values())}, ensure_ascii=False)
    return Answer(model=MODEL, tokens=[certain(text)])


def _varied(asked: _Asked, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield the examples, asked otherwise."""
    yield from _otherwise(asked.examples, rng)


def _called(asked: _Asked, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield requests that take other calls than the examples, and then the examples, asked otherwise."""
    with_calls = [case for case in asked.examples if any(one.calls for one in case.expectations)]
    yield from _perturbed(with_calls, sorted(CONTRASTS), rng)
    yield from _otherwise(with_calls, rng)


def _otherwise(cases: list[Case], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield cases in other words, and only then as they stand with words around them."""
    yield from _perturbed(cases, sorted(PERTURBATIONS.keys() - set(DECORATIONS)), rng)
    yield from _perturbed(cases, sorted(DECORATIONS), rng)


def _perturbed(cases: list[Case], names: list[str], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    tried = [(case, name) for case in cases for name in names]
    for index in rng.permutation(len(tried)):
        example, name = tried[index]
        case = perturb(example, name, rng)
        if case is not None:
            yield case.model_dump(include={"turns", "reference", "expectations", "parent"})


def _quoted(asked: _Asked, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield a question about each passage of the documents, which the passage answers."""
    passages = [(one, passage) for one in asked.material for passage in _passages(one.text)]
    for index in rng.permutation(len(passages)):
        document, passage = passages[index]
        title = _TITLE.search(document.text)
        topic = title[1].strip().rstrip(".").lower() if title else document.name.rpartition("/")[2].partition(".")[0]
        question = QUESTIONS[int(rng.integers(len(QUESTIONS)))].format(topic=topic)
        yield {
            "turns": [question],
            "reference": passage,
            "expectations": [],
            "document": document.name,
            "quote": passage,
        }


def _passages(text: str) -> list[str]:
    body = " ".join(line.strip() for line in text.splitlines() if not line.startswith("#"))
    sentences = [sentence.strip() for sentence in _SENTENCE.split(body) if sentence.strip()]
    return [" ".join(sentences[at : at + PASSAGE]) for at in range(0, len(sentences), PASSAGE)]


def _failed(asked: _Asked, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield what users asked where the product failed them, with what was retrieved that answers it best."""
    for index in rng.permutation(len(asked.material)):
        name, text = asked.material[index]
        said: dict[str, list[str]] = {}
        for role, line in _LINE.findall(text):
            said.setdefault(role, []).append(line.strip())
        retrieved = text.partition("RETRIEVED: ")[2].replace("\n", " ")
        question, sentences = " ".join(said.get("USER", [])), [one for one in _SENTENCE.split(retrieved) if one.strip()]
        if question and sentences:
            best = max(sentences, key=lambda sentence: (_common(question, sentence), -len(sentence)))
            yield {"turns": [question], "reference": best.strip(), "expectations": [], "parent": name}


def _conversed(asked: _Asked, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield conversations whose user comes out with an example's matter only after an opening."""
    for index in rng.permutation(len(asked.examples)):
        case = asked.examples[index]
        if case.user:
            continue
        user = {
            "goal": " ".join(case.turns),
            "persona": PERSONAS[int(rng.integers(len(PERSONAS)))],
            "stop": "the matter is settled, or refused for a reason",
            "max_turns": len(case.turns) + 3,
        }
        opening = [OPENINGS[int(rng.integers(len(OPENINGS)))]]
        kept = case.model_dump(include={"reference", "expectations"})
        yield {"turns": opening, "user": user, "parent": case.case_id, **kept}


_MAKERS: dict[str, Callable[[_Asked, np.random.Generator], Iterator[dict[str, Any]]]] = {
    "category": _varied,
    "document": _quoted,
    "production": _failed,
    "conversation": _conversed,
    "tool-call": _called,
}


def _common(first: str, second: str) -> int:
    return len(set(_WORD.findall(first.lower())) & set(_WORD.findall(second.lower())))


def _asked(prompt: str) -> _Asked:
    """Return what the prompt asks for."""
    texts = sections(prompt, ("examples", "existing", "material"))
    try:
        count, way = (prompt.rpartition(f"<{name}>")[2].partition(f"</{name}>")[0] for name in ("count", "way"))
        asked = _Asked(
            way=way,
            count=int(count),
            examples=[Case.model_validate_json(line) for line in texts["examples"].split("\n") if line],
            existing=set(json.loads(texts["existing"])),
            material=[Material(**json.loads(line)) for line in texts["material"].split("\n") if line],
        )
    except (KeyError, ValueError, TypeError, RecursionError, ValidationError) as error:
        found = " ".join(str(error).split())[:200]
        raise RequestError(f"template-generator: no prompt of assay/generation: {found}") from error
    if not (asked.examples or asked.material) or not 1 <= asked.count <= MAX_CASES or way not in _MAKERS:
        raise RequestError(
            f"template-generator: found {len(asked.examples)} example cases, {len(asked.material)} documents and "
            f"{asked.count} wanted by the way {way[:40]!r}, expected at least one example case or document and 1 to "
            f"{MAX_CASES} wanted; show cases of the category in the prompt"
        )
    return asked
