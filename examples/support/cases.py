"""The written evaluation set of the sample product: `cases/<category>.yaml`."""

from pathlib import Path

from assay.errors import DataError
from assay.interchange import cases_yaml
from assay.records.case import Case

FOLDER = Path(__file__).parent / "cases"


def load_cases() -> list[Case]:
    """Return all written cases, by id.

    Raises:
        DataError: A file is at fault, or two cases have one id.
    """
    found: dict[str, Case] = {}
    for case in (case for file in FOLDER.glob("*.yaml") for case in cases_yaml.read(file)):
        if found.setdefault(case.case_id, case) is not case:
            raise DataError(f"cases: {case.case_id} occurs twice, expected each id once: rename one")
    return [found[name] for name in sorted(found)]
