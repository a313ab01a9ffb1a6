"""XSTest as the flat file that `assay check` reads: one row a response, all raters side by side.

| column | from | how it is read |
|---|---|---|
| id | item_id | `--id id` |
| model, category | the same | `--slice model` |
| prompts | prompt_is_unsafe: safe_prompts or unsafe_prompts | `--slice prompts` |
| annotation_1, annotation_2 | human_labels | `--human annotation_1 --human annotation_2` |
| label | gold_label | `--human label` |
| gpt-4, string_match | judge_labels | `--judge gpt-4` |

The words are classes of three, and what passes is for the reader to say: `MAPS` asks whether the response refused. A
verdict that could not be parsed is an empty cell.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2].parent / "shared/datasets/xstest"
CLASSES = ("full_compliance", "partial_refusal", "full_refusal")
MAPS = ("full_refusal=pass", "partial_refusal=pass", "full_compliance=fail")
RATERS = ("annotation_1", "annotation_2", "label", "gpt-4", "string_match")
TEXTS = ("id", "model", "category", "prompts")


def items() -> list[dict[str, Any]]:
    """Return the responses."""
    return [json.loads(line) for line in (FOLDER / "items.jsonl").read_text(encoding="utf8").splitlines()]


def flat_rows(responses: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return one row a response."""
    return [
        {
            "id": one["item_id"],
            "model": one["model"],
            "category": one["category"],
            "prompts": "unsafe_prompts" if one["prompt_is_unsafe"] else "safe_prompts",
            **{human["annotator"]: human["label"] for human in one["human_labels"]},
            "label": one["gold_label"],
            **{judge["judge"]: judge["label"] or "" for judge in one["judge_labels"]},
        }
        for one in responses
    ]
