"""The template generator: it answers the generator's prompt by perturbing the example cases that the prompt shows.

It invents no situation that the examples do not have; what it varies is how the user speaks. The seed of the request
decides which examples and which perturbations; equal requests get equal cases.
"""

import json
from typing import Any

import numpy as np
from pydantic import ValidationError

from assay.clients.embedded.protocol import Answer, ChatRequest, RequestError, certain
from assay.clients.embedded.sections import sections
from assay.generators.perturbations import PERTURBATIONS, perturb
from assay.generators.prompt import MAX_CASES
from assay.records import Case

MODEL = "template-generator-1"
"""The name it answers under: raise its number whenever the perturbations change."""


def template_generator(request: ChatRequest) -> Answer:
    """Answer with as many new cases as were asked for, or fewer when the examples allow no more.

    Raises:
        RequestError: The prompt is not the one of assay/generators, or shows no example.
    """
    examples, existing, count = _asked(request.prompt)
    rng = np.random.default_rng(request.seed)
    tried = [(example, name) for example in examples for name in sorted(PERTURBATIONS)]
    proposed: dict[tuple[str, ...], Case] = {}
    for index in rng.permutation(len(tried)):
        if len(proposed) == count:
            break
        example, name = tried[index]
        case = perturb(example, name, rng)
        if case is not None and "\n".join(case.turns) not in existing:
            proposed.setdefault(tuple(case.turns), case)
    text = json.dumps({"cases": [_shown(case) for case in proposed.values()]}, ensure_ascii=False)
    return Answer(model=MODEL, tokens=[certain(text)])


def _asked(prompt: str) -> tuple[list[Case], set[str], int]:
    """Return the examples, the questions that are covered, and the number of cases wanted."""
    texts = sections(prompt, ("examples", "existing"))
    try:
        _, _, rest = prompt.rpartition("<count>")
        count = int(rest.partition("</count>")[0])
        examples = [Case.model_validate_json(line) for line in texts["examples"].split("\n") if line]
        existing = set(json.loads(texts["existing"]))
    except (KeyError, ValueError, TypeError, RecursionError, ValidationError) as error:
        found = " ".join(str(error).split())[:200]
        raise RequestError(f"template-generator: no prompt of assay/generators: {found}") from error
    if not examples or not 1 <= count <= MAX_CASES:
        raise RequestError(
            f"template-generator: found {len(examples)} example cases and {count} wanted, expected at least one "
            f"example and 1 to {MAX_CASES} wanted; show cases of the category in the prompt"
        )
    return examples, existing, count


def _shown(case: Case) -> dict[str, Any]:
    return case.model_dump(include={"turns", "reference", "expectations", "parent"})
