"""Cases that people write by hand, as YAML: a list of them, or what they share and then the cases.

What a case says itself goes before what is shared. Left out, `reference`, `expectations`, `parent` and `owner` are
empty, and `provenance` is `written`. An expectation has its options as fields, or is written as cases keep it.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from assay.checks import registry
from assay.checks.form import SHOWN as EXAMPLES
from assay.checks.form import read_examples
from assay.errors import ConfigError, DataError
from assay.interchange.sets import yaml_text
from assay.interchange.sets.builder import SHOWN, Reading, name
from assay.records.attachment import Attachment
from assay.records.case import Case
from assay.storage import attachments
from assay.text import first_fault

Judged = Callable[[Case], bool]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
EMPTY: dict[str, Any] = {"provenance": "written", "parent": "", "owner": "", "reference": "", "expectations": []}


def read(file: Path, is_judged: Judged = lambda _: False) -> list[Case]:
    """Return the cases of a file, in their order.

    Raises:
        ConfigError: It cannot be read.
        DataError: As for `parse`.
    """
    return reading(file, is_judged).cases


def reading(file: Path, is_judged: Judged = lambda _: False) -> Reading:
    """Return the cases of a file, in their order, and the files beside it that they attach.

    Raises:
        ConfigError: It cannot be read.
        DataError: As for `parse`.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}), expected a file: correct the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file.name} is not UTF-8, expected it throughout: save the file as UTF-8") from error
    found: dict[Attachment, Path] = {}
    return Reading(parse(text, file.name, is_judged, Beside(file.parent, found)), [], files=found)


class Beside(NamedTuple):
    """Where the attachments of a file of cases lie, and those that were found there."""

    folder: Path
    found: dict[Attachment, Path]

    def attached(self, given: object, where: str) -> object:
        """Return an attachment that is named by its path as what it is; anything else as it is written.

        Raises:
            DataError: The path leads elsewhere, or to nothing that can be attached.
        """
        if not isinstance(given, str):
            return given
        folder = self.folder.resolve()
        file = folder / given
        if "\0" in given or not file.resolve().is_relative_to(folder):
            raise DataError(
                f"{where}: the attachment {given[:SHOWN]!r} lies elsewhere, expected a path below the folder of the "
                "cases: copy it there"
            )
        attachment = attachments.identify(file, where)
        self.found[attachment] = file
        return attachment.model_dump()


def parse(text: str, name: str, is_judged: Judged = lambda _: False, beside: Beside | None = None) -> list[Case]:
    """Return the cases of a text.

    Args:
        text: YAML; plain words mean what YAML 1.2 says.
        name: What a message calls it.
        is_judged: Tells whether a judge that blocks may be asked about a case, so that it can fail by that alone.
        beside: Where attachments lie that are named by their paths; without it none can be.

    Raises:
        DataError: It is no list of cases, a case breaks its record, could never fail, or has the id of another one; the
            text names it.
    """
    found = yaml_text.value(text, name)
    shared, rows = ({}, found) if isinstance(found, list) else _parts(found, name)
    cases: dict[str, Case] = {}
    for number, own in enumerate(rows, 1):
        if not isinstance(own, dict):
            raise DataError(f"{name}, case {number} is {str(own)[:SHOWN]!r}, expected its fields: correct it")
        place, fields = f"{name}, case {number} ({str(own.get('case_id', ''))[:SHOWN]})", EMPTY | shared | own
        if beside and isinstance(fields.get("attachments"), list):
            fields["attachments"] = [beside.attached(one, place) for one in fields["attachments"]]
        case = _case(fields, place, is_judged)
        if cases.setdefault(case.case_id, case) is not case:
            raise DataError(
                f"{name}, case {number}: there is another {case.case_id}, expected each id once: rename one"
            )
    return list(cases.values())


def _parts(found: object, name: str) -> tuple[dict[str, Any], list[Any]]:
    """Return what cases share, and the cases."""
    is_whole = isinstance(found, dict) and found.keys() <= {"shared", "cases"} and isinstance(found.get("cases"), list)
    if not (is_whole and isinstance(found, dict) and isinstance(found.get("shared", {}), dict)):
        raise DataError(
            f"{name} begins {str(found)[:SHOWN]!r}, expected a list of cases, or `shared` fields and `cases`: mend it"
        )
    return found.get("shared", {}), found["cases"]


def _first_apart(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields in which the first of several right answers is the reference, where no other one is."""
    several = fields.get("references")
    if fields["reference"] or not isinstance(several, list) or not several:
        return fields
    return {**fields, "reference": several[0], "references": several[1:]}


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with id and category as names are written in every file that comes in, such as in lower case."""
    texts = {key: fields[key] for key in ("case_id", "category") if isinstance(fields.get(key), str)}
    return fields | {key: text if _NAME.fullmatch(text) else name(text) for key, text in texts.items()}


def _case(fields: dict[str, Any], place: str, is_judged: Judged) -> Case:
    try:
        examples = {name: read_examples(fields[name]) for name in EXAMPLES if name in fields}
        expectations = _expectations(fields["expectations"], place)
        case = Case.model_validate(_named(_first_apart(fields)) | examples | {"expectations": expectations})
    except ValidationError as error:
        raise DataError(f"{place}: {first_fault(error, written=fields)}; correct it") from error
    if not case.right_answers() and not case.expectations and not is_judged(case):
        raise DataError(
            f"{place} has neither a reference nor an expectation, and no judge that blocks is asked about it, so it "
            "could never fail: add one"
        )
    for expectation in case.expectations:
        try:
            registry.validate(expectation)
        except DataError as error:
            raise DataError(f"{place}: {error}") from error
    return case


def _expectations(written: object, place: str) -> object:
    """Return expectations as a case keeps them; what is no list is left to the case."""
    if not isinstance(written, list):
        return written
    kept = []
    for number, one in enumerate(written):
        try:
            kept.append(registry.read(one))
        except DataError as error:
            raise DataError(f"{place}, expectations.{number}: {error}") from error
    return kept
