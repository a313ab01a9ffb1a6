"""Where the answers of a run come from: asked by itself, before or after an interruption, or kept of an earlier one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from assay.records.response import Response
from assay.records.run import Answers
from assay.text import one_line

SHORT = 13
"""Characters of a short id: a run's moment, to the millisecond."""
ANEW = "`assay nightly --fresh` asks anew"


class Count:
    """Counts the responses of a run by the run that asked, as they are filed one by one."""

    def __init__(self, run: str) -> None:
        """Begin with none.

        Args:
            run: Id of the run whose table they are in.
        """
        self.total = 0
        self._run = run
        self._sources: dict[str, tuple[int, datetime | None]] = {}

    def add(self, response: Response) -> None:
        """Count one."""
        self.total += 1
        count, first = self._sources.get(response.source_run, (0, None))
        moments = [moment for moment in (first, response.answered_at) if moment]
        self._sources[response.source_run] = count + 1, min(moments, default=None)

    def answers(self, *, known: int = 0, is_version_known: bool = False, undeclared: Sequence[str] = ()) -> Answers:
        """Return where they come from.

        Args:
            known: How many of them were answered before the product was asked just now.
            is_version_known: Does the product's version tell whether it is the same one?
            undeclared: Files that decide what it answers and are not part of its version.
        """
        own, first = self._sources.get(self._run, (0, None))
        others = {run: source for run, source in self._sources.items() if run != self._run}
        kept = sum(count for count, _ in others.values())
        continued = max(0, known - kept)
        moments = [moment for _, moment in others.values() if moment] + ([first] if continued and first else [])
        return Answers(
            asked=own,
            continued=continued,
            kept=kept,
            since=min(moments, default=None),
            sources=sorted(others),
            is_version_known=is_version_known,
            undeclared=list(undeclared),
        )


def counted(run: str, responses: Iterable[Response]) -> Answers:
    """Return where the answers of a table come from, as far as it tells by itself."""
    count = Count(run)
    for response in responses:
        count.add(response)
    return count.answers()


def sentence(run: str, answers: Answers) -> str:
    """Return what of a run's answers was kept or continued, and since when, for its last line."""
    total, when = answers.asked + answers.kept, f"{answers.since:%Y-%m-%d %H:%M} UTC" if answers.since else "before"
    parts = []
    if answers.continued:
        rest = answers.asked - answers.continued
        parts.append(
            f"continued run {run[:SHORT]}: {answers.continued} of {total} answers of {when} kept, {rest} asked"
        )
    if answers.kept:
        runs = ", ".join(source[:SHORT] for source in answers.sources)
        parts.append(f"{answers.kept} of {total} answers kept from run {runs} of {when}, of the same version")
    if parts:
        return f"{'; '.join(parts)} ({ANEW})"
    return f"all {total} asked by this run{_why_unknown(answers)}"


def _why_unknown(answers: Answers) -> str:
    """Return why no later run may keep these answers; empty where one may."""
    if answers.is_version_known:
        return ""
    if answers.undeclared:
        return (
            f"; none may be kept by another, since the product read {one_line(', '.join(answers.undeclared))}, which "
            "execute.target.data does not declare"
        )
    return "; none may be kept by another, since execute.target has no version"
