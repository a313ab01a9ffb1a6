"""Cases: which cases fail tonight, since when, and what exactly was said of one of them?

Reads what the last night filed; writes nothing. The report shows the same cases, made by the same function.
"""

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import indent
from typing import Literal

from assay.errors import ConfigError
from assay.project import whose
from assay.project.params import read_params
from assay.project.results import read_gate
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.attachment import described
from assay.records.record import Record
from assay.records.verdict import Subject
from assay.report.cases import CUT, FAILING, CaseStory, CaseVerdict, Group, ReportedCase, story
from assay.report.gate import Word
from assay.report.texts import visible
from assay.stages.night import Night, gather
from assay.stages.publish import reported
from assay.stages.publish_settings import Settings

Wanted = Literal["all", "failing", "fixed", "unscored"]
WANTED: dict[Wanted, tuple[Group, ...]] = {
    "all": (*FAILING, "unscored", "fixed", "passed"),
    "failing": FAILING,
    "fixed": ("fixed",),
    "unscored": ("unscored",),
}
WORDS: dict[Group, str] = {
    "newly-failing": "newly failing",
    "failing": "failing",
    "standing": "standing",
    "unscored": "without an outcome",
    "fixed": "fixed",
    "passed": "passed",
}
WHOSE: dict[Subject, str] = {
    "target": "this run",
    "baseline": "the baseline",
    "pair": "this run (a) against the baseline (b)",
}
NEAR = 3
"""Names that are proposed in place of one that is not there."""
MAX_WHY = 120


class Cases(Record):
    """The cases of the last night that were asked for."""

    night: str
    verdict: Word
    planned: int
    cases: list[ReportedCase]
    two_runs: str = ""
    """Whose answers these are, where the verdict is another run's; else empty."""


def cases(wanted: Wanted = "all", category: str = "") -> Cases:
    """Return the cases of the last night, in the order of the report.

    Args:
        wanted: Which of them.
        category: Of this category alone; empty for all.

    Raises:
        ConfigError: No night is on file, or it has no case of this category.
    """
    of = night()
    everything = reported(of, read_params("publish", Settings))
    if category and category not in {case.category for case in everything}:
        raise _strange("category", category, sorted({case.category for case in everything}))
    chosen = [case for case in everything if case.group in WANTED[wanted] and category in ("", case.category)]
    chosen.sort(key=lambda case: WANTED[wanted].index(case.group))
    return Cases(
        night=of.provenance.epoch,
        verdict=read_gate().word,
        planned=len(everything),
        cases=chosen,
        two_runs=two_runs(),
    )


def two_runs() -> str:
    """Return whose answers are listed, where the verdict on file is another run's; else an empty text."""
    two = whose.two_runs()
    return two.sentence() if two else ""


def case(case_id: str) -> CaseStory:
    """Return all that the last night filed of one case.

    Raises:
        ConfigError: No night is on file, or it has no such case.
    """
    of = night()
    everything = reported(of, read_params("publish", Settings))
    chosen = next((one for one in everything if one.case_id == case_id), None)
    if chosen is None:
        raise _strange("case", case_id, [one.case_id for one in everything])
    return story(of.filed, chosen)


def night() -> Night:
    """Return what the last night filed.

    Raises:
        ConfigError: No night is on file.
    """
    missing = next((table.path for table in (RESPONSES, VERDICTS) if not table.exists()), "")
    if missing:
        raise ConfigError(
            f"{missing} is missing, expected the results of a night: run `assay nightly`, or `dvc pull` in a clone"
        )
    return gather()


def _strange(noun: str, name: str, known: Sequence[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=NEAR)
    proposal = f"did you mean {' or '.join(near)}?" if near else "`assay cases` lists what there is"
    return ConfigError(
        f"{noun} {_line(name, 80)!r} is not in the evaluation set, expected the name of one that is: {proposal}"
    )


def lines(found: Cases) -> Iterator[str]:
    """Yield the cases as a person reads them in a terminal, then how many there are of each group."""
    for one in found.cases:
        since = f" {one.since.words}" if one.since else ""
        cut = ", cut at the token limit" if one.cut else ""
        why = f": {_line('; '.join(one.why), MAX_WHY)}" if one.why else ""
        yield f"{one.case_id} [{one.category}, {one.severity}] {WORDS[one.group]}{since}{cut}{why}"
    count = Counter(one.group for one in found.cases)
    parts = ", ".join(f"{count[group]} {words}" for group, words in WORDS.items() if count[group])
    listed = f"{len(found.cases)} of {found.planned} cases{f': {parts}' if parts else ''}"
    if found.two_runs:
        yield f"Night {found.night}: {listed}. The verdict is none of these: {found.two_runs}."
    else:
        yield f"Night {found.night} ({found.verdict}): {listed}."


def story_lines(found: CaseStory) -> Iterator[str]:
    """Yield all that was filed of one case as a person reads it in a terminal."""
    one = found.case
    since = f" {one.since.words}" if one.since else ""
    yield f"{one.case_id} [{one.category}, {one.layer}, {one.severity}]"
    yield f"Night {found.night}: {WORDS[one.group]}{since}."
    yield from _asked(found)
    yield from _answered(found, "target", "This run")
    yield from _answered(found, "baseline", "The baseline")
    yield "Verdicts:" if found.verdicts else "No verdict is on file."
    yield from (_verdict(verdict) for verdict in found.verdicts)
    if not found.verdicts:
        yield from (f"  {_line(reason)}" for reason in one.why)


def _asked(found: CaseStory) -> Iterator[str]:
    for number, turn in enumerate(found.case.turns, 1):
        yield from _block("The user said" + (f", turn {number}" if len(found.case.turns) > 1 else ""), turn)
    for one in described(found.case.attachments):
        yield from _block("Attached", one)
    for name, value in found.case.inputs.items():
        yield from _block(f"Given with it: {_line(name)}", value)
    for document in found.case.contexts:
        yield from _block("Document given", document)
    if found.case.reference:
        yield from _block("A good answer", found.case.reference)
    for answer in found.case.references:
        yield from _block("Or, just as right", answer)
    for expectation in found.expectations:
        values = [*expectation.values, *(f"{call.name} {call.arguments}" for call in expectation.calls)]
        exactly = ", exact" if expectation.exact else ""
        yield from _block(f"Expected by {_line(expectation.check)}{exactly}", "\n".join(values))
    for judge, text in found.rubric.items():
        yield from _block(f"Expected by the judge {_line(judge)}", text)
    for judge, number in found.thresholds.items():
        yield f"Passes from {number} on by the judge {_line(judge)}."


def _answered(found: CaseStory, version: str, name: str) -> Iterator[str]:
    answers = [answer for answer in found.answers if answer.version == version]
    if not answers:
        yield f"{name} has no answer on file."
    for answer in answers:
        trial = f", trial {answer.trial + 1}" if len(answers) > 1 else ""
        if answer.status == "error":
            yield from _block(f"{name} gave no answer{trial}", answer.error)
            continue
        cut = " (cut at the token limit)" if answer.finish_reason == CUT else ""
        yield from _block(f"{name} answered{trial}{cut}", answer.text)
        if len(answer.messages) > len(found.case.turns) + 1:
            talk = "\n".join(f"{message.role}: {message.content}" for message in answer.messages)
            yield from _block(f"Its conversation{trial}", talk)
        if answer.tool_calls:
            calls = "\n".join(f"{call.name} {call.arguments}" for call in answer.tool_calls)
            yield from _block(f"{name} called{trial}", calls)


def _verdict(verdict: CaseVerdict) -> str:
    fault = f" ({verdict.fault})" if verdict.fault else ""
    score = "" if verdict.score is None else f", score {verdict.score:.3f}"
    votes = f", votes {' '.join(verdict.votes)}" if verdict.votes else ""
    detail = f": {_line(verdict.detail)}" if verdict.detail else ""
    about = f"{_line(verdict.scorer)} of {WHOSE[verdict.subject]}, trial {verdict.trial + 1}"
    label = f" ({_line(verdict.label)})" if verdict.label else ""
    why = f"; why: {_line(verdict.rationale)}" if verdict.rationale else ""
    return f"  {about}: {verdict.outcome}{label}{fault}{score}{votes}{detail}{why}"


def _block(heading: str, text: str) -> Iterator[str]:
    """Yield a text under its heading, indented, so that none of its lines can look like one of ours."""
    yield f"{heading}:"
    shown = str(visible(text)).expandtabs()
    yield indent(shown, "  ", lambda _: True) if shown.strip() else "  (nothing)"


def _line(text: str, limit: int | None = None) -> str:
    """Return a hostile text as one harmless line, cut to `limit` characters."""
    line = " ".join(str(visible(text)).split())
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1]}…"


def as_json(record: Record) -> str:
    """Return a record as JSON in ASCII without any control character, so that no terminal acts upon a text in it."""
    return json.dumps(record.model_dump(mode="json"))
