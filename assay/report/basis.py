"""The basis of a judged figure: who gave the verdicts, what these judges are worth, whether people's labels correct it.

It stands beside every such figure, since a raw rate of a certified judge still has that judge's errors in it.
"""

from collections.abc import Mapping

from assay.calibration.certificate import Standing
from assay.report.content import Judge, Report, behind
from assay.report.correction import Corrected
from assay.report.grounds import Grounds
from assay.report.joint import Joint
from assay.report.judged import Change

CHECKS = "checks alone"
"""Of a figure that no judge has a part in."""


def of_cases(report: Report) -> str:
    """Return the basis of the outcomes by all scorers: raw, since no label corrects the outcome of a case."""
    is_judged = bool(behind(report.judges))
    if not is_judged and not report.lost("judges"):
        return CHECKS
    has_checks = report.checks is not None or any(rates.scorers == "checks" for rates in report.rates)
    return (
        f"raw, {'checks and judges' if has_checks else 'judges alone'}, {_worth(report.trust if is_judged else 'none')}"
    )


def by_scorers(report: Report) -> Mapping[str, str]:
    """Return the basis of the comparisons and rates of the report, by their scorers."""
    return {"all": of_cases(report), "checks": CHECKS}


def of_judge(judge: Judge) -> str:
    """Return the basis of what one judge says by itself."""
    return f"raw, judge alone, {_worth(judge.standing)}"


def of_corrected(found: Corrected) -> str:
    """Return the basis of a corrected pass rate."""
    return f"corrected by {found.labels} human labels"


def of_joint(found: Joint) -> str:
    """Return the basis of what people say of whole cases."""
    return f"corrected by {found.labels} cases that people labelled for {', '.join(found.judges)}"


def of_change(found: Change) -> str:
    """Return the basis of a judge's change as people would have it; without a label, how it is known all the same."""
    if found.rate and not found.labels:
        return found.rate.method
    return f"corrected by {found.labels} cases that people labelled in both versions"


def of_grounds(grounds: Grounds) -> str:
    """Return the basis of the change that the gate takes from the judges."""
    if grounds.kind == "labelled":
        return "corrected by labels on both versions' answers"
    return f"corrected by the certificate's TPR and TNR, {grounds.kind} to hold on this version"


def _worth(standing: Standing) -> str:
    return "certified" if standing == "valid" else "uncalibrated"
