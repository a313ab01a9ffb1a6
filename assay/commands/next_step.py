"""Next: what is missing for a verdict that the gate can stand by, and the one command that brings it?

Reads what is on file; writes nothing, asks nobody.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from math import ceil
from typing import Any, NamedTuple

from assay.calibration.certificate import Certificate, standing
from assay.calibration.policy import PairwisePolicy, PassFailPolicy
from assay.calibration.split import TUNE
from assay.commands import label_sampling, labels, status
from assay.errors import InsufficientDataError
from assay.judges import prompt
from assay.judges.prompt import JudgePrompt
from assay.project import files
from assay.project.certificates import read_certificates
from assay.project.params import read_params
from assay.project.results import GATE, read_gate
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import labelling
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case
from assay.records.label import Labelling
from assay.records.record import digest
from assay.records.verdict import IDENTICAL, Verdict
from assay.report.gate import Gate
from assay.stages import batches, calibrate
from assay.stats import annotators
from assay.stats.rates import wilson

EXPECTED = 0.92
"""The rate that a judge is taken to have before anybody knows it, when labels are counted that a floor needs."""
MARGIN = 0.04
"""A floor that lies closer below the expected rate would need more labels than people give; then this is taken."""
MOST = 2_000
NIGHT = "assay nightly"


class Step(NamedTuple):
    """One thing that is missing."""

    what: str
    command: str

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return self._asdict()


class Labels(NamedTuple):
    """What of a judge's labels is there, and what its floors need, on held-out items."""

    there: int
    rarer: int
    rarer_word: str
    needed: int
    needed_rarer: int
    waiting: int
    """Drawn answers without a label."""


def steps(now: datetime) -> list[Step]:
    """Return everything that is missing, in the order in which it is to be brought; nothing for a gated verdict."""
    found = list(_steps(now))
    if not found and (gate := read_gate()).word != "pass":
        found.append(Step(f"the last verdict is {gate.word}: {gate.reason}", gate.next))
    return found


def _steps(now: datetime) -> Iterator[Step]:
    cases = CASES.read(may_be_absent=True)
    new = {"new": status.decided(cases)["new"]}
    yield from (decided := [Step(line, "assay grow") for line in status.taken_in(new)])
    if not cases:
        if not decided:
            yield Step("the evaluation set has no case", "assay import cases.yaml --reviewer NAME")
        return
    if not RESPONSES.exists() or not VERDICTS.exists():
        yield Step(f"the product has not been asked about its {len(cases)} cases", NIGHT)
        return
    gate = read_gate() if files.exists(GATE) else None
    if gate is None:
        yield Step("no verdict is on file", NIGHT)
    elif changed := list(_unanswered(cases)):
        yield from changed
    elif gate.word == "incomplete":
        yield Step(f"the last night is not whole: {gate.reason}", gate.next)
    if not BASELINE.exists():
        yield Step("there is no accepted version to compare with: read the report, then accept it", "assay accept")
    yield from (lacking := list(_judges(now, is_open=gate is not None and gate.word == "inconclusive")))
    yield from _uncovered({step.command.partition(" --labels")[0] for step in lacking})
    yield from _of_verdict(gate, is_judged=not lacking) if gate else ()
    if there := batches.opened():
        yield Step(f"people may decide on candidates ({batches.progress(there)})", "assay desk")


def _unanswered(cases: Sequence[Case]) -> Iterator[Step]:
    """Yield that the set was changed since the product was asked, where it was."""
    known = {row.case_id for row in RESPONSES.stream()}
    there = {case.case_id for case in cases}
    counts = {"new": len(there - known), "gone": len(known - there)}
    if said := " and ".join(f"{count} {what}" for what, count in counts.items() if count):
        yield Step(f"the evaluation set was changed since the product was asked: {said}", NIGHT)


def _of_verdict(gate: Gate, *, is_judged: bool) -> Iterator[Step]:
    """Yield what the last verdict asks for; `is_judged` where no judge lacks anything."""
    if gate.word in ("pass", "incomplete"):
        return
    if gate.word in ("uncalibrated", "judge-changed"):
        if is_judged:
            yield Step(f"the last verdict is {gate.word} ({gate.reason}), and nothing of that is missing now", NIGHT)
    elif BASELINE.exists() and _is_accepted(gate.run):
        yield Step("the answers that the last verdict is of are accepted since", NIGHT)
    else:
        yield Step(f"the last verdict is {gate.word}: {gate.reason}", gate.next)


def _is_accepted(run: str) -> bool:
    """Tell whether a run's answers are the baseline."""
    return bool(run) and any(row.run == run for row in BASELINE.stream())


def _judges(now: datetime, *, is_open: bool) -> Iterator[Step]:
    """Yield what each judge lacks that the gate waits for; `is_open` where the last verdict did not pass."""
    settings, everything, held = read_params("calibrate", calibrate.Settings), labelling(), read_certificates()
    verdicts = [row for row in VERDICTS.stream() if row.status == "ok"]
    for judge in prompt.load_all():
        spoke = [row for row in verdicts if row.scorer == judge.name and row.subject != "anchor"]
        if not (judge.declared.blocks and judge.declared.scope == "cases" and spoke):
            continue
        fingerprints = {row.fingerprint for row in spoke if row.fingerprint != IDENTICAL}
        certificate = held.get(judge.name)
        worth = standing(certificate, "+".join(sorted(fingerprints)), judge.version, now)
        about = everything.of(judge.name)
        is_newer = certificate is not None and certificate.labels != digest([*about.items, *about.labels])
        if worth == "valid":
            if is_newer and is_open:
                yield Step(f"{judge.name}: labels came in since its certificate", _calibrate(judge.name))
            continue
        counts = counted(about, spoke, calibrate.policy(settings, judge))
        yield _of_judge(judge, certificate, worth, counts, is_newer=is_newer)


def _uncovered(told: Collection[str]) -> Iterator[Step]:
    """Yield which judges' labels cover tonight's answers no more; `told` are the commands that are named already."""
    for found in labels.uncovered():
        name = found.judge.name
        command = f"assay labels draw --judge {name}"
        if command not in told:
            what = (
                f"{name}: {found.without} of the {found.judged} answers that it judged tonight had no chance of being "
                "labelled, as after a change of the product: its corrected pass rate is carried over from others"
            )
            yield Step(f"{what}; draw again", command)


def _of_judge(
    judge: JudgePrompt, certificate: Certificate | None, worth: str, labels: Labels, *, is_newer: bool
) -> Step:
    """Return what one judge lacks; `is_newer` where its labels are not those that its certificate rests on."""
    name = judge.name
    missing = max(labels.needed - labels.there, ceil((labels.needed_rarer - labels.rarer) / _share(labels)))
    if worth in ("expired", "judge-changed") and labels.there >= labels.needed:
        why = "has expired" if worth == "expired" else "is of the judge as it was before"
        return Step(f"{name}: its certificate {why}, and its labels suffice for a new one", _calibrate(name))
    have = (
        f"{name}: {labels.there} of about {labels.needed} held-out labels that its floors need, {labels.rarer} of "
        f"{labels.needed_rarer} {labels.rarer_word}"
    )
    if labels.waiting:
        return Step(f"{have}; {labels.waiting} drawn items wait for people", "assay desk")
    if worth == "failed" and is_newer:
        return Step(f"{have}; labels came in since its certificate was refused", _calibrate(name))
    if missing > 0:
        return _to_draw(judge, have, ceil(missing / (1 - TUNE)))
    if worth == "failed" and certificate:
        missed = ", ".join(f"{floor.figure} ({floor.found})" for floor in certificate.floors if not floor.met)
        what = f"{name}: its labels suffice, and it misses {missed}: improve its rubric or model in a folder beside it"
        return Step(what, f"assay judges compare {name} OTHER")
    return Step(f"{have}: they suffice for a certificate", _calibrate(name))


def _to_draw(judge: JudgePrompt, have: str, more: int) -> Step:
    """Return how to have so many more items labelled: all that are left of tonight's, where there are fewer."""
    name = judge.name
    try:
        plan = label_sampling.plan(judge, labels=2)
    except InsufficientDataError as nothing:
        return Step(f"{have}; {nothing}", "assay nightly")
    drawn, judged = sum(plan.drawn.values()), sum(plan.judged.values())
    if judged <= drawn:
        what = (
            f"{have}; all {judged} that it judged tonight are drawn, which cannot do: bring more cases that it judges, "
            f"or let {prompt.JUDGES_FOLDER}/{name}/{prompt.DECLARATION} ask less (`policy: pilot`) or block nothing "
            "(`blocks: false`)"
        )
        return Step(what, "assay import FILE --reviewer NAME")
    wanted = min(drawn + more, judged)
    left = f"draw about {more} more" if wanted < judged else f"draw all {judged} that it judged tonight"
    left += "" if drawn + more <= judged else " (they will hardly do: more cases would)"
    return Step(f"{have}; {left}", f"assay labels draw --judge {name} --labels {wanted}")


def _calibrate(name: str) -> str:
    return f"assay calibrate --judge {name}"


def _share(labels: Labels) -> float:
    """Return how large a part of new labels will be of the rarer outcome: as so far, a fifth before there are any."""
    return max(labels.rarer / labels.there, 0.1) if labels.there else 0.2


def counted(about: Labelling, spoke: Sequence[Verdict], policy: PassFailPolicy | PairwisePolicy) -> Labels:
    """Return what of a judge's labels is there, and how many its floors need.

    Args:
        about: What was drawn and labelled for its question.
        spoke: Its verdicts.
        policy: What is demanded of it.
    """
    heldout = [row for row in about.labels if row.split == "heldout" and row.inclusion_probability is not None]
    outcomes = annotators.majority(heldout).outcomes if heldout else {}
    count = Counter(map(str, outcomes.values()))
    labelled_ = {row.item_id for row in about.labels}
    waiting = sum(row.item_id not in labelled_ for row in about.draws)
    if isinstance(policy, PairwisePolicy):
        needed = max(policy.min_labels, least(policy.accuracy, EXPECTED))
        return Labels(len(outcomes), len(outcomes), "pairs", needed, 0, waiting)
    own = Counter(str(row.outcome) for row in spoke if row.subject == "target")
    word = min(("pass", "fail"), key=lambda outcome: (count[outcome] if outcomes else own[outcome], outcome))
    rates = {"pass": policy.tpr, "fail": policy.tnr}
    floors = {outcome: max(least(rate, EXPECTED), policy.min_rarer) for outcome, rate in rates.items()}
    needed = max(policy.min_labels, sum(floors.values()))
    return Labels(len(outcomes), count[word], f"{word}s" if word == "fail" else "passes", needed, floors[word], waiting)


def least(floor: float, expected: float) -> int:
    """Return how many labels the lower bound of a rate needs to reach a floor, if the rate is what is expected.

    Source:
        Wilson (1927); the interval that certificates hold their floors against.
    """
    rate = max(expected, min(1.0, floor + MARGIN))
    for n in range(5, MOST):
        if wilson(round(rate * n), n).low >= floor:
            return n
    return MOST


def lines(found: Sequence[Step]) -> list[str]:
    """Return what is missing as a person reads it, the next thing first."""
    if not found:
        return ["Nothing is missing: the last verdict passed the gate. `assay release` freezes the set."]
    first, *more = found
    rows = [f"{first.what}.", f"Next: {first.command}"]
    return rows + ([f"Then: {step.what} ({step.command})" for step in more] if more else [])
