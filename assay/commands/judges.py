"""Judges: which are there, what is each asked and worth, and what does a new one begin with?

Reads the judges' folders, the evaluation set, labels and certificates; writes the folder of a new judge. Asks nobody.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from assay.calibration.certificate import standing
from assay.calibration.policy import preset
from assay.errors import ConfigError
from assay.interchange.sets.builder import RUBRIC_JUDGE
from assay.judges import prompt, questions
from assay.judges.declaration import SCHEMA, Question
from assay.judges.prompt import JudgePrompt
from assay.project import files
from assay.project.certificates import read_certificates
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import labelling
from assay.project.tables.responses import RESPONSES
from assay.records.record import Name
from assay.stages import calibrate, judge_clients
from assay.text import counted

PLACE = """# {name}

Say in a few lines what passes and what does not; people who label read the same text.

The response passes when all of these hold:

1. ...
2. ...
"""
OF_CASE = """# Rubric

Each case says itself what a good response does: its own rubric, which stands beside the response.

The response passes when it does all that the case's rubric asks for. It fails when one thing of it is missing or not
so, however good the response is otherwise. What the rubric does not mention decides nothing.
"""
SCALES: dict[str, str] = {
    "pass-fail": "",
    "labels": "labels: [good, fair, poor]\npassing_labels: [good, fair]\n",
    "score": "range: [1, 5]\npass_threshold: 4\n",
    "pairwise": "",
}
TEMPLATE = """# yaml-language-server: $schema=../{schema}
# What the judge is asked; rubric.md is what it goes by. Every field is in docs/judges.md.
description: ""                # one line: what does it look at?
question: {question}
# Also: reference, contexts, tool_calls, conversation, final_state, rubric (the case's own), metadata.<key>, inputs
# (the case's named values) or one of them as inputs.<name>, attachments (its images, PDF and audio).
{scale}input: [{input}]
{requires}  # it is not asked where this is missing, and the cases are counted
# applies_to: {{category: [refunds]}}
# model: {{hosted: gpt-4.1, base_url: http://127.0.0.1:9000/v1, api_key_env: OTHER_API_KEY}}
# policy: pilot                # strict, default or pilot, or single demands
{decides}"""


DECIDES: dict[str, str] = {
    "pairwise": "blocks: false                  # until people have labelled pairs\n",
    "score": "# blocks: false                # it is charted, and a case passes without it\n"
    "# A case may pass from another score on: `thresholds: {{{name}: 5}}` in the case.\n",
}
"""By question what is said of whether a judge decides; of any other one that it may be told not to."""
CHARTED = "# blocks: false                # it is charted, and a case passes without it\n"


class Listed(NamedTuple):
    """A judge as it is listed."""

    judge: JudgePrompt
    model: str
    applies: int
    """Cases that it applies to."""
    lacking: int
    """Of these, how many lack what it requires, as far as tonight's answers tell."""
    labels: int
    heldout: int
    standing: str
    """What its certificate is worth, by the judge that issued it."""
    policy: str

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        declared = self.judge.declared
        about = {"name": self.judge.name, "version": self.judge.version, "description": declared.description}
        asked = {"question": declared.question, "scope": declared.scope, "blocks": declared.blocks, "model": self.model}
        return about | asked | {name: getattr(self, name) for name in self._fields if name not in ("judge", "model")}


def listed(now: datetime) -> list[Listed]:
    """Return the judges of the project.

    Raises:
        ConfigError: One of them is not what it has to be.
    """
    settings, common = read_params("calibrate", calibrate.Settings), read_params("judge", judge_clients.Settings)
    calibrate.require_policies(settings)
    cases, everything, held = CASES.read(may_be_absent=True), labelling(), read_certificates()
    answers = {row.case_id: row for row in RESPONSES.stream(may_be_absent=True) if row.status == "ok"}
    found = []
    for judge in prompt.load_all():
        mine, declared = everything.of(judge.name), judge.declared
        fitting = [case for case in cases if declared.applies_to.fits(case)] if declared.scope == "cases" else []
        lacking = questions.unasked(judge, fitting, answers)
        certificate = held.get(judge.name)
        # Nobody has judged here: the version tells whether it is still the judge that was certified.
        by = certificate.fingerprint if certificate and certificate.is_of(judge.version) else ""
        worth = standing(certificate, by, judge.version, now)
        model = " and ".join(
            judge_clients.model_name(common, one, os.environ) for one in judge_clients.models(common, judge)
        )
        labelled = {row.item_id for row in mine.labels}
        heldout = len({row.item_id for row in mine.labels if row.split == "heldout"})
        said = "no certificate" if worth == "none" else worth
        demanded = preset(declared, settings.policy.get(judge.name, {}))
        found.append(Listed(judge, model, len(fitting), lacking, len(labelled), heldout, said, demanded))
    return found


def lines(found: Sequence[Listed]) -> list[str]:
    """Return judges as a table for a terminal, one line each."""
    if not found:
        return ["There is no judge yet: `assay judges new NAME` makes one."]
    rows: list[tuple[str, ...]] = [
        ("judge", "question", "asked of", "model", "labelled items (held out)", "worth", "decides")
    ]
    for one in found:
        declared = one.judge.declared
        lack = f", {counted(one.lacking, 'lacks', 'lack')} what it requires" if one.lacking else ""
        of = counted(one.applies, "case") + lack
        rows.append(
            (
                one.judge.version,
                declared.question,
                of if declared.scope == "cases" else "a sample of production",
                one.model,
                f"{one.labels} ({one.heldout})",
                one.standing + ("" if one.policy == "default" else f" (policy {one.policy})"),
                "yes" if declared.blocks and declared.scope == "cases" else "no, charted",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def new(name: str, question: Question | str, rubric: str, requires: Sequence[str] = ()) -> list[str]:
    """Write the folder of a new judge; return what to do next.

    Args:
        name: Of the judge and its folder.
        question: What kind of verdict it gives.
        rubric: What it goes by; empty to be filled in.
        requires: Inputs beside question and response that it is not asked without.

    Raises:
        ConfigError: The name is none, or is taken.
    """
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise ConfigError(
            f"{name[:80]!r} is no name of a judge, expected small letters, digits, dots, dashes: choose another"
        ) from error
    folder = f"{prompt.JUDGES_FOLDER}/{name}"
    if (files.root() / folder).exists():
        raise ConfigError(f"{folder} exists already, expected a new name: edit it, or choose another name")
    text = TEMPLATE.format(
        schema=SCHEMA,
        question=question,
        scale=SCALES[question],
        decides=DECIDES.get(question, CHARTED).format(name=name),
        input=", ".join(["question", "response", *requires]),
        requires=f"requires: [{', '.join(requires)}]" if requires else "# requires: [reference]      ",
    )
    files.write_bytes(
        f"{folder}/{prompt.RUBRIC}", (rubric.strip() + "\n" if rubric else PLACE.format(name=name)).encode()
    )
    files.write_bytes(f"{folder}/{prompt.DECLARATION}", text.encode())
    judge = prompt.load(name)
    fill = [] if rubric else [f"Fill in {folder}/{prompt.RUBRIC}: what passes, and what does not."]
    return [
        f"{folder} is written: {judge.declared.question} judge {name}.",
        *fill,
        f"Then: `assay judges try {name} --item FILE`, `assay nightly`, `assay labels draw --judge {name}`.",
    ]


def make_rubric_judge() -> str:
    """Write the folder of the judge that goes by each case's own rubric; return a sentence that says so."""
    new(RUBRIC_JUDGE, "pass-fail", OF_CASE, ("rubric",))
    return (
        f"{prompt.JUDGES_FOLDER}/{RUBRIC_JUDGE} is written: a judge that goes by each case's own rubric. It asks a "
        "hosted model (OPENAI_API_KEY, or `model` of its judge.yaml): the embedded one reads no rubric, so that a "
        "night without a key is INCOMPLETE. Its verdicts are UNCALIBRATED until people have labelled: "
        f"`assay labels draw --judge {RUBRIC_JUDGE}` after a night"
    )


def shown(name: str) -> dict[str, Any]:
    """Return a judge as it is asked, as JSON values."""
    judge = prompt.load(name)
    messages = judge.render(**{text: f"({text})" for text in judge.texts})
    declared = judge.declared.model_dump(mode="json", exclude_defaults=True)
    return {"name": name, "version": judge.version, "declared": declared, "messages": messages}


def shown_lines(found: dict[str, Any]) -> list[str]:
    """Return a judge as a person reads it."""
    rows = [f"{found['version']}"]
    rows += [f"  {name}: {value}" for name, value in found["declared"].items()]
    for message in found["messages"]:
        rows += ["", f"--- {message['role']}", *message["content"].splitlines()]
    return rows
