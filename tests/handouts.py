"""Files handed to people, filled as the tool would fill them that each is for."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.interchange.label_import import Asked
from assay.judges import prompt
from assay.judges.prompt import JudgePrompt

WRITTEN = ("note", "comment")
"""Questions that people answer in their own words."""
KINDS = ("sheet.csv", "sheet.jsonl", "tasks.label-studio.json", "records.argilla.json")


def fill(file: Path, who: str = "Ada Lovelace", column: str = "annotator", **answers: str) -> Path:
    """Let one person give the same answers to every row, and submit them."""
    text = file.read_bytes().decode("utf-8-sig")
    if file.suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        with file.open("w", encoding="utf8", newline="") as sheet:
            writer = csv.DictWriter(sheet, rows[0].keys())
            writer.writeheader()
            writer.writerows(row | answers | {column: who} for row in rows)
    elif file.suffix == ".jsonl":
        rows = [json.loads(line) | answers | {column: who} for line in text[:-1].split("\n")]
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf8", newline="")
    elif "label-studio" in file.name:
        annotation = {"result": [result(*one) for one in answers.items()], "completed_by": {"id": 7, "email": who}}
        file.write_text(json.dumps([task | {"annotations": [annotation]} for task in json.loads(text)]))
    else:
        said = {name: [{"user_id": who, "value": value, "status": "submitted"}] for name, value in answers.items()}
        file.write_text(json.dumps([record | {"responses": said} for record in json.loads(text)]))
    return file


def judge(question: str = "pass-fail", rubric: str = "Pass what is right.") -> JudgePrompt:
    """Return the sample's judge of a question, with another rubric."""
    return replace(prompt.load({"pass-fail": "correctness", "pairwise": "preference"}[question]), rubric=rubric)


def whose(_item: str, said: str, _place: str) -> Asked:
    """Return the judge that a row names, or else the sample's judge of answers."""
    name = said or "correctness"
    return Asked(name, prompt.load(name).declared)


def result(name: str, *words: str) -> dict[str, Any]:
    """Return one entry of an annotation's result, as Label Studio has it."""
    kind, value = ("textarea", "text") if name in WRITTEN else ("choices", "choices")
    return {
        "id": "a1",
        "type": kind,
        "from_name": name,
        "to_name": "x",
        "origin": "manual",
        "value": {value: list(words)},
    }
