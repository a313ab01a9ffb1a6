"""The two judges among the embedded models, as answers to the prompts of assay/judges."""

from collections.abc import Mapping

from assay.judges.applicability import ANY_RIGHT
from assay.models.embedded.grounding import supported
from assay.models.embedded.lexical import LexicalJudge, most_likely
from assay.models.embedded.protocol import Answer, ChatRequest, Model, RequestError, Token, certain
from assay.models.embedded.sections import sections, segments

_TEXTS = ("question", "reference", "response_a", "response_b", "response", "contexts")
GROUNDING_MODEL = "lexical-grounding-1"
"""The name that the grounding check answers under: raise its number whenever its weights or features change."""


def lexical_judge(judge: LexicalJudge) -> Model:
    """Return the model that compares pairs and decides pass or fail, by the sections it finds in the prompt."""

    def answer(request: ChatRequest) -> Answer:
        texts = sections(request.prompt, _TEXTS)
        reference = [part for part in segments(texts.get("reference", "")) if part != ANY_RIGHT] or [""]
        if "response_a" in texts and "response_b" in texts:
            found = judge.compare(reference, texts["response_a"], texts["response_b"])
            return _verdict(request, judge.reported_model, found)
        if "response" in texts and "reference" in texts:
            return _verdict(request, judge.reported_model, judge.decide(reference, texts["response"]))
        raise RequestError(
            f"lexical-judge: found the sections {sorted(texts)}, expected response_a and response_b, or response and "
            "reference: this small model compares with a reference; set OPENAI_API_KEY for a judge that needs none"
        )

    return answer


def lexical_grounding(request: ChatRequest) -> Answer:
    """Answer whether the response is supported by the contexts, as far as words can tell."""
    texts = sections(request.prompt, _TEXTS)
    if not {"contexts", "response"} <= set(texts):
        raise RequestError(
            f"lexical-grounding: found the sections {sorted(texts)}, expected contexts and response; "
            "ask it with a judge that is shown both"
        )
    return _verdict(request, GROUNDING_MODEL, supported(segments(texts["contexts"]), texts["response"]))


def _verdict(request: ChatRequest, model: str, probabilities: Mapping[str, float]) -> Answer:
    """Write the likeliest verdict as JSON, with why where that is asked for; its word is a token of its own."""
    likeliest = most_likely(probabilities)
    word = Token(text=likeliest, alternatives=probabilities)
    start = ['{"']
    if '"rationale"' in request.prompt:
        start = [
            f'{{"rationale": "By its words alone: {likeliest} with probability {probabilities[likeliest]:.2f}."',
            ', "',
        ]
    return Answer(model=model, tokens=[*map(certain, (*start, "verdict", '":', ' "')), word, certain('"}')])
