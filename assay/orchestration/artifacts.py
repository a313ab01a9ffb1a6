"""What Prefect shows of a run: its final state and at most five artifacts; no text of a model goes into Markdown."""

from collections.abc import Sequence

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed

from assay.calibration.certificate import Certificate, Floor
from assay.evalset.admission import Batch
from assay.orchestration import run_pages, server
from assay.project import results
from assay.project.params import read_params
from assay.report.gate import Gate
from assay.stages import batches
from assay.stages.publish import Summary

STATES = {
    "pass": "Passed",
    "regression": "Regression",
    "inconclusive": "Inconclusive",
    "incomplete": "Incomplete",
    "uncalibrated": "Uncalibrated",
    "judge-changed": "JudgeChanged",
    "set-changed": "SetChanged",
}
SHOWN = 50


def verdict(gate: Gate, summary: Summary) -> State[None]:
    """Return the flow's final state, named after the verdict; in a flow run, publish the artifacts too."""
    if FlowRunContext.get():
        text = verdict_text(gate, summary)
        create_markdown_artifact(key="nightly-verdict", markdown=text, description="The verdict of the run")
        create_table_artifact(
            key="newly-failing",
            table=summary.newly_failing[:SHOWN],
            description="Cases that newly fail, or that have no baseline",
        )
        create_table_artifact(key="coverage-and-calls", table=summary.coverage, description=coverage_text())
        page = _shown(run_pages.report(gate.run))
        create_link_artifact(key="report", link=page, description="The whole report of this run")
        create_link_artifact(key="runs", link=_shown(run_pages.RUNS_PAGE), description="All runs, with their reports")
    return Completed(name=STATES[gate.word], message=gate.sentence)


def verdict_text(gate: Gate, summary: Summary) -> str:
    """Return the verdict as Markdown, with what its figures rest on."""
    text = f"# {gate.word}\n\n{_plain(gate.sentence)}\n\n**Next:** {_plain(gate.next)}\n"
    if of := results.published_basis():
        text += f"\n**Basis of the pass rate by all scorers:** {_plain(of)}\n"
    return text + "".join(f"\n**Not whole:** {_plain(failure)}\n" for failure in summary.failures)


def coverage_text() -> str:
    """Return what the table of cases and calls shows, and what the outcomes of the cases rest on."""
    of = results.published_basis()
    return f"Where the cases went{f' ({of})' if of else ''}, and what was used"


def certificates(issued: Sequence[Certificate]) -> State[None]:
    """Return the final state of a calibration; in a flow run, publish a table of each certificate."""
    met = all(certificate.is_met for certificate in issued)
    for certificate in issued if FlowRunContext.get() else ():
        _table("calibration", certificate)
        link = _shown(server.certificate(certificate.judge))
        create_link_artifact(key=f"certificate-{certificate.judge}", link=link, description=_standing(certificate))
        page = _shown(f"{run_pages.REPORT_PAGE}#judges")
        create_link_artifact(key=f"judge-{certificate.judge}", link=page, description="The judge's page of the report")
    text = "; ".join(_standing(certificate) for certificate in issued) or "no certificate could be issued"
    return Completed(name="Certified" if issued and met else "Refused", message=text)


def trial(certificate: Certificate) -> State[None]:
    """Return the final state of a trial: what would become of a judge under other demands; nothing was filed."""
    if FlowRunContext.get():
        _table("trial", certificate)
    return Completed(
        name="WouldBeCertified" if certificate.is_met else "WouldBeRefused",
        message=f"a trial, nothing is filed: {_standing(certificate)}",
    )


def batch(open_one: Batch) -> str:
    """Return what there is to decide, and where, as Markdown."""
    desk = read_params("review", batches.Settings).desk
    held = batches.held()
    return (
        f"{len(open_one.candidates)} candidates wait for people at {desk}/candidates (`assay desk`): "
        f"{batches.progress(open_one)}. {open_one.name}" + (f". Not opened: {held}" if held else "")
    )


def awaiting(open_one: Batch) -> None:
    """Publish the link to the desk."""
    desk = read_params("review", batches.Settings).desk
    create_link_artifact(
        key="review-desk", link=f"{desk}/candidates", link_text="Decide at the desk", description=batch(open_one)
    )


def _table(kind: str, certificate: Certificate) -> None:
    """Publish the figures and the floors of a certificate as two tables."""
    figures = [figure.model_dump(exclude={"note"}) for figure in certificate.figures]
    floors = [floor.model_dump() for floor in certificate.floors]
    said = _standing(certificate)
    create_table_artifact(key=f"{kind}-{certificate.judge}", table=figures, description=said)
    create_table_artifact(key=f"{kind}-{certificate.judge}-floors", table=floors, description=said)


def _shown(address: str) -> str:
    """Return a link that works from Prefect's pages; only the server of `assay serve` shows files of ours."""
    return f"{(PREFECT_API_URL.value() or '').removesuffix('/api')}{address}"


def _standing(certificate: Certificate) -> str:
    missed = _missed(certificate.floors)
    note = f"; {certificate.note}" if certificate.note else ""
    if missed:
        return f"{certificate.judge}: refused ({'; '.join(missed)}){note}"
    until = f"{certificate.items} held-out items until {certificate.expires:%Y-%m-%d}"
    return f"{certificate.judge}: certified on {until}{note}"


def _missed(floors: Sequence[Floor]) -> list[str]:
    """Return the demands that were not met, those for one reason together."""
    by_reason: dict[str, list[Floor]] = {}
    for floor in floors:
        if not floor.met:
            by_reason.setdefault(floor.found, []).append(floor)
    told = []
    for found, several in by_reason.items():
        figures, demands = [one.figure for one in several], dict.fromkeys(one.demand for one in several)
        told.append(f"{', '.join(figures)} {found}, {' and '.join(demands)}")
    return told


def _plain(text: str) -> str:
    """Return text that Markdown cannot read as anything but text."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()<>#+!|" else letter for letter in text)
