"""The gate's word on one night: its comparisons, what its judges' word rests on, and its row of the history."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from assay.errors import InsufficientDataError
from assay.judges import prompt
from assay.records.history import CaseNight
from assay.records.parts import ESSENTIAL, PARTS
from assay.records.run import Answers
from assay.report import comparison, content, findings, gate, judged, nights, transfer, wording
from assay.report.comparison import Comparison, Look
from assay.report.grounds import Grounds
from assay.report.joint import Joint
from assay.report.watch import UNHEARD
from assay.stages.night import Night
from assay.stages.publish_settings import Settings

LOST = ("wire", "judge")
TOLD_APART = {("fail", "pass"), ("pass", "fail")}
"""Outcomes with the target and with the baseline."""
TRANSFERS = ("pass", "regression", "inconclusive")
"""Words that rest on what a judge's word is worth on a new version."""


class Compared(NamedTuple):
    """Target against baseline, each None where no case has an outcome in both."""

    everything: Comparison | None
    """By all scorers."""
    checks: Comparison | None
    joint: Joint | None = None
    """As people have it, where several judges are behind the cases."""

    def basis(self, trusted: Sequence[content.Judge]) -> Comparison | None:
        """Return what the gate rests on: judges of single answers that may not be believed leave it to the checks."""
        return self.everything if content.trust(trusted) == "valid" else self.checks


class Word(NamedTuple):
    """What the gate says, and from what."""

    gate: gate.Gate
    worse: list[str]
    grounds: Grounds | None
    """What it takes from the judges; None where checks alone decide."""


def comparisons(night: Night, settings: Settings, trusted: Sequence[content.Judge], row: CaseNight | None) -> Compared:
    """Compare target and baseline by all scorers and by checks alone.

    Args:
        night: What the stage reads.
        settings: Of the stage.
        trusted: The judges, with what their certificates are worth.
        row: Tonight's row of the history, from which it is known how often this version was looked at; None where
            that could not be made, and tonight is taken for the first look.
    """
    history = night.history if night.history is not None and row else []
    look = nights.look(history, row, night.provenance.baseline) if row else Look()
    categories = {case.case_id: case.category for case in night.cases}
    is_believed = content.trust(trusted) == "valid"

    def compare(*, checks_only: bool) -> Comparison | None:
        mine, theirs = night.outcomes["target", checks_only], night.outcomes["baseline", checks_only]
        alpha = settings.false_months / 2
        try:
            found = comparison.compare(
                "checks" if checks_only else "all",
                categories,
                mine,
                theirs,
                alpha=alpha,
                look=look,
                families=night.families,
            )
        except InsufficientDataError:
            return None
        if row is None or is_believed == checks_only:
            return found
        why = nights.dropped(history, row, night.provenance.baseline, alpha)
        return found.model_copy(update={"over_nights": why})

    return Compared(
        night.part("everything", lambda: compare(checks_only=False), None),
        night.part("checks", lambda: compare(checks_only=True), None),
    )


def taken(night: Night, settings: Settings, trusted: Sequence[content.Judge], compared: Compared) -> Grounds | None:
    """Return what the gate takes from the judges' word on the new version; None where it takes none."""
    basis, behind = compared.basis(trusted), content.behind(trusted)
    if basis is None or basis.scorers == "checks" or not behind:
        return None
    if settings.judge_transfer == "labelled":
        return transfer.labelled(basis, compared.checks, behind, compared.joint)
    names = {judge.name for judge in behind}
    found = transfer.assumed(
        basis,
        behind,
        night.outcomes,
        _judged(night, names),
        night.families,
        max_drop=settings.max_drop,
        rng=np.random.default_rng(settings.seed),
        draws=settings.draws,
    )
    if settings.judge_transfer == "assumed":
        return found
    tables = (night.verdicts, night.responses, night.baseline)
    return transfer.tested(
        found,
        {
            name: judged.difference(prompt.load(name), *tables, night.labelling.of(name), night.cases)
            for name in sorted(names)
        },
    )


def _judged(night: Night, names: Collection[str]) -> set[str]:
    """Return the cases that one of these judges decides, in either version."""
    categories = {case.case_id: case.category for case in night.cases}
    return {
        row.item_id
        for row in night.verdicts
        if row.scorer in names
        and row.subject in ("target", "baseline")
        and categories.get(row.item_id) not in night.excepted.get(row.scorer, ())
    }


def decide(night: Night, settings: Settings, trusted: Sequence[content.Judge], compared: Compared) -> Word:
    """Return the gate's word."""
    is_believed = content.trust(trusted) == "valid"
    behind = [judge for judge in trusted if judge.blocks and judge.spoke]
    basis, from_judges = compared.basis(trusted), taken(night, settings, trusted, compared)
    mine, theirs = night.outcomes["target", False].by_case, night.outcomes["baseline", False].by_case
    target = findings.account(night.outcomes["target", False])
    lost = [case_id for case_id in mine if mine[case_id] in LOST or theirs[case_id] == "judge"]
    change = from_judges.change if from_judges else basis.change if basis else None
    worse = from_judges.worse if from_judges else basis.worse if basis else []
    suspected = [*(from_judges.suspected if from_judges else []), *(basis.suspected if basis else [])]
    found = gate.Evidence(
        error_share=len(lost) / target.planned,
        unscorable_share=(target.unscorable - target.excepted) / target.planned,
        max_error_share=settings.max_error_share,
        worse=worse,
        low=change.low if change else None,
        estimate=change.estimate if change else None,
        n=basis.change.n if basis else 0,
        max_drop=settings.max_drop,
        labels=from_judges.labels if from_judges else 0,
        suspected=[] if worse else sorted(set(suspected)),
        look=basis.look if basis else 1,
        wanting=from_judges.wanting if from_judges else "",
        standings=[judge.standing for judge in behind],
        judges=[judge.name for judge in behind],
        unwatched="; ".join(judge.watch_note for judge in behind if judge.standing == "unwatched"),
        is_silent=any(UNHEARD in judge.watch_note for judge in behind if judge.standing == "unwatched"),
        is_of_people=from_judges is not None,
        is_set_compared=night.provenance.without_baseline == 0,
        has_baseline=bool(night.baseline),
    )
    word, reason, then = gate.decide(found)
    count = partial(wording.failures, has_baseline=bool(night.baseline), is_judge_believed=is_believed)
    failing = night.part("headline", lambda: count(night.filed), None)
    sentence = wording.sentence(word, reason, target, basis, failing, worse)
    if from_judges and word in TRANSFERS:
        sentence = " ".join(filter(None, [sentence, from_judges.sentence]))
    held = {judge.name: judge.certificate.excepted for judge in behind if judge.certificate}
    sentence += wording.policies(_policies(behind)) + wording.exceptions(held, target.excepted)
    return Word(gate.Gate(word=word, reason=reason, next=then, sentence=sentence), worse, from_judges)


def _policies(behind: Sequence[content.Judge]) -> dict[str, str]:
    """Return by judge the policy that it is certified by, where the gate rests on it and that is not the default."""
    return {
        judge.name: judge.certificate.policy
        for judge in behind
        if judge.standing == "valid" and judge.certificate and judge.certificate.policy != "default"
    }


def verdict(night: Night, settings: Settings, trusted: Sequence[content.Judge], compared: Compared) -> Word:
    """Return the gate's word; `incomplete` where a part that it rests on could not be computed."""
    found = night.part("gate", lambda: decide(night, settings, trusted, compared), None)
    essential = {PARTS[name] for name in ESSENTIAL}
    missing = [str(failure) for failure in night.guard.failures if failure.part in essential]
    if found and not missing:
        return found
    target, reason = findings.account(night.outcomes["target", False]), "; ".join(missing)
    sentence = wording.sentence("incomplete", reason, target, None)
    failed = gate.Gate(word="incomplete", reason=reason, next=gate.REPORT_BUG, sentence=sentence)
    return Word(failed, [], None)


def remembered(night: Night, trusted: Sequence[content.Judge], whence: Answers) -> CaseNight:
    """Return tonight's row of the history: the outcome of each case by the scorers that may be believed."""
    is_believed = content.trust(trusted) == "valid"
    behind = [row.certificate for row in content.behind(trusted) if row.certificate]
    mine, theirs = (night.outcomes[of, not is_believed].by_case for of in ("target", "baseline"))
    decided = {case.case_id for case in night.cases if mine.get(case.case_id) in {"pass", "fail"}}
    trials = [night.outcomes["target", not is_believed].trials[name] for name in decided]
    shown = {} if is_believed else _shown_outcomes(night.outcomes["target", False])
    return CaseNight(
        night=night.provenance.epoch,
        run=night.run,
        target=night.provenance.target,
        judge="+".join(held.fingerprint for held in behind) if is_believed else "",
        evaluation_set=night.provenance.evaluation_set,
        cases=len(night.cases),
        failed=sorted(name for name in decided if mine[name] == "fail"),
        unscored=sorted({case.case_id for case in night.cases} - decided),
        differing=sorted(name for name in decided if (mine[name], theirs.get(name)) in TOLD_APART),
        revisions={case.case_id: case.revision() for case in night.cases},
        accepted="+".join(sorted({row.run or row.target for row in night.baseline})),
        asked=whence.asked,
        kept=whence.kept,
        passed=sum(map(sum, trials)),
        of=sum(map(len, trials)),
        **shown,
    )


def _shown_outcomes(outcomes: findings.Outcomes) -> dict[str, list[str]]:
    """Return what the report lists of a night whose judge may not be believed, for since when a case fails."""
    by_case = sorted(outcomes.by_case.items())
    return {
        "shown_failed": [name for name, outcome in by_case if outcome == "fail"],
        "shown_unscored": [name for name, outcome in by_case if outcome not in ("pass", "fail")],
    }
