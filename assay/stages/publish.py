"""Publish: is tonight's product worse than what was accepted, and how sure is that?

Reads the evaluation set, responses, baseline, verdicts, labels, certificates and signals, and what the journal's ledger
says of the calls; writes one report, the gate's word, the metrics and tonight's row of the history. Asks nobody.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

import numpy as np

from assay.calibration import certificate
from assay.evalset import health
from assay.judges import prompt
from assay.judges.prompt import JUDGES_FOLDER
from assay.project import answers, archive, failures, files, last_run, results
from assay.project.archive_pruning import prune
from assay.project.certificates import CALIBRATION
from assay.project.params import read_params
from assay.project.release_notes import RELEASES, read_notes
from assay.project.results import GATE, METRICS, REPORT, SLICES
from assay.project.run_id import ENTROPY, run_id
from assay.project.tables.evalset import CASES
from assay.project.tables.history import HISTORY
from assay.project.tables.responses import RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.project.taxonomy import TAXONOMY
from assay.records.history import CaseNight
from assay.records.parts import PARTS
from assay.records.run import Answers
from assay.records.verdict import IDENTICAL
from assay.report import cases, content, correction, costs, findings, gate, joint, judged, metrics, trend, wording
from assay.report.cases import ReportedCase
from assay.report.category_rates import CategoryRates, both_rates
from assay.report.joint import Joint
from assay.report.page import render
from assay.report.trials import steadiness
from assay.report.watch import USUAL, unheard, watched
from assay.stages import gating
from assay.stages.declaration import Output, Stage
from assay.stages.night import Night, gather
from assay.stages.publish_settings import Settings

PLOT = {"x": "change", "y": "category", "title": "Change of the pass rate by category"}


STAGE = Stage(
    name="publish",
    doc=__doc__ or "",
    settings=Settings,
    reads=(
        *(TAXONOMY, JUDGES_FOLDER, CASES.path, RESPONSES.path, "data/baseline", VERDICTS.path),
        *("data/labels", CALIBRATION, SIGNALS.path, RELEASES),
    ),
    writes=(
        Output(path=REPORT),
        Output(path=GATE, in_git=True),
        Output(path=HISTORY.path, in_git=True, persist=True),
        Output(path=METRICS, in_git=True, kind="metrics"),
        Output(path=SLICES, in_git=True, kind="plots", plot=PLOT),
    ),
)

SEVERAL = 2
"""Judges behind the cases, from which on people's word on one of them is not their word on the case."""


class Summary(NamedTuple):
    """Two small tables for a control room."""

    newly_failing: list[dict[str, str]]
    """With the failing cases that have nothing to be compared with: before the first baseline, all of them."""
    coverage: list[dict[str, str]]
    """Where the planned cases went, then what each stage used; every row has the same columns."""
    failures: Sequence[str] = ()
    """Parts of the run that failed, one sentence each."""


def judges(night: Night, now: datetime) -> list[content.Judge]:
    """Return each judge that was asked tonight, with what its certificate is worth.

    One certificate holds for one fingerprint, so every verdict that a judge gave tonight must bear it: verdicts of two
    judges under one name are those of a changed judge. A call that failed says nothing of who would have answered. A
    judge that has begun to say something else of the anchors is a changed judge too, whatever its fingerprint; where
    nobody could look, it may be one.
    """
    unrecorded = [failure for failure in night.elsewhere if failure.part == PARTS["anchors"]]
    found, of_cases = [], [judge for judge in night.judges if judge.declared.scope == "cases"]
    for judge in of_cases:
        name = judge.name
        rows = [verdict for verdict in night.verdicts if verdict.scorer == name]
        said = {row.fingerprint for row in rows if row.status != "error" and row.fingerprint != IDENTICAL}
        held = night.certificates.get(name)
        silent = held.fingerprint if held else ""
        worth = certificate.standing(held, "+".join(sorted(said)) or silent, judge.version, now)
        over, known = f"the watch over {name}", len(night.guard.failures)
        flips = {figure.name: figure.high for figure in held.figures}.get("flips") if held else None
        look = partial(watched, night.anchors, name, judges=len(of_cases), usual=USUAL if flips is None else flips)
        watch = night.guard.optional(over, look, None) if held else None
        lost = "; ".join([*map(str, [*night.guard.failures[known:], *unrecorded]), *unheard(name, rows)])
        if worth == "valid" and watch and watch.state == "judge":
            worth = "judge-changed"
        elif worth == "valid" and lost:
            worth = "unwatched"
        if rows or night.unasked(judge):
            about = {"question": judge.declared.question, "blocks": judge.declared.blocks, "version": judge.version}
            note = {"description": judge.declared.description, "note": night.refusals.get(name, "")}
            known_of = {"certificate": held, "watch": watch, "watch_note": lost, "unasked": night.unasked(judge)}
            spoke = any(row.subject != "anchor" for row in rows)
            found.append(content.Judge(name=name, standing=worth, spoke=spoke, **about, **note, **known_of))
    return found


def told(night: Night, settings: Settings, trusted: Sequence[content.Judge]) -> list[content.Judge]:
    """Return the judges with what each of them says of tonight."""
    part, rng = night.part, np.random.default_rng(settings.seed)
    found = []
    for judge in trusted:
        name, about = judge.name, night.labelling.of(judge.name)
        if judge.question == "pairwise":
            numbers: dict[str, object] = {
                "pairs": part("pairs", partial(findings.preference, name, night.verdicts), None),
                "controlled": part(
                    "controlled",
                    partial(judged.at_equal_lengths, name, night.verdicts, night.responses, night.baseline),
                    None,
                ),
            }
        else:
            asked = prompt.load(name)
            correct = partial(correction.corrected, asked, night.verdicts, night.responses, about, night.cases)
            changed = partial(judged.change, asked, night.verdicts, night.responses, night.baseline, about, night.cases)
            numbers = {
                "corrected": part("corrected", partial(correct, rng=rng, draws=settings.draws), None),
                "change": part("change", changed, None),
                "said": judged.scale(name, night.verdicts),
            }
        found.append(judge.model_copy(update=numbers))
    return found


def jointly(night: Night, settings: Settings, informed: Sequence[content.Judge]) -> Joint | None:
    """Return what people say of whole cases; None where no case rests on several judges."""
    behind = {judge.name for judge in content.behind(informed)}
    if len(behind) < SEVERAL:
        return None
    facts = joint.Facts(
        cases=night.cases,
        judges=[judge for judge in night.judges if judge.name in behind],
        verdicts=night.verdicts,
        labelling=night.labelling,
        excepted=night.excepted,
    )
    rng = np.random.default_rng(settings.seed)
    return joint.joint(facts, night.responses, night.baseline, rng=rng, draws=settings.draws)


def reported(night: Night, settings: Settings) -> list[ReportedCase]:
    """Return every case of the night, those of categories that got worse first."""
    compared = gating.comparisons(night, settings, [], None)
    basis = compared.everything or compared.checks
    return cases.reported(night.filed, basis.worse if basis else [])


def report(night: Night, settings: Settings, now: datetime) -> content.Report:
    """Compose everything that the page and the metrics say."""
    part, nobody = night.part, list[content.Judge]()
    trusted = part("judges", lambda: judges(night, now), nobody)
    row = part("history", lambda: gating.remembered(night, trusted, answers_of(night)), None)
    compared = gating.comparisons(night, settings, trusted, row)
    everything, checks = compared.everything, compared.checks
    target, by_checks = night.outcomes["target", False], night.outcomes["target", True]
    informed = part("judges", lambda: told(night, settings, trusted), trusted)
    together = part("joint", lambda: jointly(night, settings, informed), None)
    word = gating.verdict(night, settings, informed, compared._replace(joint=together))

    def listed(field: str, group: cases.Group) -> list[ReportedCase]:
        basis = everything or checks
        worse = basis.worse if basis else []
        return part(field, lambda: cases.reported(night.filed, worse, (group,)), list[ReportedCase]())

    remembered = row.model_copy(update={"worse": word.worse}) if row else None
    return content.Report(
        produced=now,
        gate=word.gate,
        grounds=word.grounds,
        provenance=night.provenance,
        target=findings.account(target),
        baseline=findings.account(night.outcomes["baseline", False]) if night.baseline else None,
        everything=everything,
        checks=checks,
        rates=part("rates", lambda: both_rates(night.cases, target, by_checks), list[CategoryRates]()),
        trend=part("trend", lambda: nights_until(night, remembered), list[trend.Point]()),
        steadiness=part(
            "steadiness",
            lambda: steadiness(night.cases, night.responses, night.verdicts, night.judges, night.excepted),
            None,
        ),
        judges=informed,
        joint=together,
        signals=night.signals,
        spent=part("spent", lambda: costs.spending(night.ledger), list[costs.Spending]()),
        answers=part("answers", lambda: costs.answers(night.responses), None),
        newly_failing=listed("newly_failing", "newly-failing"),
        failing=listed("failing", "failing"),
        standing=listed("standing", "standing"),
        unscored=listed("unscored", "unscored"),
        fixed=listed("fixed", "fixed"),
        failures=night.failures,
        row=remembered,
    )


def nights_until(night: Night, tonight: CaseNight | None) -> list[trend.Point]:
    """Return the nights until tonight; none where the history, or what comes of tonight, is not known."""
    if night.history is None or tonight is None:
        return []
    made = {note["release"]: datetime.fromisoformat(note["released"]) for note in read_notes()}
    places = {name: (at.date().isoformat(), run_id(at, bytes(ENTROPY))) for name, at in made.items()}
    return trend.trend(night.history, tonight, places)


def summary(found: content.Report) -> Summary:
    """Return the report's tables without anything that a model or a user wrote."""
    failing = [
        {"case": case.case_id, "category": case.category, "severity": case.severity}
        for case in [*found.newly_failing, *found.failing]
    ]
    return Summary(failing, wording.coverage(found.target, found.spent))


def file_results(night: Night, found: content.Report) -> None:
    """Write the metrics, the plot and tonight's row of the history, each for itself; DVC expects all three files."""
    only_columns = ",".join(metrics.COLUMNS) + "\n"

    figures = night.part("metrics", lambda: files.json_bytes(metrics.metrics(found)), None)
    files.write_bytes(METRICS, figures or files.json_bytes({"verdict": found.gate.word}))
    files.write_bytes(SLICES, night.part("slices", lambda: metrics.slices_csv(found), only_columns).encode())
    if night.history is not None and found.row is not None:
        history, row = night.history, found.row
        night.part("history", lambda: HISTORY.write(health.recorded(history, row)), None)
    if not HISTORY.exists():
        HISTORY.write([])


def answers_of(night: Night) -> Answers:
    """Return whence the answers of a run come: as its stage noted it, or in a clone as far as the table tells."""
    last = last_run.read()
    noted = last.answers if last and last.run == night.run else None
    return noted or answers.counted(night.run, night.responses)


def archived(night: Night, found: content.Report, whence: Answers, keep: int, now: datetime) -> None:
    """Archive the run under its id, if it has one, and give up the files of old ones; the verdict rests on neither.

    Where its files cannot be archived it has its record all the same, which says why.
    """
    known, run = len(night.guard.failures), found.gate.run

    def archive_run() -> None:
        record = archive.describe(found, whence)
        if keep:
            archive.keep(record)
        else:
            archive.note(record)

    if run:
        night.part("archive", archive_run, None)
        if why := "; ".join(failure.note for failure in night.guard.failures[known:]):
            night.part("record", lambda: archive.note_lost(archive.describe(found, whence), why), None)
        night.part("pruning", lambda: prune(keep, run, now), None)
    if len(night.guard.failures) > known:
        with suppress(OSError):  # the disk may be full; the message of the run names the failure all the same
            failures.keep("publish", night.guard)


def run(now: datetime) -> tuple[gate.Gate, Summary]:
    """Write the report, the gate's word and the metrics; return the gate and what a control room shows."""
    night, settings = gather(), read_params("publish", Settings)
    found = report(night, settings, now)
    file_results(night, found)
    whence = answers_of(night)
    of_run = found.gate.model_copy(update=dict(results.times(night.run, archive.known(night.run))))
    if night.run:
        of_run = of_run.model_copy(update={"answers": answers.sentence(night.run, whence)})
    found = found.model_copy(update={"gate": of_run, "failures": night.failures})
    files.write_bytes(REPORT, render(found, night.guard).encode())
    failures.keep("publish", night.guard)
    files.write_json(GATE, found.gate.model_dump(mode="json"))
    archived(night, found, whence, settings.keep, now)
    return found.gate, summary(found)._replace(failures=[str(failure) for failure in night.failures])
