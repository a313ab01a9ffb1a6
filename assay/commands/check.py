"""Check: what is a judge worth whose verdicts lie beside people's labels in a flat file?

Reads one file of anybody's; writes nothing and asks nobody. The figures and floors are those of a certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.calibration.assessment import Assessment, assess
from assay.calibration.certificate import Floor
from assay.calibration.policy import PairwisePolicy, PassFailPolicy
from assay.calibration.ratings import join
from assay.calibration.self_preference import own_figures
from assay.errors import ConfigError, InsufficientDataError
from assay.interchange import flat_file
from assay.records.label import Item, Label
from assay.records.verdict import Outcome, Verdict
from assay.report import amounts, texts

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


class Checked(NamedTuple):
    """What the file says of its judge."""

    question: flat_file.Question
    items: int
    """Rows that people decided and the judge gave a verdict on."""
    unscored: int
    undecided: int
    unlabelled: int
    """Rows without any label."""
    worth: Assessment

    @property
    def is_met(self) -> bool:
        """Tell whether every floor was met."""
        return all(floor.met for floor in self.worth.floors)

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        worth = {name: _plain(value) for name, value in vars(self.worth).items()}
        return self._asdict() | {"worth": worth, "met": self.is_met}


def check(file: Path, columns: Columns, *, maps: Sequence[str] = (), demands: Sequence[str] = ()) -> Checked:
    """Return what a judge is worth by a flat file.

    Args:
        file: CSV or JSON Lines.
        columns: Which column is what.
        maps: What words mean, such as `full_refusal=pass`.
        demands: Other floors, such as `tnr=0.6`.

    Raises:
        DataError: The file is malformed; the text names row and column.
        InsufficientDataError: Its labels carry no certificate; the text says what to add.
        ConfigError: An argument is at fault.
    """
    verdict_columns = [columns.judge, *filter(None, [columns.swapped])]
    others = [*columns.slices, *filter(None, [columns.item])]
    owners = [*filter(None, [columns.own])]
    table = flat_file.columns(file, [*verdict_columns, *columns.human, *owners], others)
    meanings = flat_file.vocabulary(maps)
    asked = flat_file.question([table[name] for name in columns.human], meanings)
    said = [_outcomes(table[name], asked, meanings) for name in verdict_columns]
    people = {name: _outcomes(table[name], asked, meanings) for name in columns.human}
    names = flat_file.ids(table[columns.item]) if columns.item else [str(row) for row in range(len(said[0]))]
    items = _items(names, asked, [table[name] for name in columns.slices])
    everything = join(asked, items, _labels(names, people), _verdicts(names, asked, said))
    if len(everything.items) < LEAST:
        raise InsufficientDataError(
            f"{file.name}: people and the judge both decided {len(everything.items)} items, expected at least {LEAST} "
            f"before anything can be said of the judge: label {LEAST - len(everything.items)} more"
        )
    policy = _policy(asked, demands)
    mine = [_outcomes(table[name], asked, meanings) for name in owners]
    own = [figure for column in mine for figure in own_figures(everything, _given(names, column))]
    worth = assess(everything, everything, policy, rng=np.random.default_rng(SEED), audits=own)
    unlabelled = sum(not any(row) for row in zip(*people.values(), strict=True))
    return Checked(asked, len(everything.items), len(everything.unscored), everything.undecided, unlabelled, worth)


def lines(found: Checked) -> list[str]:
    """Return the certificate as a person reads it."""
    word = "meets every floor" if found.is_met else "REFUSED: misses a floor"
    rows = [f"{found.items} items, {found.question}: the judge {word}", ""]
    rows += [f"{'figure':42}{'value, 95 % interval':32}{'n':>7}"]
    for figure in found.worth.figures:
        rows.append(f"{amounts.figure_name(figure):42}{amounts.figure(figure):32}{figure.n:>7}")
        rows += [f"    {figure.note}"] if figure.note else []
    rows += ["", *(f"{'met   ' if floor.met else 'MISSED'} {_said(floor)}" for floor in found.worth.floors)]
    rows += ["", "without a thought, on the same labels:"]
    rows += [f"  {rival.name:24}{rival.accuracy:7.1%}" for rival in found.worth.trivial]
    rows += _slices(found)
    scale = flat_file.SCALES[found.question]
    rows += ["", f"{'people / judge':16}" + "".join(f"{name:>8}" for name in scale)]
    for name, counts in zip(scale, found.worth.confusion, strict=True):
        rows.append(f"{name:16}" + "".join(f"{count:>8}" for count in counts))
    left = [f"{found.unscored} without a verdict", f"{found.undecided} on which people were evenly split"]
    return [*rows, "", f"left out: {', '.join(left)}, {found.unlabelled} without a label"]


def _said(floor: Floor) -> str:
    return f"{floor.figure}: {floor.demand}; found {floor.found}"


def _slices(found: Checked) -> list[str]:
    parts = [part for part in found.worth.slices if part.name]
    if not parts:
        return []
    shown = [
        f"  {texts.visible(part.name)[:40]:42}{part.agree:>6} of {part.n:<6} {part.low:.1%} to {part.high:.1%}"
        for part in parts
    ]
    return ["", "by slice, the lowest agreement first:", *shown]


def _policy(asked: flat_file.Question, demands: Sequence[str]) -> PassFailPolicy | PairwisePolicy:
    policy = POLICIES[asked]
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
    return type(policy).model_validate(policy.model_dump() | changes)


def _outcomes(column: flat_file.Column, asked: flat_file.Question, meanings: Any) -> list[Outcome | None]:  # noqa: ANN401
    """Return the outcome of each row; None where there is none."""
    scale: list[Outcome | None] = [*flat_file.SCALES[asked], None]  # type: ignore[list-item]
    return [scale[number] for number in flat_file.outcomes(column, asked, meanings).tolist()]


def _given(names: Sequence[str], column: Sequence[Outcome | None]) -> dict[str, str]:
    return {name: outcome for name, outcome in zip(names, column, strict=True) if outcome}


def _items(names: Sequence[str], asked: flat_file.Question, slices: Sequence[flat_file.Column]) -> list[Item]:
    """Return one item a row; a file's names and slices are anybody's, so they are no identifiers of ours."""
    parts = [[(*column.words, "(none)")[code] for code in column.codes.tolist()] for column in slices]
    groups = [" / ".join(row) for row in zip(*parts, strict=True)] if parts else [""] * len(names)
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


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of an assessment
    return [row.model_dump() if hasattr(row, "model_dump") else row for row in value]
