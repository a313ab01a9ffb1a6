"""LLMBar as the flat file that `assay check` reads: one row a pair, one judge a file.

| column | from | how it is read |
|---|---|---|
| id | item_id | `--id id` |
| category | category | `--slice category` |
| label | gold_label | `--human label` |
| verdict | the judge's label in the order AB | `--judge verdict` |
| verdict_ba | its label in the order BA, in the same frame: A is still response_a | `--swapped verdict_ba` |

A verdict that could not be parsed is an empty cell.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2].parent / "shared/datasets/llmbar"
COLUMNS = ("id", "category", "label", "verdict", "verdict_ba")


def items() -> list[dict[str, Any]]:
    """Return the pairs, each with the labels of all judges."""
    return [json.loads(line) for line in (FOLDER / "items.jsonl").read_text(encoding="utf8").splitlines()]


def flat_rows(pairs: list[dict[str, Any]], judge: str) -> list[dict[str, str]]:
    """Return the rows of one judge."""
    rows = []
    for pair in pairs:
        said = {one["order"]: one["label"] or "" for one in pair["judge_labels"] if one["judge"] == judge}
        cells = (pair["item_id"], pair["category"], pair["gold_label"], said["AB"], said["BA"])
        rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return rows
