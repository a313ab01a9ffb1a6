"""The certificates of a project's judges, and why others have none."""

from collections.abc import Mapping

from assay.calibration.certificate import Certificate
from assay.project import files
from assay.storage.rows import parse_row

CALIBRATION = "data/calibration"
REFUSALS = "refusals.json"
"""Beside the certificates: judges whose labels cannot carry one, with what to add."""


def read_certificates() -> dict[str, Certificate]:
    """Return the certificate of each judge that has one."""
    there = sorted((files.root() / CALIBRATION).glob("*.json"))
    return {
        file.stem: parse_row(
            Certificate, files.read_json(f"{CALIBRATION}/{file.name}", "run `assay calibrate`"), file.name, 1
        )
        for file in there
        if file.name != REFUSALS
    }


def read_refusals() -> dict[str, str]:
    """Return why judges without a certificate have none."""
    name = f"{CALIBRATION}/{REFUSALS}"
    refusals: dict[str, str] = files.read_json(name, "run `assay calibrate`") if files.exists(name) else {}
    return refusals


def write_certificates(issued: Mapping[str, Certificate], refused: Mapping[str, str]) -> None:
    """Keep each judge's certificate, and why others have none."""
    for judge, certificate in sorted(issued.items()):
        files.write_json(f"{CALIBRATION}/{judge}.json", certificate.model_dump(mode="json"))
    files.write_json(f"{CALIBRATION}/{REFUSALS}", dict(sorted(refused.items())))
