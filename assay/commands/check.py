"""Check: what is a judge worth whose verdicts lie beside people's labels in a flat file?

Reads one file of anybody's; writes nothing and asks nobody. The figures and floors are those of a certificate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from pydantic import ValidationError

from assay.calibration.assessment import Assessment, assess, assess_scale
from assay.calibration.policy import (
    NominalPolicy,
    PairwisePolicy,
    PassFailPolicy,
    Policy,
    PreferencePolicy,
    ScalePolicy,
    ScorePolicy,
)
from assay.calibration.ratings import join
from assay.calibration.scale import Ratings
from assay.calibration.self_preference import own_figures
from assay.commands.corrected_rate import CorrectedRate, corrected
from assay.errors import ConfigError, InsufficientDataError
from assay.interchange import flat_file, flat_scale, label_file
from assay.records.label import Item, Label
from assay.records.verdict import Outcome, Verdict
from assay.stats.alternative import EPSILON
from assay.text import first_fault

SEED = 20140
LEAST = 10
"""Items below which every figure would be noise; a policy demands more of them before it certifies."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When a label of a file was given: nobody says."""
POLICIES: dict[flat_file.Question, PassFailPolicy | PairwisePolicy] = {
    "pass-fail": PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.8, tnr=0.8, youden=0.5),
    "pairwise": PairwisePolicy(min_labels=50, accuracy=0.6, kappa=0.2, max_conflict=0.25),
}
"""What is demanded where the user demands nothing else (STATISTICS 0.2)."""
SCALES: dict[flat_scale.Scale, ScalePolicy] = {
    "nominal": NominalPolicy(min_labels=50, min_rarer=10, kappa=0.4),
    "ordinal": ScorePolicy(min_labels=50, kappa=0.4, spearman=0.4),
    "shares": PreferencePolicy(min_labels=50, agreement=0.5),
}
"""The same on other scales: a beginning for a demand of one's own, since no floor fits every scale."""
FINE = ScorePolicy(min_labels=50, kappa=None, spearman=0.4)
"""The same of scores that have no steps."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column of the file is what; empty for none."""

    judge: str
    human: Sequence[str]
    swapped: str = ""
    """The judge's verdicts with the two responses in the other order; `a` is still response A."""
    slices: Sequence[str] = ()
    item: str = ""
    """Names each item; without it every row is one."""
    own: str = ""
    """Whether the judge's own model wrote the answer, yes or no; of a pair, which of the two it wrote, a or b."""


Demanded = TypeVar("Demanded", bound=Policy)


class Checked(NamedTuple):
    """What the file says of its judge."""

    question: flat_scale.Scale
    why: str
    """What the scale was taken by."""
    classes: tuple[str, ...]
    """What rows and columns of the counts stand for."""
    epsilon: float
    """Of the alternative annotator test."""
    items: int
    """Rows that people decided and the judge gave a verdict on."""
    unscored: int
    undecided: int
    unlabelled: int
    """Rows without any label."""
    worth: Assessment
    strangers: int = 0
    """Labelled items of another file that this one does not have."""
    corrected: CorrectedRate | None = None
    """Of a judge that passes and fails: its pass rate over rows without a label too; None where there are none."""

    @property
    def is_met(self) -> bool:
        """Tell whether every floor was met."""
        return all(floor.met for floor in self.worth.floors)

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        worth = {name: _plain(value) for name, value in vars(self.worth).items()}
        rate = {"corrected": self.corrected and _rates(self.corrected)}
        return self._asdict() | {"worth": worth, "met": self.is_met} | rate


def check(
    file: Path,
    columns: Columns,
    *,
    maps: Sequence[str] = (),
    demands: Sequence[str] = (),
    scale: str = "",
    epsilon: float = EPSILON,
    labels: Path | None = None,
) -> Checked:
    """Return what a judge is worth by a flat file.

    Args:
        file: CSV or JSON Lines.
        columns: Which column is what.
        maps: What words mean, such as `full_refusal=pass`.
        demands: Other floors, such as `tnr=0.6`.
        scale: What the words are, or the range of scores such as `1-5`; empty for what they say themselves.
        epsilon: Of the alternative annotator test.
        labels: Another file with people's labels; None where they stand beside the verdicts.

    Raises:
        DataError: The file is malformed, or its words are of two kinds; the text names row and column.
        InsufficientDataError: Its labels carry no certificate; the text says what to add.
        ConfigError: An argument is at fault.
    """
    table, strangers = _table(file, columns, labels)
    asked = flat_scale.asked(scale)
    judge = [table[name] for name in filter(None, [columns.judge, columns.swapped])]
    human = [table[name] for name in columns.human]
    taken = flat_scale.taken(asked, judge, human, maps)
    if taken.scale in ("pass-fail", "pairwise"):
        decided = _decided(table, columns, taken, maps, _policy(POLICIES[taken.scale], demands), epsilon)
        return decided._replace(strangers=strangers)
    for name, option in (("swapped", columns.swapped), ("own", columns.own)):
        if option:
            raise ConfigError(
                f"--{name} is about pairs or about pass and fail, found {taken.scale} ({taken.why}): leave it out"
            )
    graded = flat_scale.grades(asked._replace(scale=taken.scale), judge, human, maps)
    is_fine = taken.scale == "ordinal" and not graded.has_steps
    if is_fine and columns.slices:
        raise ConfigError(
            "--slice counts equal scores, found scores as fine as 4.33, which are hardly ever equal: round them to "
            "whole or half numbers, or leave it out"
        )
    usual = FINE if is_fine else SCALES[taken.scale]
    rated = _graded(table, columns, taken, graded, _policy(usual, demands), epsilon)
    return rated._replace(strangers=strangers)


def _table(file: Path, columns: Columns, labels: Path | None) -> tuple[dict[str, flat_file.Column], int]:
    """Return the columns that are asked for, and how many labelled items of another file this one does not have."""
    verdicts = [columns.judge, *filter(None, [columns.swapped, columns.own])]
    texts = [*columns.slices, *filter(None, [columns.item])]
    if labels is None:
        return flat_file.columns(file, [*verdicts, *columns.human], texts), 0
    found = label_file.beside(flat_file.columns(file, verdicts, texts), labels, columns.human, columns.item)
    return found.table, found.strangers


def _decided(
    table: Mapping[str, flat_file.Column],
    columns: Columns,
    taken: flat_scale.Taken,
    maps: Sequence[str],
    policy: PassFailPolicy | PairwisePolicy,
    epsilon: float,
) -> Checked:
    """Return what a judge is worth that passes and fails, or compares pairs."""
    asked: flat_file.Question = "pairwise" if taken.scale == "pairwise" else "pass-fail"
    meanings = flat_file.vocabulary(maps)
    said = [_outcomes(table[name], asked, meanings) for name in filter(None, [columns.judge, columns.swapped])]
    people = {name: _outcomes(table[name], asked, meanings) for name in columns.human}
    names = flat_file.ids(table[columns.item]) if columns.item else [str(row) for row in range(len(said[0]))]
    items = _items(names, asked, _groups(table, columns, len(names)))
    everything = join(asked, items, _labels(names, people), _verdicts(names, asked, said))
    _require_enough(table[columns.judge].file, len(everything.items))
    mine = [_outcomes(table[name], asked, meanings) for name in filter(None, [columns.own])]
    own = [figure for column in mine for figure in own_figures(everything, _given(names, column))]
    rng = np.random.default_rng(SEED)
    rate = corrected(said[0], people, np.random.default_rng(SEED)) if asked == "pass-fail" else None
    return Checked(
        question=taken.scale,
        why=taken.why,
        classes=flat_file.SCALES[asked],
        epsilon=epsilon,
        items=len(everything.items),
        unscored=len(everything.unscored),
        undecided=everything.undecided,
        unlabelled=sum(not any(row) for row in zip(*people.values(), strict=True)),
        worth=assess(everything, everything, policy, rng=rng, audits=own, epsilon=epsilon),
        corrected=rate,
    )


def _graded(
    table: Mapping[str, flat_file.Column],
    columns: Columns,
    taken: flat_scale.Taken,
    graded: flat_scale.Grades,
    policy: ScalePolicy,
    epsilon: float,
) -> Checked:
    """Return what a judge is worth that gives labels, scores or preferences."""
    if columns.item:
        flat_file.ids(table[columns.item])
    judge, *human = graded.places
    found = Ratings(
        classes=graded.classes,
        values=graded.values,
        people=tuple(columns.human),
        human=np.array(human),
        judge=judge,
        weights="none" if graded.values is None else "quadratic",
        has_steps=graded.has_steps,
    )
    is_settled, is_scored = found.is_settled(), judge >= 0
    items, is_rated = int((is_settled & is_scored).sum()), (found.human >= 0).any(axis=0)
    _require_enough(table[columns.judge].file, items)
    groups = _groups(table, columns, len(judge))
    worth = assess_scale(found, groups, policy, rng=np.random.default_rng(SEED), epsilon=epsilon)
    return Checked(
        question=taken.scale,
        why=taken.why,
        classes=flat_file.SCALES["pairwise"] if taken.scale == "shares" else graded.classes,
        epsilon=epsilon,
        items=items,
        unscored=int((is_settled & ~is_scored).sum()),
        undecided=int((is_rated & ~is_settled).sum()),
        unlabelled=int((~is_rated).sum()),
        worth=worth,
    )


def _require_enough(name: str, items: int) -> None:
    if items < LEAST:
        raise InsufficientDataError(
            f"{name}: people and the judge both decided {items} items, expected at least {LEAST} "
            f"before anything can be said of the judge: label {LEAST - items} more"
        )


def _policy(policy: Demanded, demands: Sequence[str]) -> Demanded:
    changes: dict[str, float] = {}
    for demand in demands:
        name, _, value = demand.partition("=")
        if name not in type(policy).model_fields:
            known = ", ".join(type(policy).model_fields)
            raise ConfigError(f"--floor {demand[:80]!r} is unknown, expected one of {known}, then = and a number")
        try:
            changes[name] = float(value)
        except ValueError as error:
            raise ConfigError(f"--floor {demand[:80]!r} has no number, expected such as tnr=0.8: correct it") from error
    try:
        return type(policy).model_validate(policy.model_dump() | changes)
    except ValidationError as error:
        raise ConfigError(f"--floor has a fault: {first_fault(error)}; correct it") from error


def _outcomes(column: flat_file.Column, asked: flat_file.Question, meanings: Any) -> list[Outcome | None]:  # noqa: ANN401
    """Return the outcome of each row; None where there is none."""
    scale: list[Outcome | None] = [*flat_file.SCALES[asked], None]  # type: ignore[list-item]
    return [scale[number] for number in flat_file.outcomes(column, asked, meanings).tolist()]


def _given(names: Sequence[str], column: Sequence[Outcome | None]) -> dict[str, str]:
    return {name: outcome for name, outcome in zip(names, column, strict=True) if outcome}


def _groups(table: Mapping[str, flat_file.Column], columns: Columns, items: int) -> list[str]:
    """Return the name of each item's part."""
    slices = [table[name] for name in columns.slices]
    parts = [[(*column.words, "(none)")[code] for code in column.codes.tolist()] for column in slices]
    return [" / ".join(row) for row in zip(*parts, strict=True)] if parts else [""] * items


def _items(names: Sequence[str], asked: flat_file.Question, groups: Sequence[str]) -> list[Item]:
    """Return one item a row; a file's names and slices are anybody's, so they are no identifiers of ours."""
    shared: dict[str, Any] = {"question": asked, "case_id": "", "slice": "", "turns": [], "reference": ""}
    shared |= {"response_a": "", "response_b": ""}
    return [
        Item.model_construct(item_id=name, category=group, **shared) for name, group in zip(names, groups, strict=True)
    ]


def _labels(names: Sequence[str], people: dict[str, list[Outcome | None]]) -> list[Label]:
    shared: dict[str, Any] = {"split": "heldout", "sampling_frame": "", "stratum": "", "inclusion_probability": None}
    shared |= {"rubric_version": "", "labelled_at": LONG_AGO}
    return [
        Label.model_construct(item_id=name, annotator=who, outcome=outcome, **shared)  # type: ignore[arg-type]
        for who, outcomes in people.items()
        for name, outcome in zip(names, outcomes, strict=True)
        if outcome
    ]


def _verdicts(names: Sequence[str], asked: flat_file.Question, said: Sequence[list[Outcome | None]]) -> list[Verdict]:
    """Return one verdict a row; a pair whose two orders differ is a tie, as everywhere."""
    shared: dict[str, Any] = {
        "subject": "anchor",
        "trial": 0,
        "scorer": "",
        "fingerprint": "",
        "fault": "",
        "score": None,
    }
    shared |= {"detail": "", "votes": []}
    rows = []
    for name, *orders in zip(names, *said, strict=True):
        outcome: Outcome = "unscored" if None in orders else orders[0] if len(set(orders)) == 1 else "tie"
        seen: dict[str, Any] = {"as_is": None, "swapped": None}
        if asked == "pairwise":
            seen = {"as_is": orders[0], "swapped": orders[1] if len(orders) > 1 else None}
        seen["status"] = "unparsed" if outcome == "unscored" else "ok"
        rows.append(Verdict.model_construct(item_id=name, outcome=outcome, **seen, **shared))
    return rows


def _rates(found: CorrectedRate) -> dict[str, Any]:
    intervals = {name: getattr(found, name) for name in ("raw", "rate")}
    return found._asdict() | {name: one and asdict(one) for name, one in intervals.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of an assessment
    return [row.model_dump() if hasattr(row, "model_dump") else row for row in value]
