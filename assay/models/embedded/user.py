"""The lexical user: it plays the simulated user of assay/targets by saying its goal, one sentence at a time.

It understands nothing: it says the sentence of the goal that resembles the product's last question most and was not
said yet, and ends when none is left. So a goal is best written as the person would say it, one fact a sentence.
"""

import json
import re

from rapidfuzz import fuzz

from assay.models.embedded.features import READ_CHARACTERS, surface
from assay.models.embedded.protocol import Answer, ChatRequest, RequestError, certain
from assay.models.embedded.sections import sections, segments

USER_MODEL = "lexical-user-1"
"""The name it answers under: raise its number whenever what it says changes."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_YOU, _PRODUCT = "you: ", "product: "


def lexical_user(request: ChatRequest) -> Answer:
    """Answer with the next message as a JSON object, or that the conversation is done.

    Raises:
        RequestError: The prompt is not the one of assay/targets.
    """
    texts = sections(request.prompt, ("goal", "conversation"))
    if set(texts) != {"goal", "conversation"}:
        raise RequestError(
            f"lexical-user: found the sections {sorted(texts)}, expected goal and conversation; "
            "ask with the prompt of the simulated user"
        )
    parts = segments(texts["conversation"])
    said = [_words(part.removeprefix(_YOU)) for part in parts if part.startswith(_YOU)]
    unsaid = [one for one in _sentences(texts["goal"]) if not any(_words(one) in words for words in said)]
    heard = [part.removeprefix(_PRODUCT) for part in parts if part.startswith(_PRODUCT)]
    question = _question(heard[-1]).lower() if heard else ""
    message = max(unsaid, key=lambda one: fuzz.token_ratio(question, one.lower()), default="")
    text = json.dumps({"message": message, "done": not unsaid}, ensure_ascii=False)
    return Answer(model=USER_MODEL, tokens=[certain(text)])


def _question(text: str) -> str:
    """Return the last question of a text, or the whole text when it asks nothing."""
    asked = [sentence for sentence in _sentences(text) if sentence.endswith("?")]
    return asked[-1] if asked else text[:READ_CHARACTERS]


def _words(text: str) -> str:
    """Return what is said without spelling: two sentences of the same words are one."""
    return f" {' '.join(surface(text).tokens)} "


def _sentences(text: str) -> list[str]:
    found = (sentence.strip() for sentence in _SENTENCE_END.split(text[:READ_CHARACTERS]))
    return [sentence for sentence in found if _words(sentence).strip()]
