"""A judge of another tool on its way into the project: what its folder will hold, before anybody has written it."""

from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from assay.judges import prompt
from assay.judges.declaration import SCHEMA, Declaration
from assay.judges.prompt import DECLARATION, RUBRIC, JudgePrompt
from assay.records.record import digest
from assay.text import one_line

IMPORTED = "# imported "
"""Begins the line of a `judge.yaml` by which a second import finds its judge, however that was edited since."""


class JudgeDraft(NamedTuple):
    """A judge that another tool's file declares."""

    name: str
    """As the file calls it, in our spelling; another judge of the project may have it."""
    declared: Declaration
    rubric: str
    origin: str
    """What it was in the file, in words."""
    remarks: tuple[str, ...] = ()
    """What of it was decided here, since the file does not say it."""

    @property
    def mark(self) -> str:
        """Return the hash of all that the file says of it."""
        return digest([self.name, self._written(), self.rubric])

    def named(self, name: str) -> JudgePrompt:
        """Return the judge under the name that it gets.

        Raises:
            ConfigError: Its parts do not go together.
        """
        return prompt.composed(name, self.declared, self.rubric)

    def files(self) -> dict[str, bytes]:
        """Return the files of its folder, by name."""
        comments = [f"From {self.origin}.", *(f"{remark[:1].upper()}{remark[1:]}." for remark in self.remarks)]
        head = [f"# yaml-language-server: $schema=../{SCHEMA}", f"{IMPORTED}{self.mark}"]
        head += [f"# {one_line(comment)}" for comment in comments]
        body = yaml.safe_dump(self._written(), sort_keys=False, allow_unicode=True, width=110)
        return {RUBRIC: self.rubric.encode(), DECLARATION: "\n".join([*head, body]).encode()}

    def _written(self) -> dict[str, Any]:
        always = {"question": self.declared.question, "input": list(self.declared.input)}
        return always | self.declared.model_dump(mode="json", exclude_defaults=True)


def declare(fields: dict[str, Any]) -> Declaration:
    """Return a declaration.

    Raises:
        ValueError: The fields do not go together; the text says which.
    """
    try:
        return Declaration.model_validate(fields)
    except ValidationError as error:
        raise ValueError(prompt.fault(error)) from error
