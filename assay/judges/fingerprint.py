"""Fingerprint: the one hash that says which judge spoke; a certificate holds for one fingerprint only."""

from collections.abc import Mapping
from typing import Any

from assay.judges.prompt import JudgePrompt
from assay.judges.reply import PARSER_VERSION
from assay.records.record import digest


def fingerprint(
    judge: JudgePrompt,
    model: str,
    reported_model: str,
    parameters: Mapping[str, Any],
    parser_version: str = PARSER_VERSION,
) -> str:
    """Return the hash of everything that could move a judge's verdict, as 16 hexadecimal digits.

    Args:
        judge: Prompt, rubric, and what else of its declaration could move a verdict.
        model: The model that was asked for.
        reported_model: The model that the endpoint says has answered; a silent update of an alias changes it.
        parameters: Temperature, seed, and whatever else goes into the request.
        parser_version: How replies are read.
    """
    return digest(
        {
            "judge": judge.name,
            "prompt": judge.prompt_hash,
            "rubric": judge.rubric_version,
            "model": model,
            "reported_model": reported_model,
            "parameters": dict(parameters),
            "parser": parser_version,
            **({"declared": dict(judge.moving)} if judge.moving else {}),
        }
    )
