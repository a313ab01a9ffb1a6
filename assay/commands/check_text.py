"""The certificate of a flat file as a person reads it."""

from assay.calibration.certificate import Floor
from assay.commands.check import Checked
from assay.report import amounts, texts

SHOWN_CLASSES = 12
"""Classes up to which the counts of people and judge are printed; the JSON has them all."""


def lines(found: Checked) -> list[str]:
    """Return the certificate as a person reads it."""
    word = "meets every floor" if found.is_met else "REFUSED: misses a floor"
    rows = [*_rate(found), f"{found.items} items, {found.question} ({found.why}): the judge {word}", ""]
    rows += [f"{'figure':42}{'value, 95 % interval':32}{'n':>7}"]
    for figure in found.worth.figures:
        rows.append(f"{amounts.figure_name(figure):42}{amounts.figure(figure):32}{figure.n:>7}")
        rows += [f"    {figure.note}"] if figure.note else []
    rows += ["", *(f"{'met   ' if floor.met else 'MISSED'} {_said(floor)}" for floor in found.worth.floors)]
    rows += ["", "without a thought, on the same labels:"] if found.worth.trivial else []
    rows += [f"  {rival.name:24}{rival.accuracy:7.1%}" for rival in found.worth.trivial]
    rows += [*_slices(found), *_classes(found), *_annotators(found), *_counts(found)]
    left = [f"{found.unscored} without a verdict", f"{found.undecided} on which people were evenly split"]
    strange = f", {found.strangers} labelled that the file does not have" if found.strangers else ""
    return [*rows, "", f"left out: {', '.join(left)}, {found.unlabelled} without a label{strange}"]


def _rate(found: Checked) -> list[str]:
    """Return what the judge's pass rate really is, before anything else."""
    told = found.corrected
    if told is None:
        return []
    if told.rate is None:
        return [f"the judge passes {told.raw.estimate:.1%} of {told.of:,}; what people would say: {told.note}", ""]
    halved = f"; half that width takes about {told.halved:,} labels" if told.halved else ""
    really = f"really that is {told.rate.low:.1%} to {told.rate.high:.1%} ({told.rate.estimate:.1%})"
    by = f"by {told.labels:,} labels, if they were picked at random"
    return [f"the judge passes {told.raw.estimate:.1%} of {told.of:,}; {really}, {by}{halved}", ""]


def _said(floor: Floor) -> str:
    return f"{floor.figure}: {floor.demand}; found {floor.found}"


def _slices(found: Checked) -> list[str]:
    parts = [part for part in found.worth.slices if part.name]
    if not parts:
        return []
    shown = [
        f"  {_name(part.name)}{part.agree:>6} of {part.n:<6} {f'{part.low:.1%} to {part.high:.1%}':19}"
        f"{_kappa(part.kappa, part.kappa_low, part.kappa_high)}"
        for part in parts
    ]
    return ["", "by slice, the lowest agreement first:", *shown]


def _classes(found: Checked) -> list[str]:
    if not found.worth.by_class:
        return []
    rows = ["", f"{'class':44}{'people':>8}{'judge':>8}{'precision':>11}{'recall':>8}{'F1':>8}"]
    for one in found.worth.by_class:
        rates = f"{_share(one.precision):>11}{_share(one.recall):>8}{_share(one.f1):>8}"
        rows.append(f"  {_name(one.name)}{one.human:>8}{one.judge:>8}{rates}")
    return rows


def _annotators(found: Checked) -> list[str]:
    """Return every annotator beside the judge and the others; of a single one nothing that is not said above."""
    if len(found.worth.by_annotator) < 2:  # noqa: PLR2004 - others are needed
        return []
    rows = ["", f"{'annotator':44}{'with the judge':32}with the others"]
    for one in found.worth.by_annotator:
        judge = f"{one.agree} of {one.n}, {_kappa(one.kappa)}"
        others = f"{one.others_agree} of {one.others_n}, {_kappa(one.others_kappa)}"
        rows.append(f"  {_name(one.annotator)}{judge:32}{others}")
    return rows


def _counts(found: Checked) -> list[str]:
    if not found.worth.confusion or len(found.classes) > SHOWN_CLASSES:
        return []
    width = max(8, *(len(texts.visible(name)[:20]) + 2 for name in found.classes))
    names = [texts.visible(name)[:20] for name in found.classes]
    rows = ["", f"{'people / judge':22}" + "".join(f"{name:>{width}}" for name in names)]
    for name, counts in zip(names, found.worth.confusion, strict=True):
        rows.append(f"{name:22}" + "".join(f"{count:>{width}}" for count in counts))
    return rows


def _name(text: str) -> str:
    return f"{texts.visible(text)[:40]:42}"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _kappa(value: float | None, low: float | None = None, high: float | None = None) -> str:
    bounds = "" if low is None or high is None else f" ({amounts.coefficient(low)} to {amounts.coefficient(high)})"
    return f"kappa {amounts.coefficient(value)}{bounds}"
