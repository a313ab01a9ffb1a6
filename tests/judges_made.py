"""Judges that a test makes in its project: one of labels, one of scores, one that sees the whole conversation."""

from pathlib import Path

LABELS_OF_TONE = {
    "question": "labels",
    "labels": "[warm, neutral, cold]",
    "passing_labels": "[warm, neutral]",
    "input": "[question, response]",
}
SCORE = {"question": "score", "range": "[1, 5]", "pass_threshold": "4", "input": "[question, response]"}
LONG_SCORE = {"question": "score", "range": "[0, 100]", "pass_threshold": "70", "input": "[question, response]"}
TRAJECTORY = {
    "question": "pass-fail",
    "input": "[question, conversation, tool_calls, contexts, final_state, rubric, metadata.plan]",
}


def made(folder: Path, name: str, rubric: str = "Answers are friendly.", **fields: str) -> None:
    """Write a judge's folder; fields are those of judge.yaml, as YAML has them."""
    home = folder / "data/judges" / name
    home.mkdir(parents=True, exist_ok=True)
    (home / "rubric.md").write_text(rubric)
    (home / "judge.yaml").write_text("".join(f"{field}: {value}\n" for field, value in fields.items()))
