"""A bicycle rental, a trade that Assay has never heard of: its product, its cases, its people, its hosted model."""

import csv
import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.endpoint import Body, Reply, completion

TOPICS = ("deposits", "damages", "returns", "theft")
RIDES = ("to the lake", "over the hills", "with two children", "in the old town", "by the river", "at night", "on sand")
BIKES = "tandem, cargo bike, racing bike, tricycle, e-bike, folding bike, mountain bike, trailer, recumbent, fat bike"
ASKED = {
    "deposits": "Do I get my deposit for the {bike} back after a tour {ride}?",
    "damages": "The wheel of the {bike} broke {ride}, who pays for that?",
    "returns": "May I hand in the {bike} a day late after riding {ride}?",
    "theft": "Somebody took the {bike} {ride}, what happens now?",
}
PRODUCT = '''
import hashlib

VERSION = 1


def answer(messages):
    """Answer a rider; a fourth of the answers is curt, a fifth names no paragraph."""
    question = messages[-1]["content"]
    luck = int(hashlib.sha256(question.encode()).hexdigest(), 16)
    is_kind, has_paragraph = luck % 4 > 0, luck // 4 % 5 > 0
    if VERSION == 2 and "deposit" in question:
        has_paragraph = has_paragraph and luck // 20 % 4 == 0
    opening = "I am sorry to hear about your trouble." if is_kind else "That is your own affair."
    terms = "Paragraph 4 of the rental terms says so." if has_paragraph else "That is how it is."
    return f"{opening} Come by the shop with your contract, we settle it there. {terms}"
'''
CATEGORY = """
category: {topic}
definition: A rider asks about {topic}.
examples: ["{example}"]
severity: high
quota: {quota}
owner: counter
layer: unit
"""
TONE = "The response is kind to a rider in trouble and never blames them."
CLAUSE = "The response names the paragraph of the rental terms that it rests on."
GRADED = "Is kind and names a paragraph of the rental terms"
SEED = "3"
NOISE = 6
"""Of a hundred verdicts, how many the model gives at random the other way."""


def questions() -> list[tuple[str, str]]:
    """Return three hundred questions with their topic, no two alike, in an order that tells nothing."""
    every = [
        (topic, words.format(bike=bike, ride=ride))
        for topic, words in ASKED.items()
        for bike in BIKES.split(", ")
        for ride in RIDES
    ]
    every += [(topic, f"Urgent, I am at the gate: {asked}") for topic, asked in every[::12]]
    random.Random(5).shuffle(every)
    return every[:300]


def passes(question: str, response: str) -> bool:
    """Tell whether a person passes a response by what they are asked about it."""
    is_kind, has_paragraph = "sorry" in response, "Paragraph 4" in response
    return {TONE: is_kind, CLAUSE: has_paragraph, GRADED: is_kind and has_paragraph}[question]


def model(body: Body) -> Reply:
    """Grade as a hosted model does: with a reason, in a fence, without log-probabilities, six of a hundred wrong."""
    system, user = (message["content"] for message in body["messages"][-2:]) if len(body["messages"]) > 1 else ("", "")
    shown = re.findall(r"<response(?:_[ab])?>\n(.*?)\n</response", user, re.DOTALL)
    asked = next((words for words in (TONE, CLAUSE) if words in system), GRADED)
    about = re.findall(r"<question>\n(.*?)\n</question", user, re.DOTALL)
    hashed = "".join([SEED, asked, *about, *(text[:30] for text in shown)])
    luck = int(hashlib.sha256(hashed.encode()).hexdigest(), 16) % 100
    right = [passes(asked, text) != (luck < NOISE) for text in shown]
    word = "ready"
    if len(right) == 1:
        word = "pass" if right[0] else "fail"
    if len(right) > 1:
        word = "tie" if right[0] == right[1] else "A" if right[0] else "B"
    said = {"rationale": "I looked for it in the response.", "verdict": word}
    return completion(f"Here is my verdict:\n```json\n{json.dumps(said)}\n```", model="grader-2026-11")


def write_cases(folder: Path) -> None:
    """Write thirty cases by hand, two hundred in a spreadsheet and seventy for promptfoo."""
    every = questions()
    by_hand = [
        f'- {{case_id: hand-{number}, layer: unit, category: {topic}, turns: ["{asked}"]}}\n'
        for number, (topic, asked) in enumerate(every[:30])
    ]
    (folder / "cases.yaml").write_text("".join(by_hand))
    with (folder / "desk.csv").open("w", newline="", encoding="utf8") as sheet:
        writer = csv.writer(sheet)
        writer.writerow(["Nr", "Frage", "Thema"])
        writer.writerows([f"csv-{number}", asked, topic] for number, (topic, asked) in enumerate(every[30:230]))
    tests = [
        {
            "description": f"pf {number}",
            "vars": {"question": asked},
            "metadata": {"category": topic},
            "assert": [{"type": "llm-rubric", "value": GRADED}],
        }
        for number, (topic, asked) in enumerate(every[230:])
    ]
    config = {"prompts": ["{{question}}"], "providers": ["file://shop.py"], "tests": tests}
    (folder / "promptfooconfig.yaml").write_text(json.dumps(config))


def label(sheet: Path, question: str, annotator: str) -> int:
    """Fill a sheet as a person would who slips once in fifty; return how many rows it has."""
    with sheet.open(newline="", encoding="utf-8-sig") as file:
        rows: Sequence[Mapping[str, str]] = list(csv.DictReader(file))
    luck = random.Random(annotator)
    filled = [
        {**row, "annotator": annotator, "outcome": _word(passes(question, row["response"]) != (luck.random() < 0.02))}
        for row in rows
    ]
    with sheet.open("w", encoding="utf8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(filled)
    return len(filled)


def _word(is_pass: bool) -> str:  # noqa: FBT001 - the word for it
    return "pass" if is_pass else "fail"
