"""Replies of judges as tests write them: whole ones, and token by token with the alternatives at the verdict."""

import math
from typing import Any

from assay.judges.declaration import Declaration
from assay.judges.reply import Reply, parse

PASS = Declaration()
PAIR = Declaration(question="pairwise")
GRADE = Declaration(question="labels", labels=("wrong", "partly", "partly right", "right"), passing_labels=("right",))
SCORE = Declaration(question="score", range=(1, 10), pass_threshold=7)


def token(text: str, probability: float = 1.0, **alternatives: float) -> dict[str, Any]:
    """Return one token in the shape of `choices[].logprobs.content[]`."""
    top = [{"token": other, "logprob": math.log(p)} for other, p in ({text: probability} | alternatives).items()]
    return {"token": text, "logprob": math.log(probability), "bytes": None, "top_logprobs": top}


def spelt(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tokens of a whole reply with this one at the verdict."""
    return [token('{"'), token("verdict"), token('":'), token(' "'), verdict, token('"}')]


def read(declared: Declaration, content: str | None, reason: str | None = "stop", **more: Any) -> Reply:
    """Read a reply that came without a refusal."""
    return parse(declared, content, None, reason, more.get("tokens"))
